"""Whether the drift test keeps its level on the prompts that the adapter was trained for."""

from dataclasses import asdict

import numpy as np
import polars as pl

from compass_core import layout
from compass_core.adapters.registry import lineage, serving
from compass_core.drift.calibration import LEVEL, LOOKS, Calibration, self_looks
from compass_core.hashing import version_of
from compass_core.stages import frames
from compass_core.stages.clusters import load_model
from compass_core.stages.drift_rows import Span, anchor_rows, anchor_span, same_space, samples
from compass_core.workspace import Workspace


def measure_calibration(ws: Workspace, language: str) -> Calibration | None:
    """Looks at halves of the anchor; None where there is none, or too little in it.

    Measured once an anchor and kept: it changes with the adapter that serves, not with the logs.
    """
    version = serving(ws.store, language)
    if version is None:
        return None
    record = lineage(ws.store, language, version)
    model = load_model(ws, language, record["cluster_model"])
    if not same_space(ws, model):
        return None
    span = anchor_span(record)
    rows = anchor_rows(ws, language, version, span, model).drop("role").sort("row_id")
    drift, seed = ws.project.drift, ws.project.seed
    made_from = version_of(
        [[str(row) for row in rows.rows()], drift.min_cluster_shift, seed, LEVEL, LOOKS]
    )
    key = layout.drift_calibration(language, version)
    kept = ws.store.read_json_or_none(key)
    if kept is not None and kept["made_from"] == made_from:
        return None if kept["found"] is None else Calibration(**kept["found"])
    _, anchor = samples(model, rows.clear(), rows)
    found = self_looks(anchor, _units(ws, language, rows, span), drift, seed)
    ws.store.write_json(key, {"made_from": made_from, "found": asdict(found) if found else None})
    return found


def _units(ws: Workspace, language: str, rows: pl.DataFrame, span: Span | None) -> np.ndarray:
    """int64[n]: prompts of one user hang together, and those of no named user by their day."""
    days = pl.DataFrame(schema={"row_id": pl.String, "day": pl.Date})
    if span is not None:
        days = frames.usage_rows_between(ws, language, span.first, span.last).select(
            "row_id", "day"
        )
    joined = rows.join(days, on="row_id", how="left", maintain_order="left")
    names = joined.select(
        pl.coalesce("user_hash", pl.col("day").cast(pl.String), "row_id").alias("name")
    )["name"]
    return names.rank("dense").cast(pl.Int64).to_numpy()
