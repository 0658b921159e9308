"""Why a row was chosen, in a sentence that needs no other table."""

import polars as pl

from compass_core.sampling.strategies import Strategy


def reason_of(name: str, strategy: Strategy, match_share: float) -> pl.Expr:
    """Expression of `why` over columns cluster_id, host, rank, similarity, key, gap, p_usage,
    p_training, row_language and group_score. `host` is the cluster that the row's one is merged
    into or itself, whose figures these are."""
    place = pl.col("rank") + 1
    if name == "nearest_mean":
        return pl.format(
            "nearest_mean: place {}, cosine {} to the mean of what is asked",
            place,
            (1 - pl.col("group_score")).round(3),
        )
    if name == "langsim":
        return pl.format(
            "langsim: {} has URIEL similarity {}; place {} at random there",
            "row_language",
            pl.col("group_score").round(3),
            place,
        )
    if name == "langrank":
        return pl.format(
            "langrank: {} is language {} by LangRank's features; place {} at random there",
            "row_language",
            (pl.col("group_score") + 1).cast(pl.Int64),
            place,
        )
    if strategy.group == "pool":
        return pl.format(f"{name}: place {{}} by random key {{}}", place, pl.col("key").round(6))
    label = f"{name} ({match_share:g} by usage)" if name == "gap_then_match" else name
    merged = pl.format("{} (merged into {})", "cluster_id", "host")
    named = pl.when(pl.col("host") != pl.col("cluster_id")).then(merged)
    return pl.format(
        f"{label}: cluster {{}} is {{}} % of usage and {{}} % of the training data, gap {{}}; "
        "place {} there, cosine {} to its centre",
        named.otherwise(pl.col("cluster_id").cast(pl.String)),
        (100 * pl.col("p_usage")).round(2),
        (100 * pl.col("p_training")).round(2),
        pl.col("gap").round(4),
        place,
        pl.col("similarity").cast(pl.Float64).round(3),
    )
