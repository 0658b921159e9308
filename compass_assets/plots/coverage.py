"""Usage against the training data before and after sampling: did the mix come closer?"""

from typing import Any

import polars as pl

from compass_assets.plots.style import MIX, TRAINING, USAGE, picture

MOST = 30


def coverage_plot(gaps: pl.DataFrame, selected: pl.DataFrame, unit: str) -> str:
    """Three shares a cluster: asked, covered by the corpus, covered by corpus and sample.

    `gaps` is records.GAPS, `selected` records.SELECTIONS with training and auxiliary rows, `unit`
    tokens or rows.
    """
    shares = coverage(gaps, selected, unit)
    return picture("usage against the mix", lambda axes: draw_coverage(axes, shares), height_in=3.4)


def coverage(gaps: pl.DataFrame, selected: pl.DataFrame, unit: str) -> pl.DataFrame:
    """cluster_id, p_usage, before, after: shares of the supervised tokens (or rows) a cluster."""
    amount = pl.col("supervised_tokens").sum() if unit == "tokens" else pl.len()

    def share(rows: pl.DataFrame, name: str) -> pl.DataFrame:
        counted = rows.group_by("cluster_id").agg(amount.cast(pl.Float64).alias(name))
        return counted.with_columns(pl.col(name) / pl.col(name).sum())

    before = share(selected.filter(pl.col("origin") == "training"), "before")
    after = share(selected, "after")
    found = gaps.select("cluster_id", "p_usage")
    for part in (before, after):
        found = found.join(part, on="cluster_id", how="left")
    return found.with_columns(pl.col("before", "after").fill_null(0.0)).sort(
        "p_usage", descending=True
    )


def draw_coverage(axes: Any, shares: pl.DataFrame) -> None:
    top = shares.head(MOST)
    places = list(range(top.height))
    axes.bar(places, top["p_usage"], width=0.8, color=USAGE, alpha=0.35, label="asked")
    axes.plot(places, top["before"], "o", color=TRAINING, ms=4, label="corpus alone")
    axes.plot(places, top["after"], "o", color=MIX, ms=4, label="corpus and sample")
    for place, old, new in zip(places, top["before"], top["after"], strict=True):
        axes.plot([place, place], [old, new], color=MIX, lw=1, alpha=0.6)
    axes.set_xticks(places, [str(c) for c in top["cluster_id"]], fontsize=7, rotation=90)
    axes.set_xlabel("cluster")
    axes.set_ylabel("share")
    axes.legend(fontsize=8)
    axes.set_title("Usage against training data, before and after sampling")
