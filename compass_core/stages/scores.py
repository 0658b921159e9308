"""Scores of one adapter version, summed up."""

from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import versions
from compass_core.benchmarks.baselines import baselines
from compass_core.benchmarks.stats import accuracy, paired_comparison
from compass_core.hashing import version_of_set
from compass_core.workspace import Workspace

OTHERS = 4  # latest other versions that a version is shown beside


def summarise_scores(
    ws: Workspace, language: str, version: str
) -> tuple[dict[str, Any], pl.DataFrame, str]:
    """Overall figures (per cent, paired on the same items), baselines.BASELINES, the data version.

    The table holds the base model, the latest other versions that were scored, and the strategies
    that were compared; the data version is that of this version's scores alone.
    """
    frame = ws.store.read_parquet(layout.scores(language, version))
    keys = ["suite", "item_id"]
    adapter = frame.filter(pl.col("model") == "adapter").sort(keys)
    base = frame.filter(pl.col("model") == "base").sort(keys)
    summary: dict[str, Any] = {"items": adapter.height}
    if adapter.height:
        compared = paired_comparison(
            adapter["correct"].to_numpy(), base["correct"].to_numpy(), seed=ws.project.seed
        )
        summary |= {
            "adapter_percent": 100 * accuracy(adapter["correct"].to_numpy()).accuracy,
            "base_percent": 100 * accuracy(base["correct"].to_numpy()).accuracy,
            "lift_points": compared.difference_points,
            "lift_low_points": compared.low_points,
            "lift_high_points": compared.high_points,
            "p_value": compared.p_value,
        }
    table = baselines(*_beside(ws, language, version, frame))
    lines = frame.select(
        pl.format(
            "{}/{}/{}/{}",
            "model",
            "suite",
            "item_id",
            pl.coalesce(pl.col("predicted").cast(pl.String), "response"),
        )
    ).to_series()
    return summary, table, version_of_set([version, *lines])


def _beside(
    ws: Workspace, language: str, version: str, frame: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Scores of a version and the latest others, comparisons, and the versions in their order."""
    known = [name for name in versions(ws.store, language)["version"] if name != version]
    scored = [name for name in known if ws.store.exists(layout.scores(language, name))][-OTHERS:]
    parts = [ws.store.read_parquet(layout.scores(language, name)) for name in scored]
    key = layout.comparison(language)
    compared = ws.store.read_parquet(key) if ws.store.exists(key) else None
    return (
        pl.concat([*parts, frame], how="diagonal_relaxed"),
        records.empty(records.COMPARISONS) if compared is None else compared,
        [*scored, version],
    )
