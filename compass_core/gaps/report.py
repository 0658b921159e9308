"""The gap report of a language."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from compass_core import records
from compass_core.clusters.assign import OWN_BUCKET
from compass_core.clusters.model import ClusterModel
from compass_core.config.schema import Gaps, Sampling, Usage
from compass_core.errors import InputError
from compass_core.gaps.divergence import interval, jsd_bits, shrunk
from compass_core.gaps.merge import merge_small
from compass_core.sampling.limits import best_amounts


@dataclass(frozen=True)
class GapReport:
    """`frame` is records.GAPS, one row a cluster; `pool` records.GAP_POOL, one row a cluster and
    pool language; `summary` holds the language's figures."""

    frame: pl.DataFrame
    pool: pl.DataFrame
    summary: dict[str, Any]


def gap_report(
    language: str,
    assignments: pl.DataFrame,
    clusters: pl.DataFrame,
    tokens: pl.DataFrame,
    model: ClusterModel,
    gaps: Gaps,
    usage: Usage,
    sampling: Sampling,
    first_day: str | None,
    last_day: str | None,
) -> GapReport:
    """Measure gaps from records.ASSIGNMENTS, records.CLUSTERS and tokens (row_id, role, count).

    p_usage counts prompts: that is what users send. p_training counts in `sampling.unit`,
    supervised tokens by default: that is what the loss is made of, and what a budget buys. p_usage
    is shrunk towards the pool by `gaps.prior_strength` rows; small clusters are merged, visibly.
    Off-target pool rows are not available. `jsd_bits_best` is that of the best mix there is when
    the budget is spent, within the limits by language; duplicates and rows that repeat benchmark
    items are not known here and count as available. Raises InputError when there is no usage at
    all.
    """
    ids = [int(c) for c in model.cluster_ids]
    if OWN_BUCKET in assignments["cluster_id"]:
        ids.append(OWN_BUCKET)
    place = {cluster: i for i, cluster in enumerate(ids)}
    counted = assignments.filter(pl.col("cluster_id").is_in(ids)).join(
        tokens, on=["role", "row_id"], how="left"
    )

    def tally(role: str, column: str | None = None) -> np.ndarray:
        rows = counted.filter(pl.col("role") == role)
        if role == "auxiliary":
            rows = rows.filter(~pl.col("off_target"))
        amount = pl.len() if column is None else pl.col(column).sum()
        totals = np.zeros(len(ids))
        for cluster, value in rows.group_by("cluster_id").agg(amount.alias("n")).iter_rows():
            totals[place[cluster]] = value or 0
        return totals

    logs, proxy = tally("usage"), tally("proxy")
    training, pool = tally("training"), tally("auxiliary")
    training_tokens = tally("training", "supervised_tokens")
    pool_tokens = tally("auxiliary", "supervised_tokens")
    # A source that p_usage is not made of merges no cluster and is no usage of any.
    asked = {"logs": logs, "proxy": proxy, "blend": logs + proxy}[usage.source]
    centroids = np.vstack(
        [model.centroids, np.zeros((len(ids) - len(model.cluster_ids), model.centroids.shape[1]))]
    )
    hosts = merge_small(asked + training, asked, centroids, gaps.min_cluster_rows)

    def merged(values: np.ndarray) -> np.ndarray:
        return np.bincount(hosts, weights=values, minlength=len(ids))

    by_language = _pool_by_language(language, counted)
    tags = sorted(by_language["row_language"].unique())
    unit = sampling.unit
    cells = np.zeros((len(ids), len(tags)))
    columns = ("cluster_id", "row_language", f"pool_{unit}")
    for cluster, tag, amount in by_language.select(columns).iter_rows():
        cells[hosts[place[cluster]], tags.index(tag)] += amount or 0

    stands = hosts == np.arange(len(ids))
    # Without a pool the prior is uniform: over the clusters that stand, or it would lose mass.
    prior = merged(pool) if pool.sum() else stands.astype(np.float64)
    p_usage, low, high = _usage(merged(logs), merged(proxy), prior, gaps, usage, language)
    held = merged(training_tokens if unit == "tokens" else training)
    p_training = held / held.sum() if held.sum() else np.zeros(len(ids))
    gap = np.clip(p_usage - p_training, 0, None)
    taken = best_amounts(p_usage, held, cells, tags, sampling)
    before, best = jsd_bits(p_training, p_usage), jsd_bits(held + taken, p_usage)
    titles = dict(clusters.select("cluster_id", "title").iter_rows())
    shown = np.where(stands, 1.0, 0.0)  # what a merged cluster had is in its host's row
    frame = pl.DataFrame(
        {
            "language": [language] * len(ids),
            "cluster_id": ids,
            "title": [titles.get(c, "outside every cluster") for c in ids],
            "p_usage": p_usage * shown,
            "p_usage_low": low * shown,
            "p_usage_high": high * shown,
            "p_training": p_training * shown,
            "gap": gap * shown,
            "coverage": [
                float(t / u) if s and u > 0 else None
                for t, u, s in zip(p_training, p_usage, stands, strict=True)
            ],
            "usage_rows": asked.astype(np.int64),
            "training_rows": training.astype(np.int64),
            "training_tokens": training_tokens.astype(np.int64),
            "pool_rows": pool.astype(np.int64),
            "pool_tokens": pool_tokens.astype(np.int64),
            "merged_into": [None if s else ids[h] for h, s in zip(hosts, stands, strict=True)],
            "jsd_bits": [before] * len(ids),
            "jsd_bits_best": [best] * len(ids),
            "usage_first_day": [first_day] * len(ids),
            "usage_last_day": [last_day] * len(ids),
        },
        strict=False,
    ).with_columns(
        pl.col("usage_first_day", "usage_last_day").cast(pl.String).str.to_date("%Y-%m-%d")
    )
    summary = {
        "jsd_bits": before,
        "jsd_bits_best": best,
        "usage_rows": int(asked.sum()),
        "training_rows": int(training.sum()),
        "pool_rows": int(pool.sum()),
        "merged_clusters": int((~stands).sum()),
        "gap_mass": float((gap * shown).sum()),
        "unit": unit,
        "budget": sampling.budget,
        "fillable": float(taken.sum()),
    }
    return GapReport(records.conform(frame, records.GAPS), by_language, summary)


