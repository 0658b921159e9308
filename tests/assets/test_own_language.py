"""The page "Your own language in 15 minutes", followed to the gap report with the shipped models.

The texts are the sample world's, Swahili under the name of the page's language: what is tried is
the way, not the language.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from compass_assets.cli.main import app
from compass_core.corpora.shapes import conversation_of
from compass_core.graph import ancestors
from compass_core.world.generate import write_sample_project

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "own-language.md").read_text(encoding="utf-8")
TAG = "yo"
LIKE = {"yo": "sw", "en": "en", "fr": "pt"}  # whose sentences of the sample world are taken
MODELS = {"embedder": {"model": "embedder", "prefix": ""}, "base_model": {"model": "base"}}


@dataclass(frozen=True)
class Told:
    """A row of the page's table: paths under the project, and the form of a line."""

    paths: tuple[str, ...]
    line: dict[str, Any]


def table() -> dict[str, Told]:
    told: dict[str, Told] = {}
    for what, where, row in re.findall(r"^\| ([a-z ]+) \| (`.+`) \| (.+) \|$", PAGE, re.MULTILINE):
        if found := re.search(r"`(\{.*\})`", row):
            line = json.loads(found[1])
        else:
            assert row == "the same"
        told[what] = Told(tuple(re.findall(r"`([^`]+)`", where)), line)
    return told


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def records(path: Path) -> list[dict[str, Any]]:
    """Lines of a JSONL file, or of all below a folder."""
    files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    return [json.loads(x) for file in files for x in file.read_text("utf-8").splitlines()]


def corpus(folder: Path, form: dict[str, Any]) -> list[dict[str, Any]]:
    asked, answered = form  # two keys, whatever the page calls them
    rows = [conversation_of(record).exchanges[-1] for record in records(folder)]
    return [{asked: exchange[0], answered: exchange[1]} for exchange in rows]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def put_into_place(project: Path, world: Path) -> None:
    """Files where the page's table says, of lines in the form that it gives."""
    told = table()
    logs = told["what users ask"]
    rows = [{key: row[key] for key in logs.line} for row in records(world / "logs" / LIKE[TAG])]
    write(project / logs.paths[0], rows)
    training = told["training data"]
    rows = corpus(world / "corpora/training" / LIKE[TAG], training.line)
    write(project / training.paths[0], rows)
    auxiliary = told["auxiliary data"]
    for path in auxiliary.paths:
        tag = Path(path).name
        place = project / auxiliary.paths[0].replace("/en/", f"/{tag}/") / "any-name.jsonl"
        write(place, corpus(world / "corpora/auxiliary" / LIKE[tag], auxiliary.line))
    items = told["benchmark items"]
    first = Path(items.paths[0])
    for name in (first.name, Path(items.paths[1]).name):
        source = world / "benchmarks/world_qa" / LIKE[TAG] / name
        rows = [{key: row[key] for key in items.line} for row in records(source)]
        write(project / first.with_name(name), rows)


def change_settings(project: Path) -> None:
    """The page's three changes, with the shipped models in the place of the named ones."""
    yaml = YAML()
    (changes,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    values = yaml.load((project / "compass.yaml").read_text(encoding="utf-8"))
    for section, settings in yaml.load(changes).items():
        ours = MODELS.get(section, {})
        assert set(settings) >= set(ours)
        if "model" in ours:
            ours = {**ours, "model": str(ROOT / "data/models" / ours["model"])}
        values[section].update({**settings, **ours})
    values["ingest"]["settle_s"] = 0
    with (project / "compass.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


def call(words: list[str]):
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


@pytest.mark.slow
def test_the_page_leads_from_an_empty_folder_to_the_gap_report(tmp_path, monkeypatch, open_at):
    (activate, init, cd, *rest) = commands()
    assert activate == ["source", ".venv/bin/activate"]  # then the shell finds the command
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPASS_PROJECT", raising=False)
    assert call(init[1:]).exit_code == 0
    assert cd == ["cd", init[-1]]
    project = tmp_path / cd[1]
    monkeypatch.chdir(project)
    change_settings(project)
    write_sample_project(tmp_path / "world", seed=5, scale=0.12)
    put_into_place(project, tmp_path / "world")

    doctor = call(["doctor", "--json"])
    assert doctor.exit_code == 0, doctor.output
    found = {f["subject"]: f for f in json.loads(doctor.output)}
    inputs = [f for subject, f in found.items() if subject.startswith(("input", "benchmark"))]
    assert [f for f in inputs if f["level"] != "ok"] == []

    open_at(project).runner().materialize([TAG], ancestors("gap_report"))

    gaps = json.loads(call(["gaps", TAG, "--json"]).output)
    assert any(row["gap"] > 0 for row in gaps)
    listed = call(["quarantine", "list", "--json"])
    assert json.loads(listed.output) == [], "lines in the page's forms are all taken"
    for words in rest:
        if words[:2] in (["compass", "query"], ["compass", "gaps"], ["compass", "quarantine"]):
            done = call(words[1:])
            assert done.exit_code == 0, done.output
    assert {tuple(words[:2]) for words in rest} >= {("compass", "query"), ("compass", "doctor")}
