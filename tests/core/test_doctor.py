"""What the doctor says of a project that lacks something."""

import pytest

from compass_core.config.schema import Project
from compass_core.config.template import render_template
from compass_core.doctor import _preset, examine
from compass_core.storage import Store
from compass_core.workspace import Workspace


def findings(folder, **ingest):
    text = render_template({"name": "p", "base_model": {"model": "./none"}, "ingest": ingest})
    (folder / "compass.yaml").write_text(text)
    return {finding.subject: finding for finding in examine(folder / "compass.yaml")}


def test_the_salt_that_everybody_knows_is_a_warning(tmp_path):
    found = findings(tmp_path)["user ids"]
    assert (found.level, "ingest.user_salt" in found.advice) == ("warn", True)


@pytest.mark.parametrize("salt", ["", "sauti", "pepper 2026"])
def test_a_salt_that_can_be_guessed_is_a_warning(tmp_path, salt):
    found = findings(tmp_path, user_salt=salt)["user ids"]
    assert (found.level, "can be guessed" in found.found) == ("warn", True)


@pytest.mark.parametrize("salt", ["0" * 32, "12345678e90123456789012345678901", "4a" * 16])
def test_a_salt_of_ones_own_is_none_whatever_it_looks_like(tmp_path, salt):
    assert findings(tmp_path, user_salt=salt)["user ids"].level == "ok"


def test_files_that_nothing_reads_are_a_warning(tmp_path):
    folder = tmp_path / "data/corpora/training/sw"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("{}")
    assert findings(tmp_path)["input training"].level == "ok"
    (folder / "b.txt").write_text("x")
    (tmp_path / "data/logs/sw").mkdir(parents=True)
    (tmp_path / "data/logs/sw/c.jsonl.bz2").write_text("x")
    found = findings(tmp_path)
    assert "training/sw: 1 files are not read (b.txt)" in found["input training"].advice
    assert "logs/sw: 1 files are not read (c.jsonl.bz2)" in found["input logs"].advice


def test_sequences_longer_than_the_model_takes_are_named_with_the_way_out(project, tmp_path):
    def findings(max_tokens):
        settings = Project.model_validate(
            {
                "languages": {"targets": ["sw"]},
                "base_model": {"model": "models/llama"},
                "adapter": {"max_tokens": max_tokens},
            }
        )
        return _preset(Workspace(project, settings, settings, Store(tmp_path)))

    assert [f.subject for f in findings(256)] == ["preset"]
    found = findings(257)[-1]
    assert (found.level, found.subject) == ("warn", "length")
    assert found.found == "adapter.max_tokens is 257, and models/llama has 256 positions"
    assert found.advice == "set adapter.max_tokens to at most 256"


def test_a_project_without_its_dagster_file_is_told_so(tmp_path):
    assert findings(tmp_path)["dagster"].level == "warn"
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert "dagster" not in findings(tmp_path)


def test_items_that_no_suite_names_are_pointed_out_with_the_line_to_write(tmp_path):
    assert "benchmark folders" not in findings(tmp_path)
    (tmp_path / "data/benchmarks/exams/sw").mkdir(parents=True)
    found = findings(tmp_path)["benchmark folders"]
    assert (found.level, found.found) == ("warn", "in no suite: exams")
    assert found.advice == "add to benchmarks.suites in compass.yaml: {name: exams}"


def test_the_preset_of_a_model_that_is_not_here_is_not_guessed(tmp_path):
    settings = Project.model_validate(
        {"languages": {"targets": ["sw"]}, "base_model": {"model": "nobody/no-such-model"}}
    )
    (found,) = _preset(Workspace(tmp_path, settings, settings, Store(tmp_path)))
    assert (found.level, found.found) == ("ok", "known once the base model is fetched")
