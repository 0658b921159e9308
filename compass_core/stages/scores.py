"""Scores of one adapter version, summed up."""

from typing import Any

import polars as pl

from compass_core import layout
from compass_core.benchmarks.stats import accuracy, paired_comparison
from compass_core.hashing import version_of_set
from compass_core.workspace import Workspace


def summarise_scores(
    ws: Workspace, language: str, version: str
) -> tuple[dict[str, Any], pl.DataFrame, str]:
    """Overall figures (per cent, paired on the same items), a table by suite, the data version."""
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
    per_suite = []
    for (suite, model), part in frame.group_by("suite", "model", maintain_order=True):
        figure = accuracy(part["correct"].to_numpy())
        generated = part.filter(pl.col("response").is_not_null())
        failed = int(generated["extracted"].is_null().sum())
        per_suite.append(
            {
                "suite": suite,
                "model": model,
                "items": part.height,
                "accuracy": figure.accuracy,
                "low": figure.low,
                "high": figure.high,
                "no_answer_found": failed,
                "no_answer_percent": (
                    100 * failed / generated.height if generated.height else None
                ),
            }
        )
    table = pl.DataFrame(
        per_suite,
        schema={
            "suite": pl.String,
            "model": pl.String,
            "items": pl.Int64,
            "accuracy": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
            "no_answer_found": pl.Int64,  # of the generated answers, those with none in them
            "no_answer_percent": pl.Float64,  # null where choices were scored
        },
    ).sort("suite", "model")
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
