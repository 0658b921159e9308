"""The two samples that drift compares: prompts an adapter was trained for, and prompts since."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.clusters.assign import OWN_BUCKET, assign
from compass_core.clusters.model import ClusterModel
from compass_core.drift.sample import Sample, number_users
from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore
from compass_core.stages import frames
from compass_core.stages.clusters import TABLE_OF_ROLE, vectors_of
from compass_core.workspace import Workspace


@dataclass(frozen=True)
class Span:
    """Calendar days, both ends included."""

    first: date
    last: date


def anchor_span(record: dict[str, Any]) -> Span | None:
    """Days of usage in an adapter's lineage record; None where it was trained for no logs."""
    try:
        return Span(
            date.fromisoformat(record["usage_first_day"]),
            date.fromisoformat(record["usage_last_day"]),
        )
    except ValueError:
        return None


def window_spans(
    ws: Workspace, language: str, anchor: Span | None, reported: set[date]
) -> list[Span]:
    """Windows to report on, oldest first: one for each logged day without a report, newest last.

    A window ends at a logged day and holds the `drift.window_days` up to it, as far as they lie
    after the anchor: days that the adapter was trained for are no evidence of a change since. The
    newest day is always among them, so that late rows are seen. Only days of the usage window can
    be reported on; older ones may have no vectors.
    """
    manifest: dict[str, Any] = ws.store.read_json(layout.window(language))
    logged = sorted(date.fromisoformat(day) for day in manifest["days"])
    since = [day for day in logged if anchor is None or day > anchor.last]
    spans = []
    for last in since:
        if last in reported and last != since[-1]:
            continue
        first = max(last - timedelta(days=ws.project.drift.window_days - 1), since[0])
        spans.append(Span(first, last))
    return spans


def placed(ws: Workspace, model: ClusterModel, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a column cluster_id: the nearest cluster, or OWN_BUCKET outside all of them."""
    if not rows.height:
        return rows.with_columns(pl.lit(OWN_BUCKET, pl.Int64).alias("cluster_id"))
    found = assign(model, vectors_of(ws, "usage", rows), "nearest")
    ids = np.where(found.off_target, OWN_BUCKET, found.cluster_ids)
    return rows.with_columns(pl.Series("cluster_id", ids, dtype=pl.Int64))


def anchor_rows(
    ws: Workspace, language: str, version: str, span: Span | None, model: ClusterModel
) -> pl.DataFrame:
    """row_id, cluster_id, user_hash and role of each prompt that a version was trained for.

    Logged prompts (role usage) where there were any: windows are logs, and next to them benchmark
    items that stood in for usage would be a difference without a change. Else these items (role
    proxy), which say how far the logs are from them and nothing about a change.

    Placed once, when the version is first looked at, and kept: later reports cost the new rows
    only, and rows that arrive late for the anchor's days do not move it.
    """
    key = layout.drift_anchor(language, version)
    kept = ws.store.read_parquet(key) if ws.store.exists(key) else None
    if kept is not None and "role" in kept.columns:
        return kept
    columns = ["row_id", "content_hash", "user_hash"]
    logged = records.empty(records.USAGE).select(columns)
    if span is not None:
        logged = frames.usage_rows_between(ws, language, span.first, span.last).select(columns)
    if kept is not None:
        kept = _one_role(ws, kept, logged)  # placed when both kinds were kept as one
    else:
        rows = _with_vectors(ws, logged.with_columns(pl.lit("usage").alias("role")))
        if not rows.height and frames.uses_proxy(ws):
            items = frames.proxy_rows(ws, language).with_columns(
                pl.lit(None, pl.String).alias("user_hash"), pl.lit("proxy").alias("role")
            )
            rows = _with_vectors(ws, items.select(*columns, "role"))
        kept = placed(ws, model, rows).select("row_id", "cluster_id", "user_hash", "role")
    ws.store.write_parquet(key, kept)
    return kept


def stands_in(anchor: pl.DataFrame) -> bool:
    """Whether an anchor is of benchmark items, because the version was trained for no logs."""
    return anchor.height > 0 and "usage" not in anchor["role"]


def _one_role(ws: Workspace, anchor: pl.DataFrame, logged: pl.DataFrame) -> pl.DataFrame:
    is_logged = pl.lit(True)
    if frames.uses_proxy(ws):
        is_logged = pl.col("row_id").is_in(logged["row_id"].to_list())
    role = pl.when(is_logged).then(pl.lit("usage")).otherwise(pl.lit("proxy")).alias("role")
    told = anchor.with_columns(role)
    of_logs = told.filter(pl.col("role") == "usage")
    return of_logs if of_logs.height else told


def samples(
    model: ClusterModel, window: pl.DataFrame, anchor: pl.DataFrame
) -> tuple[Sample, Sample]:
    """Both as samples over the model's clusters in its order and, last, what is outside."""
    ids = [*model.cluster_ids.tolist(), OWN_BUCKET]
    place = {int(cluster): i for i, cluster in enumerate(ids)}
    users = number_users(window["user_hash"].to_list(), anchor["user_hash"].to_list())
    made = [
        Sample(
            np.array([place[cluster] for cluster in frame["cluster_id"]], dtype=np.int64),
            numbers,
            len(ids),
        )
        for frame, numbers in zip((window, anchor), users, strict=True)
    ]
    return made[0], made[1]


def same_space(ws: Workspace, model: ClusterModel) -> bool:
    """Whether today's embedder is the one that the model's centroids come from."""
    return embedder_fingerprint(ws.project.embedder, ws.directory) in model.settings_digest


def _with_vectors(ws: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Without rows that came too late to be embedded with their window."""
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    store = VectorStore(ws.store)
    missing = store.missing(TABLE_OF_ROLE["usage"], fingerprint, rows["content_hash"].unique())
    return rows.filter(~pl.col("content_hash").is_in(list(missing)))
