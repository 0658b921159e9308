"""What the gate asks of a new version, question by question, on scores that are written down."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.config.schema import Project
from compass_core.stages import gate
from compass_core.storage import Store
from compass_core.workspace import Workspace


@pytest.fixture
def ws(tmp_path):
    settings = Project.model_validate({"languages": {"targets": ["sw"]}})
    return Workspace(tmp_path, settings, settings, Store(tmp_path / "store"))


def put(ws, version, rows):
    """Scores of a version: (model, item, fields that differ from a right answer, local, cloze)."""
    fixed = {
        "language": "sw",
        "suite": "qa",
        "correct": True,
        "task": "local/cloze",
        "task_version": "1",
        "shots": 0,
    }
    frame = pl.DataFrame(
        [
            dict.fromkeys(records.SCORES) | fixed | {"model": model, "item_id": item} | fields
            for model, item, fields in rows
        ],
        schema=records.SCORES,
    )
    ws.store.write_parquet(layout.scores("sw", version), frame)


def generated(adapter, base):
    answers = {"adapter": adapter, "base": base}
    return [
        (model, str(i), {"task": "oneruler/cwe", "shots": None, "response": text})
        for model, texts in answers.items()
        for i, text in enumerate(texts)
    ]


def test_generated_answers_are_compared_as_texts(ws):
    put(ws, "v0001", generated(["x", "y"], ["x", "z"]))
    found = gate._differs(ws, "sw", "v0001", None)
    assert (found.passed, found.figure, found.unit) == (True, 1.0, "answers")
    assert "1 of 2 generated answers differ" in found.text
    put(ws, "v0001", generated(["x", "y"], ["x", "y"]))
    same = gate._differs(ws, "sw", "v0001", None)
    assert not same.passed
    assert "kind: local" in same.todo


def test_log_likelihoods_decide_where_there_are_any(ws):
    both = generated(["x"], ["other"])
    put(ws, "v0001", [*both, ("adapter", "c", LIKE_BASE), ("base", "c", LIKE_BASE)])
    found = gate._differs(ws, "sw", "v0001", None)
    assert (found.passed, found.figure) == (False, 0.0)
    changed = {"logliks": [-1.0, -2.5]}
    put(ws, "v0001", [*both, ("adapter", "c", changed), ("base", "c", LIKE_BASE)])
    found = gate._differs(ws, "sw", "v0001", None)
    assert (found.passed, found.figure) == (True, 0.5)


LIKE_BASE = {"logliks": [-1.0, -2.0]}


@pytest.mark.parametrize("rows", [[], [("adapter", "c", LIKE_BASE), ("base", "c", {})]])
def test_where_nothing_can_be_compared_it_fails_and_says_so(ws, rows):
    put(ws, "v0001", rows)
    found = gate._differs(ws, "sw", "v0001", None)
    assert (found.passed, found.figure) == (False, None)
    assert "nothing to compare" in found.text
    assert "benchmarks.suites" in found.todo
