"""What the gate asks of a new version, question by question, on scores that are written down."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.adapters import registry
from compass_core.config.schema import Project
from compass_core.stages import gate
from compass_core.stages.update import HISTORY_FILE
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


def asked(count, right=True, start=0, **fields):
    """One answer of the adapter to each of the items start..start+count."""
    numbers = range(start, start + count)
    return [("adapter", str(i), {"correct": right, **fields}) for i in numbers]


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


def test_versions_are_compared_on_the_same_items_only(ws):
    put(ws, "v0001", asked(300))
    put(ws, "v0002", [*asked(1), *asked(299, right=False, start=1)])
    found = gate._benchmark(ws, "sw", "v0002", "v0001")
    assert not found.passed
    assert found.figure < -99
    # Of what the new version was asked, the serving one has been asked one item.
    put(ws, "v0001", [*asked(1), *asked(299, start=500)])
    found = gate._benchmark(ws, "sw", "v0002", "v0001")
    assert (found.passed, found.figure, found.extra["items"]) == (False, None, 1)
    assert "of the 300 benchmark items of v0002, 1 were asked of v0001" in found.text
    assert "job evaluate" in found.todo


def test_a_few_items_may_have_come_or_gone(ws):
    put(ws, "v0001", asked(300))
    put(ws, "v0002", asked(300, start=15))
    found = gate._benchmark(ws, "sw", "v0002", "v0001")
    assert (found.passed, found.extra["items"]) == (True, 285)


@pytest.mark.parametrize("fields", [{"task": "local/letters"}, {"task_version": "2"}, {"shots": 5}])
def test_an_item_that_is_asked_in_another_way_is_another_item(ws, fields):
    put(ws, "v0001", asked(20))
    put(ws, "v0002", asked(20, **fields))
    assert not gate._benchmark(ws, "sw", "v0002", "v0001").passed
    put(ws, "v0001", asked(20, **fields))
    assert gate._benchmark(ws, "sw", "v0002", "v0001").passed


def test_items_without_shots_are_the_same_items(ws):
    for version in ("v0001", "v0002"):
        put(ws, version, asked(20, shots=None))
    assert gate._benchmark(ws, "sw", "v0002", "v0001").extra["items"] == 20


@pytest.fixture
def remembered(ws):
    """v0001, which keeps the rows given to it as (row, held); v0002 was not measured against it."""

    def make(rows):
        history = pl.DataFrame(
            [
                dict.fromkeys(records.HISTORY)
                | {"row_id": row, "prompt": row, "response": "a", "cluster_id": 0, "held": held}
                for row, held in rows
            ],
            schema=records.HISTORY,
        )
        folder, memory = ws.store.scratch_dir("adapter"), ws.store.scratch_dir("memory")
        (folder / "lineage.json").write_text('{"history_usage_rows": {"0": 5}}')
        history.write_parquet(memory / HISTORY_FILE)
        registry.publish(ws.store, "sw", folder, {"weights_version": "a"}, memory)
        empty = records.empty(records.RETENTION)
        ws.store.write_parquet(layout.retention("sw", "v0002"), empty)

    return make


def test_forgetting_passes_unmeasured_where_the_serving_version_held_out_nothing(ws, remembered):
    remembered([("a", False), ("b", False)])
    found = gate._forgetting(ws, "sw", "v0002", "v0001")
    assert found.passed
    assert "not measured: v0001 held out no row" in found.text


def test_forgetting_fails_unmeasured_where_it_held_out_something(ws, remembered):
    remembered([("a", False), ("b", True)])
    found = gate._forgetting(ws, "sw", "v0002", "v0001")
    assert not found.passed
    assert "job retrain" in found.todo


def lost(count):
    """300 items of which the last ones are wrong."""
    return [*asked(300 - count), *asked(count, right=False, start=300 - count)]


@pytest.fixture
def served(ws):
    """v0001 to v0004, each a little worse than the one before; the first three have served."""
    for number, wrong in enumerate((0, 3, 6, 9), start=1):
        version = f"v000{number}"
        folder = ws.store.scratch_dir("adapter")
        registry.publish(ws.store, "sw", folder, {"weights_version": version})
        put(ws, version, lost(wrong))
        if number < 4:
            registry.promote(ws.store, "sw", version, "within the margin")
    return ws


def test_losses_within_the_margin_add_up_to_one_beyond_it(served):
    assert gate._benchmark(served, "sw", "v0004", "v0003").passed
    found = gate._slow_loss(served, "sw", "v0004", "v0003")
    assert (found.passed, found.figure, found.extra["reference"]) == (False, -3.0, "v0001")
    put(served, "v0004", lost(3))
    assert gate._slow_loss(served, "sw", "v0004", "v0003").passed


def test_what_chance_gives_against_the_best_of_many_is_no_slow_loss(served):
    # Ten points lost and seven won: below the margin, and nothing that can be told from luck.
    put(served, "v0001", [*asked(290), *asked(10, right=False, start=290)])
    put(served, "v0002", lost(10))
    put(served, "v0004", [*asked(16, right=False), *asked(284, start=16)])
    found = gate._slow_loss(served, "sw", "v0004", "v0003")
    assert (found.passed, found.figure) == (True, -2.0)


def test_versions_asked_other_items_and_those_before_a_persons_decision_do_not_count(served):
    put(served, "v0001", asked(300, task="local/letters"))
    assert gate._slow_loss(served, "sw", "v0004", "v0003").extra["reference"] == "v0002"
    put(served, "v0001", lost(0))
    registry.promote(served.store, "sw", "v0003", "good enough", forced=True)
    found = gate._slow_loss(served, "sw", "v0004", "v0003")
    assert (found.passed, found.figure) == (True, None)
