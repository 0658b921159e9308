"""Files that nothing reads are said, by the step and by the comparison of sources."""

import json

from compass_core.config.load import load_project
from compass_core.config.template import render_template
from compass_core.stages.corpora import ingest_corpus
from compass_core.stages.sources import changed_sources
from compass_core.workspace import Workspace


def test_a_file_that_nothing_reads_is_a_problem_and_the_others_are_read(tmp_path):
    (tmp_path / "compass.yaml").write_text(render_template({"name": "p"}))
    folder = tmp_path / "data/corpora/training/swh"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(json.dumps({"prompt": "Bei gani?", "response": "Mia"}) + "\n")
    (folder / "b.txt").write_text("Habari.")
    ws = Workspace.open(load_project(tmp_path / "compass.yaml"))
    made = ingest_corpus(ws, "training", "sw")
    assert made.result.accepted.height == 1
    (problem,) = made.problems
    assert "training/swh: 1 files are not read (b.txt)" in problem
    assert problem in changed_sources(ws)[1]
