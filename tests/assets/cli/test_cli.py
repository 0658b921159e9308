"""The console command, as people and cron meet it."""

import json
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compass_assets.cli.main import app
from compass_assets.cli.query_cmd import attainable
from compass_assets.cli.report_cmd import local_page
from compass_core import layout
from compass_core.adapters import registry
from compass_core.config.load import load_project
from compass_core.config.text import PUBLIC_SALT
from compass_core.doctor import examine
from compass_core.storage import Store

runner = CliRunner()


@pytest.fixture
def here(bench, monkeypatch):
    """The command runs in the materialized project."""
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.directory))
    return bench


def run(*words: str):
    return runner.invoke(app, list(words), env={"COLUMNS": "200"})


def test_init_makes_a_project_that_loads_and_refuses_to_overwrite(tmp_path):
    folder = tmp_path / "new"
    assert run("init", str(folder)).exit_code == 0
    assert load_project(folder / "compass.yaml").project.languages.targets == ["sw"]
    for name in ("dagster.yaml", "workspace.yaml", ".gitignore", "data/logs/README.md"):
        assert (folder / name).is_file(), name
    other = tmp_path / "other"
    assert run("init", str(other)).exit_code == 0
    salts = {load_project(at / "compass.yaml").project.ingest.user_salt for at in (folder, other)}
    assert len({*salts, PUBLIC_SALT}) == 3
    again = run("init", str(folder))
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_status_says_fresh_and_exits_with_zero(here):
    done = run("status", "--json")
    rows = json.loads(done.output)
    assert {row["language"]: row["adapter"] for row in rows} == {
        "sw": "fresh",
        "hi": "fresh",
        "ar": "fresh",
    }
    assert done.exit_code == 0
    assert "fresh" in run("status").output


def test_the_sample_project_has_no_problem_and_says_what_could_be_a_target(here):
    rows = json.loads(run("status", "--json").output)
    assert not any("problems" in row for row in rows)
    assert rows[0]["beyond_targets"] == ["th"]
    said = run("status").output
    assert "problem" not in said
    assert "there is training data for th" in said


def test_checks_that_failed_and_stopped_nothing_are_said_where_people_look(here):
    made = here.ws.manifests.require("semantic_clusters", "sw")
    text = "embedder_not_split_by_language: a row's cluster gives away 47 % of its language"
    here.ws.manifests.put(replace(made, warned=[text]))
    (row,) = (r for r in json.loads(run("status", "--json").output) if r["language"] == "sw")
    assert f"sw semantic_clusters: {text}" in row["warnings"]
    some = ("materialize", "--language", "sw", "--select", "usage_window")
    for words in (("status",), ("gaps", "sw"), some):
        assert f"check: sw semantic_clusters: {text}" in run(*words).output
    assert "gives away" not in run("gaps", "hi").output


def test_status_says_which_version_serves(here):
    def shown():
        rows = json.loads(run("status", "--json").output)
        return {row["language"]: (row["version"], row["serving"]) for row in rows}

    served = registry.serving(here.ws.store, "sw")
    assert shown()["sw"] == ("v0001", served)
    registry.promote(here.ws.store, "sw", "v0001", "test")
    assert shown()["sw"] == ("v0001", "v0001")


def test_a_mix_that_no_sample_can_bring_nearer_is_not_called_attainable():
    assert attainable(0.4, 0.1) == "0.100 attainable"
    assert "lower sampling.budget" in attainable(0.002, 0.057)


def test_a_port_that_is_taken_stops_before_anything_runs(here):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("dev", "--port", str(port))
    assert done.exit_code == 1
    assert f"compass dev --port {port + 1}" in done.output


def test_status_names_input_that_waits_and_exits_with_one(here):
    path = here.directory / "data/logs/hi/2026-01-31.jsonl"
    path.write_text('{"timestamp": "2026-01-31T09:00:00Z", "text": "मौसम कैसा है"}\n')
    done = run("status", "--json")
    row = next(row for row in json.loads(done.output) if row["language"] == "hi")
    assert row["waiting"] == ["logs: 1 files"]
    assert done.exit_code == 1


