"""Drift of a language: recent logs against what the serving adapter was trained for."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import lineage, serving
from compass_core.clusters.assign import assign
from compass_core.drift.verdict import drift_verdict
from compass_core.hashing import version_of
from compass_core.stages import frames
from compass_core.stages.clusters import load_model, vectors_of
from compass_core.workspace import Workspace


def measure_drift(ws: Workspace, language: str) -> tuple[dict[str, Any], str]:
    """One report, appended to the language's history; returns it and its data version.

    Measured in the clusters that the serving adapter was trained with, whatever clusters are in
    use by now: only then is a difference the usage's and not the ruler's.
    """
    rows = frames.usage_rows(ws, language, ws.project.drift.window_days)
    version = serving(ws.store, language)
    report: dict[str, Any] = {
        "language": language,
        "measured_at": datetime.now(UTC),
        "window_first_day": rows["day"].min(),
        "window_last_day": rows["day"].max(),
        "window_rows": rows.height,
        "adapter_version": version,
        "anchor_rows": 0,
        "jsd_bits": None,
        "null_mean_bits": None,
        "null_95_bits": None,
        "p_value": None,
        "novel_share": None,
        "verdict": "insufficient_data",
        "moved_clusters": [],
    }
    if version is not None and rows.height:
        report.update(_compare(ws, language, rows, lineage(ws.store, language, version)))
    content = {k: v for k, v in report.items() if k != "measured_at"}
    data_version = version_of({k: str(v) for k, v in content.items()})
    _append(ws, language, report)
    return report, data_version


def _compare(
    ws: Workspace, language: str, rows: pl.DataFrame, record: dict[str, Any]
) -> dict[str, Any]:
    model = load_model(ws, language, record["cluster_model"])
    placed = assign(model, vectors_of(ws, "usage", rows), "nearest")
    position = {int(c): i for i, c in enumerate(model.cluster_ids)}
    window = np.zeros(len(position), dtype=np.int64)
    for cluster in placed.cluster_ids:  # off-target rows too: the anchor counts them as well
        window[position[int(cluster)]] += 1
    anchor = np.zeros(len(position), dtype=np.int64)
    for cluster, count in record["anchor_usage_rows"].items():
        if int(cluster) in position:
            anchor[position[int(cluster)]] = count
    verdict = drift_verdict(
        window,
        anchor,
        int(placed.off_target.sum()),
        int(record["anchor_off_target_rows"]),
        ws.project.drift,
        ws.project.seed,
    )
    return {
        "anchor_rows": int(anchor.sum()),
        "jsd_bits": verdict.jsd_bits,
        "null_mean_bits": verdict.null_mean_bits,
        "null_95_bits": verdict.null_95_bits,
        "p_value": verdict.p_value,
        "novel_share": verdict.novel_share,
        "verdict": verdict.verdict,
        "moved_clusters": [int(model.cluster_ids[i]) for i, _ in verdict.moved_clusters],
    }


def _append(ws: Workspace, language: str, report: dict[str, Any]) -> None:
    key = layout.drift(language)
    fresh = pl.DataFrame([report], schema=records.DRIFT)
    history = ws.store.read_parquet(key) if ws.store.exists(key) else records.empty(records.DRIFT)
    same = ["adapter_version", "window_last_day", "window_rows"]
    # A repeated measurement of the same window replaces the earlier one.
    kept = history.join(fresh.select(same), on=same, how="anti", nulls_equal=True)
    ws.store.write_parquet(key, pl.concat([kept, fresh]).sort("measured_at"))
