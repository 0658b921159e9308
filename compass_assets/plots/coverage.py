"""Usage against the training data before and after sampling: did the mix come closer?"""

from typing import Any

import polars as pl

from compass_assets.plots.names import cluster_name
from compass_assets.plots.style import MIX, TRAINING, USAGE, per_cent, picture
from compass_core.gaps.hosts import shares, standing

MOST = 30


def coverage_plot(gaps: pl.DataFrame, selected: pl.DataFrame, unit: str) -> str:
    """Three shares a cluster: asked, covered by the corpus, covered by corpus and sample.

    `gaps` is records.GAPS, `selected` records.SELECTIONS with training and auxiliary rows, `unit`
    tokens or rows.
    """
    parts = coverage(gaps, selected, unit)
    return picture("usage against the mix", lambda axes: draw_coverage(axes, parts), height_in=4.4)


def coverage(gaps: pl.DataFrame, selected: pl.DataFrame, unit: str) -> pl.DataFrame:
    """cluster_id, title, p_usage, before, after: shares of the supervised tokens (or rows).

    One row a cluster that stands alone; what was merged into it is counted with it.
    """
    before = shares(selected.filter(pl.col("origin") == "training"), gaps, unit)
    after = shares(selected, gaps, unit)
    found = standing(gaps).select("cluster_id", "title", "p_usage")
    columns = [
        pl.Series(name, [share.get(c, 0.0) for c in found["cluster_id"]], dtype=pl.Float64)
        for name, share in (("before", before), ("after", after))
    ]
    return found.with_columns(columns).sort("p_usage", descending=True)


def draw_coverage(axes: Any, parts: pl.DataFrame) -> None:
    top = parts.head(MOST)
    places = list(range(top.height))
    axes.bar(places, top["p_usage"], width=0.8, color=USAGE, alpha=0.35, label="asked")
    axes.plot(places, top["before"], "o", color=TRAINING, ms=4, label="corpus alone")
    axes.plot(places, top["after"], "o", color=MIX, ms=4, label="corpus and sample")
    for place, old, new in zip(places, top["before"], top["after"], strict=True):
        axes.plot([place, place], [old, new], color=MIX, lw=1, alpha=0.6)
    names = [cluster_name(c, title) for c, title in top.select("cluster_id", "title").iter_rows()]
    axes.set_xticks(places, names, fontsize=7, rotation=90)
    per_cent(axes.yaxis)
    axes.set_ylabel("share")
    axes.legend(fontsize=8)
    axes.set_title("Usage against training data, before and after sampling")
