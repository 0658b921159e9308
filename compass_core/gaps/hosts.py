"""Merged clusters count with the cluster that stands for them, everywhere that a share is shown."""

import polars as pl


def on_hosts(rows: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the `cluster_id` of a merged cluster replaced by that of its host.

    `gaps` is records.GAPS. Rows in no cluster of the report keep what they have; order is kept.
    """
    hosts = gaps.select("cluster_id", pl.coalesce("merged_into", "cluster_id").alias("host"))
    return (
        rows.join(hosts, on="cluster_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("host", "cluster_id").alias("cluster_id"))
        .drop("host")
    )


def standing(gaps: pl.DataFrame) -> pl.DataFrame:
    """The rows of records.GAPS that stand for themselves; those of merged clusters hold zeros."""
    return gaps.filter(pl.col("merged_into").is_null())


def shares(rows: pl.DataFrame, gaps: pl.DataFrame, unit: str) -> dict[int, float]:
    """Share of each host in training rows (records.SELECTIONS), as p_training is counted.

    In supervised tokens or in rows, by `unit`; of what lies in the clusters of the report.
    """
    amount = pl.col("supervised_tokens").sum() if unit == "tokens" else pl.len()
    inside = rows.filter(pl.col("cluster_id").is_in(gaps["cluster_id"].to_list()))
    counted = on_hosts(inside, gaps).group_by("cluster_id").agg(amount.alias("amount"))
    total = counted["amount"].sum()
    return {cluster: n / total for cluster, n in counted.iter_rows()} if total else {}