def test_gaps_and_query_in_both_forms(here):
    rows = json.loads(run("gaps", "sw", "--json").output)
    assert rows
    assert [row["gap"] for row in rows] == sorted((row["gap"] for row in rows), reverse=True)
    assert all(row["usage_rows"] > 0 for row in rows)
    said = run("gaps", "swh").output
    assert "not covered" in said
    assert f"{len(rows)} of " in said
    assert "clusters asked about are under-covered" in said
    counted = run("query", "SELECT count(*) AS n FROM selections", "--json")
    assert json.loads(counted.output)[0]["n"] > 0


def test_report_says_where_the_page_is_and_opens_it(here, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    path = Path(run("report", "sw").output.strip())
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not opened
    told = json.loads(run("report", "swh", "--json").output)
    assert told == {"language": "sw", "path": str(path), "state": "fresh"}
    assert run("report", "sw", "--open").exit_code == 0
    assert opened == [path.as_uri()]


def test_report_without_a_browser_or_a_page_says_what_to_do(here, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    done = run("report", "sw", "--open")
    assert (done.exit_code, "by hand" in done.output) == (1, True)
    here.ws.store.delete(layout.manifest("language_report", "sw"))
    done = run("report", "sw")
    assert done.exit_code == 1
    assert "compass materialize --language sw" in done.output


def test_the_page_in_a_bucket_is_copied_here(here):
    remote = Store("memory://reports-test", here.directory / "data" / "cache")
    remote.write_bytes(layout.report("sw"), b"<!doctype html>")
    path = local_page(replace(here.ws, store=remote), "sw")
    assert path.is_relative_to(here.directory / "data")
    assert path.read_bytes() == b"<!doctype html>"


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (("gaps", "th"), 2, "allowed are sw, hi, ar"),
        (("report", "th"), 2, "allowed are sw, hi, ar"),
        (("gaps", "../x"), 2, "is no language tag"),
        (("query", "SELECT * FROM nowhere"), 1, "Views: adapters"),
        (("materialize", "--select", "gaps"), 2, "allowed are auxiliary_corpus"),
        (("materialize", "--set", "sampling.budget=-1"), 2, "sampling.budget: received -1"),
        (("materialize", "--set", "budget"), 2, "key=value"),
        (
            ("export", "sw", "--to", "x", "--format", "llamafactory", "--version", "v0001"),
            2,
            "--version: received v0001",
        ),
        (("quarantine", "export", "books", "sw", "x"), 2, "allowed: auxiliary, training, logs"),
    ],
)
def test_mistakes_get_one_message_and_no_traceback(here, words, status, expected):
    done = run(*words)
    assert done.exit_code == status
    assert expected in done.output
    assert "Traceback" not in done.output


def test_a_broken_project_file_is_named_with_its_line(here):
    text = here.loaded.file.read_text()
    here.loaded.file.write_text(text.replace("rank: 4", "rank: none"))
    done = run("status")
    assert done.exit_code == 2
    assert "adapter.rank: received 'none'" in done.output


def test_doctor_finds_what_is_wrong(here):
    findings = json.loads(run("doctor", "--json").output)
    subjects = {finding["subject"]: finding for finding in findings}
    assert subjects["configuration"]["level"] == "ok"
    assert subjects["store"]["level"] == "ok"
    assert subjects["input logs"]["level"] == "ok"
    assert subjects["benchmark world_qa"]["found"].startswith("sw dev and test")
    assert subjects["benchmark world_qa"]["level"] == "ok"
    text = here.loaded.file.read_text()
    model = here.loaded.project.base_model.model
    here.loaded.file.write_text(text.replace(model, "/nowhere/at/all"))
    done = run("doctor", "--json")
    assert done.exit_code == 1
    wrong = [f["subject"] for f in json.loads(done.output) if f["level"] == "error"]
    assert wrong == ["base model"]


