"""The performance signal: the serving model's loss on new prompts against old ones."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import adapter_dir, lineage
from compass_core.drift.performance import Performance, Side, performance
from compass_core.drift.prompt_loss import prompt_losses
from compass_core.drift.sample import number_users
from compass_core.errors import StoreError
from compass_core.hashing import unit_key, version_of
from compass_core.stages import frames
from compass_core.stages.clusters import load_model
from compass_core.stages.drift import read_history
from compass_core.stages.drift_rows import placed
from compass_core.workspace import Workspace

Report = Callable[[str], None]


def measurable(ws: Workspace, language: str, report_version: str) -> str:
    """Why the signal of a drift report cannot be taken, or an empty text. Loads no model."""
    row = _report(ws, language, report_version)
    if ws.project.drift.loss_rows == 0:
        return "drift.loss_rows is 0"
    if not row["window_rows"] or row["anchor_first_day"] is None:
        return "no prompts on both sides to compare"
    return ""


def measure_performance(
    ws: Workspace, language: str, report_version: str, report: Report
) -> dict[str, Any]:
    """Losses on the report's window and on the anchor, over all and by moved cluster.

    At most `drift.loss_rows` prompts of either side, those with the lowest seeded keys. Writes
    records.PERFORMANCE, and returns the overall figures with `data_version` and `clusters`.
    """
    row = _report(ws, language, report_version)
    version = row["adapter_version"]
    window = _sampled(ws, language, row["window_first_day"], row["window_last_day"], "window")
    anchor = _sampled(ws, language, row["anchor_first_day"], row["anchor_last_day"], "anchor")
    losses = prompt_losses(
        [*window["prompt"], *anchor["prompt"]],
        ws.project.base_model,
        adapter_dir(ws.store, language, version),
        ws.project.execution,
        ws.directory,
        ws.project.adapter.max_tokens,
        report,
    )
    is_window = np.arange(window.height + anchor.height) < window.height
    users = np.concatenate(
        number_users(window["user_hash"].to_list(), anchor["user_hash"].to_list())
    )
    model = load_model(ws, language, lineage(ws.store, language, version)["cluster_model"])
    clusters = placed(ws, model, window)["cluster_id"].to_numpy()
    found: list[tuple[int | None, Performance]] = []
    for cluster in [None, *row["moved_clusters"]]:
        kept = np.ones(len(is_window), dtype=bool)
        if cluster is not None:  # its new prompts against all old ones: it may have had none
            kept[: window.height] = clusters == cluster
        part = type(losses)(losses.adapter_nats[kept], losses.base_nats[kept], losses.tokens[kept])
        measured = performance(part, Side(is_window[kept], users[kept]), ws.project.seed)
        if measured is not None:
            found.append((cluster, measured))
    return _keep(ws, language, row, found)


def _report(ws: Workspace, language: str, report_version: str) -> dict[str, Any]:
    rows = read_history(ws, language).filter(pl.col("report_version") == report_version)
    if not rows.height:
        raise StoreError(
            f"no drift report {report_version} of {language} in {layout.drift(language)}; "
            "materialize drift_report first"
        )
    return rows.row(-1, named=True)


def _sampled(ws: Workspace, language: str, first: Any, last: Any, side: str) -> pl.DataFrame:
    rows = frames.usage_rows_between(ws, language, first, last)
    keys = [unit_key(row, ws.project.seed, f"performance-{side}") for row in rows["row_id"]]
    chosen = rows.with_columns(pl.Series("key", keys, dtype=pl.Float64)).sort("key", "row_id")
    return chosen.head(ws.project.drift.loss_rows).sort("row_id")


def _keep(
    ws: Workspace,
    language: str,
    row: dict[str, Any],
    found: list[tuple[int | None, Performance]],
) -> dict[str, Any]:
    names = ("language", "adapter_version", "report_version", "window_last_day")
    fixed = {name: row[name] for name in names} | {"measured_at": datetime.now(UTC)}
    entries = [
        {**fixed, "cluster_id": cluster, **{k: round(v, 9) for k, v in asdict(figures).items()}}
        for cluster, figures in found
    ]
    fresh = pl.DataFrame(entries, schema=records.PERFORMANCE)
    key = layout.performance(language)
    earlier = records.empty(records.PERFORMANCE)
    if ws.store.exists(key):
        earlier = records.widened(ws.store.read_parquet(key), records.PERFORMANCE)
    same = ["adapter_version", "window_last_day"]
    about = pl.DataFrame(
        [{name: row[name] for name in same}],
        schema_overrides={name: records.PERFORMANCE[name] for name in same},
    )
    kept = earlier.join(about, on=same, how="anti", nulls_equal=True)
    ws.store.write_parquet(key, pl.concat([kept, fresh]))
    content = fresh.drop("measured_at").with_columns(pl.col("window_last_day").cast(pl.String))
    overall: dict[str, Any] = next(
        (asdict(figures) for cluster, figures in found if cluster is None), {}
    )
    by_cluster = [{"cluster_id": c, "harm": f.harm} for c, f in found if c is not None]
    return {
        **overall,
        "clusters": by_cluster,
        "data_version": version_of(content.to_dicts()),
    }
