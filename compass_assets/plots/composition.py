"""What a training set is made of: tokens by cluster, split by the language of the rows."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from compass_assets.plots.names import cluster_name
from compass_assets.plots.style import MANY, picture
from compass_core.gaps.hosts import on_hosts

MOST = 30


def composition_plot(gaps: pl.DataFrame, selected: pl.DataFrame) -> str:
    """Stacked bars over clusters; the corpus itself is one colour.

    `gaps` is records.GAPS, `selected` records.SELECTIONS with training and auxiliary rows.
    """
    parts = composition(gaps, selected)
    titles = dict(gaps.select("cluster_id", "title").iter_rows())
    return picture("composition", lambda axes: draw_composition(axes, parts, titles), height_in=4.4)


def composition(gaps: pl.DataFrame, selected: pl.DataFrame) -> pl.DataFrame:
    """cluster_id, part, tokens: `part` is corpus or the language of sampled rows.

    What lies in a merged cluster is counted with the cluster that stands for it.
    """
    part = pl.when(pl.col("origin") == "training").then(pl.lit("corpus"))
    return (
        on_hosts(selected, gaps)
        .with_columns(part.otherwise(pl.col("row_language")).alias("part"))
        .group_by("cluster_id", "part")
        .agg(pl.col("supervised_tokens").sum().alias("tokens"))
        .sort("cluster_id", "part")
    )


def draw_composition(axes: Any, parts: pl.DataFrame, titles: Mapping[int, str]) -> None:
    total = pl.col("tokens").sum()
    clusters = parts.group_by("cluster_id").agg(total).sort("tokens", "cluster_id")
    shown = clusters.tail(MOST)["cluster_id"].reverse().to_list()
    order = parts.group_by("part").agg(total).sort("tokens", "part", descending=[True, False])
    names = ["corpus", *(name for name in order["part"] if name != "corpus")]
    if len(names) > len(MANY):
        kept = set(names[: len(MANY) - 1])
        parts = parts.with_columns(
            pl.when(pl.col("part").is_in(list(kept)))
            .then(pl.col("part"))
            .otherwise(pl.lit("others"))
            .alias("part")
        )
        names = [*names[: len(MANY) - 1], "others"]
    below = [0] * len(shown)
    for name, colour in zip(names, MANY, strict=False):
        mine = parts.filter(pl.col("part") == name).group_by("cluster_id").agg(total)
        tokens = dict(mine.iter_rows())
        heights = [tokens.get(cluster, 0) for cluster in shown]
        axes.bar(range(len(shown)), heights, bottom=below, color=colour, width=0.8, label=name)
        below = [old + new for old, new in zip(below, heights, strict=True)]
    labels = [cluster_name(c, titles.get(c)) for c in shown]
    axes.set_xticks(range(len(shown)), labels, fontsize=7, rotation=90)
    axes.set_ylabel("supervised tokens")
    axes.legend(fontsize=8, ncols=3)
    axes.set_title("The training set by cluster and by language of the rows")