def test_doctor_counts_files_and_splits(tmp_path):
    folder = tmp_path / "new"
    assert run("init", str(folder)).exit_code == 0
    places = {
        "input auxiliary": "data/corpora/auxiliary/en",
        "input training": "data/corpora/training/sw",
        "input logs": "data/logs/sw",
        "benchmark world_qa": "data/benchmarks/world_qa/sw",
    }
    for place in places.values():
        (folder / place).mkdir(parents=True)

    def found():
        return {f.subject: f for f in examine(folder / "compass.yaml") if f.subject in places}

    for subject, finding in found().items():
        assert finding.level == "warn", subject
        assert places[subject] in finding.advice
    for place in places.values():
        for name in ("dev", "test"):
            (folder / place / f"{name}.jsonl").write_text("{}\n")
    assert {f.level for f in found().values()} == {"ok"}
    assert found()["input training"].found == "files: sw 2"
    (folder / places["benchmark world_qa"] / "test.jsonl").unlink()
    lacking = found()["benchmark world_qa"]
    assert lacking.found == "sw dev"
    assert "put test.jsonl into" in lacking.advice


def test_quarantined_rows_are_exported_fixed_and_replayed(here):
    folder = here.directory / "data/corpora/training/sw"
    bad = '{"prompt": "Mbuzi anakula nini?", "response": "nyasi"'
    (folder / "broken.jsonl").write_text(bad + "\n", encoding="utf-8")
    assert here.run("ingest_training", "sw").success
    assert here.ws.manifests.require("training_corpus", "sw").facts["reasons"]["bad_json"] == 1
    listed = json.loads(run("quarantine", "list", "--json").output)
    assert {"corpus": "training", "language": "sw", "reason": "bad_json", "rows": 1} in listed
    file = here.directory / "fix.jsonl"
    assert "1 rows written" in run("quarantine", "export", "training", "sw", str(file)).output
    row = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**row, "fixed": bad + "}"}), encoding="utf-8")
    assert "1 corrected" in run("quarantine", "replay", "training", "sw", str(file)).output
    before = here.ws.manifests.require("training_corpus", "sw").facts
    assert here.run("ingest_training", "sw").success
    after = here.ws.manifests.require("training_corpus", "sw").facts
    assert after["rows_read"] == before["rows_read"]
    assert after["rows_accepted"] == before["rows_accepted"] + 1
    assert after["rows_quarantined"] == before["rows_quarantined"] - 1


def test_a_second_materialize_does_nothing(bench):
    outcome = bench.runner().materialize()
    assert outcome.runs == 0


def test_materialize_after_a_log_file_touches_one_language(bench):
    path = bench.directory / "data/logs/ar/2026-01-31.jsonl"
    path.write_text('{"timestamp": "2026-01-31T09:00:00Z", "text": "كيف الطقس اليوم"}\n')
    outcome = bench.runner().materialize()
    assert outcome.assets
    assert not [name for name in outcome.assets if "[sw]" in name or "[hi]" in name]
    assert "adapter[ar]" in outcome.assets


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = (
        "import sys; import compass_assets.cli.main;"
        "print([m for m in ('dagster', 'torch', 'polars', 'duckdb') if m in sys.modules])"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", f"{time.monotonic() - started:.1f} s"


def test_the_logs_are_taken_when_they_are_selected(here):
    path = here.directory / "data/logs/hi/2026-01-31.jsonl"
    path.write_text('{"timestamp": "2026-01-31T09:00:00Z", "text": "मौसम कैसा है"}\n')
    done = run("materialize", "--language", "hi", "--select", "usage_logs")
    assert done.exit_code == 0, done.output
    assert "2026-01-31" in here.ws.store.read_json("corpora/usage/hi/days.json")
    done = run("materialize", "--select", "auxiliary_corpus", "--json")
    assert done.exit_code == 0, done.output
    assert "auxiliary_corpus" in done.output


def test_init_says_the_path_of_a_command_that_the_shell_would_not_find(tmp_path, monkeypatch):
    command = tmp_path / "venv" / "bin" / "compass"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command), "init"])
    monkeypatch.setenv("PATH", "/usr/bin")
    assert f"{command} doctor" in run("init", str(tmp_path / "one")).output.replace("\n", "")
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin")
    assert "&& compass doctor" in run("init", str(tmp_path / "two")).output.replace("\n", "")