def _pool_by_language(language: str, counted: pl.DataFrame) -> pl.DataFrame:
    """records.GAP_POOL: what there is to take, by cluster and language."""
    available = counted.filter((pl.col("role") == "auxiliary") & ~pl.col("off_target"))
    found = available.group_by("cluster_id", "row_language").agg(
        pl.len().alias("pool_rows"), pl.col("supervised_tokens").sum().alias("pool_tokens")
    )
    named = found.with_columns(pl.lit(language).alias("language"))
    return records.conform(named.sort("cluster_id", "row_language"), records.GAP_POOL)


def weighed_counts(logs: np.ndarray, proxy: np.ndarray, usage: Usage) -> np.ndarray:
    """Prompts by cluster, f64[n], of the source that the project names.

    In a blend each part counts as a distribution, then as many rows as the two together: neither
    part's size but the stated weight says how much it counts. A part without rows leaves the other.
    """
    if usage.source != "blend":
        return logs if usage.source == "logs" else proxy
    counts: np.ndarray = logs + proxy
    if logs.sum() and proxy.sum():
        weight, rows = usage.proxy_weight, counts.sum()
        counts = rows * ((1 - weight) * logs / logs.sum() + weight * proxy / proxy.sum())
    return counts


def _usage(
    logs: np.ndarray, proxy: np.ndarray, prior: np.ndarray, gaps: Gaps, usage: Usage, language: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p_usage and its interval from the source that the project names."""
    wanted = {"logs": [logs], "proxy": [proxy], "blend": [logs, proxy]}[usage.source]
    if any(counts.sum() == 0 for counts in wanted):
        raise InputError(
            f"{language} has no usage rows for usage.source: {usage.source} ({int(logs.sum())} "
            f"from logs, {int(proxy.sum())} from benchmark dev items); add logs, or set "
            "usage.source to the one that has some"
        )
    counts = weighed_counts(logs, proxy, usage)
    p_usage, parameters = shrunk(counts, prior, gaps.prior_strength)
    low, high = interval(parameters, gaps.interval)
    return p_usage, low, high
