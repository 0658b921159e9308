"""A version beside everything it can be compared with: base model, other versions, strategies."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from compass_core.benchmarks.stats import accuracy, mean_interval, wilson_interval

BASELINES = pl.Schema(
    {
        "suite": pl.String,  # ALL: every suite together
        "model": pl.String,
        "kind": pl.String,  # base | version | strategy
        "items": pl.Int64,
        "accuracy": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "no_answer_found": pl.Int64,  # of the generated answers, those with none in them
        "no_answer_percent": pl.Float64,  # null where choices were scored
    }
)
ALL = "all suites"


def baselines(
    scores: pl.DataFrame, comparisons: pl.DataFrame, versions: Sequence[str]
) -> pl.DataFrame:
    """Accuracies with 95 % intervals (BASELINES): base model, `versions` in order, strategies.

    `scores` is records.SCORES of several versions; the base model counts once an item.
    `comparisons` (records.COMPARISONS) holds accuracies over all suites, of adapters of their own:
    with one seed the interval is Wilson's over items, with more it is over seeds.
    """
    rows = []
    suites = scores["suite"].unique().sort().to_list()
    whole = suites[0] if len(suites) == 1 else ALL
    for suite in suites if len(suites) == 1 else [*suites, ALL]:
        mine = scores if suite == ALL else scores.filter(pl.col("suite") == suite)
        base = mine.filter(pl.col("model") == "base").unique(
            ["suite", "item_id"], keep="last", maintain_order=True
        )
        rows.append(_row(suite, "base", "base", base))
        for version in versions:
            part = mine.filter(
                (pl.col("model") == "adapter") & (pl.col("adapter_version") == version)
            )
            rows.append(_row(suite, version, "version", part))
    for named, runs in comparisons.group_by("strategy", maintain_order=True):
        rows.append(_strategy(whole, str(named[0]), runs))
    return pl.DataFrame([row for row in rows if row["items"]], schema=BASELINES)


def _row(suite: str, model: str, kind: str, part: pl.DataFrame) -> dict[str, Any]:
    figure = accuracy(part["correct"].to_numpy())
    generated = part.filter(pl.col("response").is_not_null())
    failed = int(generated["extracted"].is_null().sum())
    return {
        "suite": suite,
        "model": model,
        "kind": kind,
        "items": part.height,
        "accuracy": figure.accuracy,
        "low": figure.low,
        "high": figure.high,
        "no_answer_found": failed,
        "no_answer_percent": 100 * failed / generated.height if generated.height else None,
    }


def _strategy(suite: str, name: str, runs: pl.DataFrame) -> dict[str, Any]:
    items, seeds = int(runs["items"][0]), runs.height
    if seeds > 1:
        middle, low, high = mean_interval(runs["accuracy"].to_numpy())
    else:
        middle = float(runs["accuracy"][0])
        low, high = wilson_interval(round(middle * items), items)
    return {
        "suite": suite,
        "model": f"{name}, {seeds} seed" + ("s" if seeds > 1 else ""),
        "kind": "strategy",
        "items": items,
        "accuracy": middle,
        "low": low,
        "high": high,
        "no_answer_found": None,
        "no_answer_percent": None,
    }
