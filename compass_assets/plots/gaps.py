"""What users ask against what the training data covers, cluster by cluster."""

from typing import Any

import polars as pl

from compass_assets.plots.names import cluster_name
from compass_assets.plots.style import MIX, QUIET, TRAINING, USAGE, per_cent, picture
from compass_core.gaps import hosts

MOST = 24


def gap_plot(gaps: pl.DataFrame) -> str:
    """p_usage with its interval, p_training and the share of the pool, of records.GAPS."""
    shown = standing(gaps)
    height = max(2.4, 0.26 * min(MOST, shown.height) + 1.3)
    return picture("gaps", lambda axes: draw_gaps(axes, shown), height_in=height)


def standing(gaps: pl.DataFrame) -> pl.DataFrame:
    """Clusters that stand alone, with `merged`, `pool_share` of them and those merged into them."""
    counted = hosts.on_hosts(gaps, gaps).group_by("cluster_id")
    pool = counted.agg(pl.col("pool_rows").sum(), (pl.len() - 1).alias("merged"))
    total = max(1, int(gaps["pool_rows"].sum()))
    return (
        hosts.standing(gaps)
        .drop("pool_rows")
        .join(pool, on="cluster_id", maintain_order="left")
        .with_columns((pl.col("pool_rows") / total).alias("pool_share"))
    )


def draw_gaps(axes: Any, shown: pl.DataFrame) -> None:
    top = shown.sort(pl.max_horizontal("p_usage", "p_training"), descending=True).head(MOST)
    top = top.sort("gap")
    places = range(top.height)
    asked = [p + 0.2 for p in places]
    low = (top["p_usage"] - top["p_usage_low"]).clip(0)
    high = (top["p_usage_high"] - top["p_usage"]).clip(0)
    bars = axes.barh(asked, top["p_usage"], height=0.38, color=USAGE)
    covered = axes.barh([p - 0.2 for p in places], top["p_training"], height=0.38, color=TRAINING)
    axes.errorbar(top["p_usage"], asked, xerr=[low, high], fmt="none", ecolor=QUIET, elinewidth=1)
    (mark,) = axes.plot(top["pool_share"], list(places), "|", color=MIX, ms=11, mew=2)
    names = [
        cluster_name(c, title) + (f" + {n} merged" if n else "")
        for c, title, n in top.select("cluster_id", "title", "merged").iter_rows()
    ]
    axes.set_yticks(list(places), names, fontsize=8)
    per_cent(axes.xaxis)
    axes.set_xlabel("share")
    axes.legend(
        [bars, covered, mark],
        ["asked (p_usage), with its interval", "trained on (p_training)", "share of the pool"],
        fontsize=8,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.55 / axes.figure.get_figheight()),
        ncols=3,
    )
    axes.set_title("What is asked against what is covered, largest gap on top")
