"""What drift is measured against where dev items stand in for usage, or are a part of it."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from compass_core import layout, records
from compass_core.adapters import registry
from compass_core.config.schema import Project
from compass_core.manifests import Manifest
from compass_core.stages import drift, drift_answer, drift_rows
from compass_core.storage import Store
from compass_core.workspace import Workspace

FIRST = date(2026, 1, 1)
DAYS, TRAINED, A_DAY = 9, 5, 60
MODEL = SimpleNamespace(cluster_ids=np.arange(4))


def opened(folder, source, usage=(0, 1), later=(0, 1)):
    """Days of logs in the clusters `usage`, from the day after training in `later`; dev items in
    the clusters 2 and 3. A row's content hash says where it lies."""
    project = {"languages": {"targets": ["sw"]}, "usage": {"source": source}}
    settings = Project.model_validate(project)
    ws = Workspace(folder, settings, settings, Store(folder / "store"))
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    for n, day in enumerate(days):
        clusters = usage if n < TRAINED else later
        rows = [
            dict.fromkeys(records.USAGE)
            | {"row_id": f"{day}-{i}", "day": day, "prompt": "p", "content_hash": str(c)}
            for i, c in enumerate(clusters * (A_DAY // len(clusters)))
        ]
        frame = pl.DataFrame(rows, schema=records.USAGE)
        ws.store.write_parquet(layout.usage_day("sw", day.isoformat()), frame)
    book = {day.isoformat(): {"rows": A_DAY, "version": "x"} for day in days}
    ws.store.write_json(layout.usage_days("sw"), book)
    ws.store.write_json(layout.window("sw"), {"days": list(book)})
    items = [
        dict.fromkeys(records.BENCHMARK)
        | {"item_id": f"dev-{i}", "split": "dev", "content_hash": str(2 + i % 2)}
        for i in range(200)
    ]
    ws.store.write_parquet(layout.benchmark("sw"), pl.DataFrame(items, schema=records.BENCHMARK))
    clusters = pl.DataFrame([{**dict.fromkeys(records.CLUSTERS)}], schema=records.CLUSTERS)
    ws.store.write_parquet(layout.clusters("sw"), clusters)
    return ws


@pytest.fixture
def measured(monkeypatch):
    """The report on the newest day for a version that was trained on the first days' logs."""

    def placed(ws, model, rows):
        return rows.with_columns(pl.col("content_hash").cast(pl.Int64).alias("cluster_id"))

    def measure(ws, logs=True):
        last = FIRST + timedelta(days=TRAINED - 1)
        days = (str(FIRST), str(last)) if logs else ("None", "None")
        record = dict(zip(("usage_first_day", "usage_last_day"), days, strict=True))
        monkeypatch.setattr(drift, "lineage", lambda *_: record | {"cluster_model": "m"})
        return drift.measure_drift(ws, "sw")[0]

    monkeypatch.setattr(drift_rows, "placed", placed)
    monkeypatch.setattr(drift_rows, "_with_vectors", lambda ws, rows: rows)
    for name, stand_in in {
        "placed": placed,
        "serving": lambda *_: "v0001",
        "load_model": lambda *_: MODEL,
        "same_space": lambda *_: True,
        "_examples": lambda *_: [],
    }.items():
        monkeypatch.setattr(drift, name, stand_in)
    return measure


@pytest.mark.parametrize("source", ["logs", "blend", "proxy"])
def test_quiet_logs_do_not_drift_from_logs_whatever_dev_items_stood_in(tmp_path, measured, source):
    report = measured(opened(tmp_path, source))
    assert report["verdict"] == "no_drift", report["reason"]
    assert report["anchor_rows"] == TRAINED * A_DAY
    assert report["jsd_bits"] == 0


@pytest.mark.parametrize("source", ["logs", "blend"])
def test_logs_that_move_to_what_the_dev_items_ask_drift(tmp_path, measured, source):
    assert measured(opened(tmp_path, source, later=(2, 3)))["verdict"] == "drift"


def test_the_distance_from_dev_items_is_reported_and_is_no_drift(tmp_path, measured):
    report = measured(opened(tmp_path, "proxy"), logs=False)
    assert report["verdict"] == "insufficient_data"
    assert "trained for benchmark dev items and no logs" in report["reason"]
    assert (report["anchor_rows"], report["jsd_bits"]) == (200, 1.0)
    assert (report["moved_clusters"], report["p_month"] < 0.01) == ([], True)


def test_an_anchor_that_was_kept_with_both_kinds_loses_the_dev_items(tmp_path, measured):
    ws = opened(tmp_path, "blend")
    logged = [f"{FIRST}-{i}" for i in range(A_DAY)]
    kept = pl.DataFrame({"row_id": [*logged, "dev-0", "dev-1"]}).with_columns(
        pl.Series("cluster_id", [*[0, 1] * (A_DAY // 2), 2, 3]),
        pl.lit(None, pl.String).alias("user_hash"),
    )
    ws.store.write_parquet(layout.drift_anchor("sw", "v0001"), kept)
    assert measured(ws)["anchor_rows"] == A_DAY
    assert measured(ws)["anchor_rows"] == A_DAY


@pytest.mark.parametrize(("source", "wanted"), [("logs", True), ("blend", True), ("proxy", False)])
def test_an_update_that_would_not_be_made_for_logs_is_not_asked_for(tmp_path, source, wanted):
    ws = opened(tmp_path, source)
    folder = ws.store.scratch_dir("adapter")
    registry.publish(ws.store, "sw", folder, {"weights_version": "a"})
    registry.promote(ws.store, "sw", "v0001", "first")
    facts = {"verdict": "drift", "adapter_version": "v0001", "window_last_day": "2026-01-09"}
    ws.manifests.put(Manifest("drift_report", "sw", "r1", "c", facts=facts))
    found = drift_answer.standing(ws, "sw")
    assert found.wanted is wanted, found.why
    assert ("usage.source: proxy" in found.why) is not wanted
