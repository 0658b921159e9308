"""Which versions are scored again before they are compared, and what a decision is held to."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.adapters import registry
from compass_core.config.schema import Project
from compass_core.errors import ServingChanged
from compass_core.findings import Finding
from compass_core.stages import promotion
from compass_core.stages.promotion import decide, promote_by_hand, unscored
from compass_core.storage import Store
from compass_core.workspace import Workspace

LOCAL = {"suite": "qa", "task": "local/cloze", "task_version": "1", "shots": 0}
FAR = {"suite": "far", "task": "oneruler/cwe", "task_version": "1", "shots": 0}
SUITES = [{"name": "qa"}, {"name": "far", "kind": "oneruler"}]


@pytest.fixture
def ws(tmp_path):
    project = {"languages": {"targets": ["sw"]}, "benchmarks": {"suites": SUITES}}
    settings = Project.model_validate(project)
    ws = Workspace(tmp_path, settings, settings, Store(tmp_path / "store"))
    items = [
        dict.fromkeys(records.BENCHMARK)
        | {"item_id": f"i{n}", "language": "sw", "suite": "qa", "split": "test"}
        for n in range(20)
    ]
    ws.store.write_parquet(layout.benchmark("sw"), pl.DataFrame(items, schema=records.BENCHMARK))
    for name in ("a", "b"):
        folder = ws.store.scratch_dir("adapter")
        (folder / "lineage.json").write_text("{}")
        registry.publish(ws.store, "sw", folder, {"weights_version": name})
    return ws


def put(ws, version, items):
    rows = [
        dict.fromkeys(records.SCORES) | {"model": "adapter", "correct": True, "item_id": i} | fields
        for fields, ids in items
        for i in ids
    ]
    frame = pl.DataFrame(rows, schema=records.SCORES)
    ws.store.write_parquet(layout.scores("sw", version), frame)


def local(first=0, last=20, **fields):
    return LOCAL | fields, [f"i{n}" for n in range(first, last)]


def far(*ids, **fields):
    return FAR | fields, ids


def test_a_version_with_scores_of_todays_items_is_not_scored_again(ws):
    put(ws, "v0001", [local(), far("a")])
    assert unscored(ws, "sw", ["v0001", "v0002"]) == ["v0002"]
    put(ws, "v0002", [local(), far("a")])
    assert unscored(ws, "sw", ["v0001", "v0002"]) == []


@pytest.mark.parametrize("stale", [local(0, 10), local(task="local/letters")])
def test_a_version_that_was_asked_other_local_items_is(ws, stale):
    put(ws, "v0001", [stale, far("a")])
    put(ws, "v0002", [local(), far("a")])
    assert unscored(ws, "sw", ["v0001", "v0002"]) == ["v0001"]


@pytest.mark.parametrize("other", [far("b"), far("a", shots=5), far()])
def test_versions_that_were_asked_other_things_elsewhere_are_all_scored_again(ws, other):
    put(ws, "v0001", [local(), other])
    put(ws, "v0002", [local(), far("a")])
    assert unscored(ws, "sw", ["v0001", "v0002"]) == ["v0001", "v0002"]


def test_one_item_that_came_is_no_reason(ws):
    put(ws, "v0001", [local(1, 20)])
    put(ws, "v0002", [local()])
    assert unscored(ws, "sw", ["v0001", "v0002"]) == []


@pytest.fixture
def judged(ws, monkeypatch):
    """A third version, and a gate that lets everything pass but against v0002. Returns what the
    gate is asked about, and what somebody else promotes while it judges."""
    folder = ws.store.scratch_dir("adapter")
    (folder / "lineage.json").write_text("{}")
    registry.publish(ws.store, "sw", folder, {"weights_version": "c"})
    asked, lands = [], []

    def judge(ws, language, candidate, reference):
        asked.append((candidate, reference))
        if lands:
            registry.promote(ws.store, language, lands.pop(), "by somebody else, meanwhile")
        passed = reference != "v0002"
        return [Finding("benchmark_gate", passed, 0.0, 0.0, "points", f"against {reference}")]

    monkeypatch.setattr(promotion, "judge", judge)
    return asked, lands


def test_a_candidate_is_judged_again_against_what_came_to_serve_meanwhile(ws, judged):
    asked, lands = judged
    lands.append("v0001")
    gate = decide(ws, "sw", "v0003")
    assert asked == [("v0003", None), ("v0003", "v0001")]
    assert (gate.promoted, gate.serving, gate.reason) == (True, "v0003", "against v0001")
    last = registry.history(ws.store, "sw")[-1]
    assert (last["from"], last["to"], last["reason"]) == ("v0001", "v0003", "against v0001")


def test_a_candidate_that_fails_against_what_came_to_serve_is_not_promoted(ws, judged):
    asked, lands = judged
    registry.promote(ws.store, "sw", "v0001", "first")
    lands.append("v0002")
    gate = decide(ws, "sw", "v0003")
    assert asked == [("v0003", "v0001"), ("v0003", "v0002")]
    assert (gate.promoted, gate.serving) == (False, "v0002")


def test_a_person_is_told_that_another_version_serves_by_now(ws, judged):
    _, lands = judged
    registry.promote(ws.store, "sw", "v0001", "first")
    lands.append("v0002")
    with pytest.raises(ServingChanged, match=r"judged against v0001, but v0002 serves by now"):
        promote_by_hand(ws, "sw", "v0003", force=True, reason="I know")
    assert registry.serving(ws.store, "sw") == "v0002"
