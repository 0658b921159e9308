"""Rows for the gaps: every chosen row says why, every other one why not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from compass_core.benchmarks.contamination import normalised_hash
from compass_core.config.schema import Sampling
from compass_core.gaps.divergence import jsd_bits
from compass_core.hashing import unit_key
from compass_core.sampling.rank import near_duplicates, rank_rows
from compass_core.sampling.strategies import ANYWHERE, STRATEGIES, UNLIMITED, PoolView


@dataclass(frozen=True)
class Selection:
    """`selected`: the pool's columns with gap, rank, key, strategy; `dropped`: row_id, reason."""

    selected: pl.DataFrame
    dropped: pl.DataFrame
    summary: dict[str, Any]


def select_rows(
    language: str,
    pool: pl.DataFrame,
    gaps: pl.DataFrame,
    training: pl.DataFrame,
    sampling: Sampling,
    seed: int,
    vectors: np.ndarray | None = None,
    target: pl.DataFrame | None = None,
    target_vectors: np.ndarray | None = None,
    benchmark_hashes: set[str] | None = None,
) -> Selection:
    """Choose rows of the pool within the budget.

    `pool`: row_id, row_language, cluster_id, similarity, off_target, supervised_tokens, prompt,
    response, content_hash; `vectors` f32[n, d] aligned with it. `gaps`: records.GAPS. `target`:
    cluster_id of the usage rows whose vectors f32[m, d] are `target_vectors`.

    Rows enter in the order of their strategy's level (see `strategies`), until the next one does
    not fit: the sum is at most one row below the budget (or all there is), growing the budget only
    adds rows, and neither row order nor sharding counts. With a cap per language, rows of a full
    language are passed over.
    """
    order = np.argsort(pool["row_id"].to_numpy().astype(object), kind="stable")
    pool = pool[order]
    aligned = None if vectors is None else vectors[order]
    ids, hosts = _hosts(gaps)
    cluster = np.array([hosts.get(c, -1) for c in pool["cluster_id"]], dtype=np.int64)
    keys = np.array([unit_key(row, seed) for row in pool["row_id"]], dtype=np.float64)
    pool = pool.with_columns(pl.Series("key", keys, dtype=pl.Float64))
    reason = _unfit(pool, training, benchmark_hashes or set(), sampling.strategy)
    ranks = np.full(pool.height, -1, dtype=np.int64)
    amounts = (
        pool["supervised_tokens"].to_numpy().astype(np.float64)
        if sampling.unit == "tokens"
        else np.ones(pool.height)
    )
    middle = np.zeros(pool.height)
    points = _points(target, hosts)
    for place in np.unique(cluster):
        mine = np.flatnonzero((cluster == place) & (reason == ""))
        if not mine.size:
            continue
        own_vectors = None if aligned is None else aligned[mine]
        near = None if target_vectors is None else target_vectors[points == place]
        ranks[mine] = rank_rows(pool[mine], own_vectors, near, language, sampling.affinity_weight)
        if own_vectors is not None and sampling.strategy not in ANYWHERE:
            twins = near_duplicates(own_vectors, ranks[mine], sampling.duplicate_similarity)
            reason[mine[twins]] = "near_duplicate"
            mine = mine[~twins]
            ranks[mine] = np.argsort(np.argsort(ranks[mine]))
        ordered = mine[np.argsort(ranks[mine])]
        middle[ordered] = np.cumsum(amounts[ordered]) - amounts[ordered] / 2
    held_column = "training_tokens" if sampling.unit == "tokens" else "training_rows"
    view = PoolView(
        cluster,
        middle,
        keys,
        gaps["p_usage"].to_numpy(),
        gaps["gap"].to_numpy(),
        _onto_hosts(gaps, held_column, ids, hosts),
        _onto_hosts(gaps, "training_rows", ids, hosts),
    )
    levels = STRATEGIES[sampling.strategy](view)
    levels[reason != ""] = np.inf
    reason[(levels == np.inf) & (reason == "")] = "no_demand"
    taken = _take(pool, levels, keys, amounts, reason, sampling)
    chosen = pool[taken].with_columns(
        pl.Series("gap", _gap_of(view.gap, cluster[taken]), dtype=pl.Float64),
        pl.Series("rank", ranks[taken], dtype=pl.Int64),
        pl.lit(sampling.strategy).alias("strategy"),
    )
    left = np.setdiff1d(np.arange(pool.height), taken)
    dropped = pl.DataFrame(
        {"row_id": pool["row_id"].to_numpy()[left], "reason": reason[left]},
        schema={"row_id": pl.String, "reason": pl.String},
    )
    return Selection(chosen, dropped, _summary(view, cluster[taken], amounts[taken], sampling))


def _hosts(gaps: pl.DataFrame) -> tuple[list[int], dict[int, int]]:
    """Cluster ids in the report's order, and the position of each one's host."""
    ids = gaps["cluster_id"].to_list()
    place = {cluster: i for i, cluster in enumerate(ids)}
    into = zip(ids, gaps["merged_into"].to_list(), strict=True)
    return ids, {c: place[c if host is None else host] for c, host in into}


def _onto_hosts(
    gaps: pl.DataFrame, column: str, ids: list[int], hosts: dict[int, int]
) -> np.ndarray:
    totals = np.zeros(len(ids))
    for cluster, value in zip(ids, gaps[column].to_list(), strict=True):
        totals[hosts[cluster]] += value
    return totals


def _points(target: pl.DataFrame | None, hosts: dict[int, int]) -> np.ndarray:
    if target is None:
        return np.zeros(0, dtype=np.int64)
    return np.array([hosts.get(c, -1) for c in target["cluster_id"]], dtype=np.int64)


def _unfit(
    pool: pl.DataFrame, training: pl.DataFrame, benchmark: set[str], strategy: str
) -> np.ndarray:
    """Reason object[n] why a row can never be chosen, or ''."""
    reason = np.full(pool.height, "", dtype=object)
    if strategy not in ANYWHERE:
        reason[pool["off_target"].to_numpy()] = "off_target"
    # Of rows with one prompt, the one with the lowest key stays, wherever it stands.
    first = (
        pool.with_row_index("place")
        .sort("content_hash", "key")
        .unique("content_hash", keep="first", maintain_order=True)["place"]
    )
    again = np.ones(pool.height, dtype=bool)
    again[first.to_numpy()] = False
    reason[again] = "duplicate"
    held = pool["content_hash"].is_in(training["content_hash"].unique().implode()).to_numpy()
    reason[held] = "in_training_corpus"
    if benchmark:
        pairs = pool.select("prompt", "response").iter_rows()
        seen = [
            normalised_hash(prompt) in benchmark
            or normalised_hash(f"{prompt} {response}") in benchmark
            for prompt, response in pairs
        ]
        reason[np.array(seen, dtype=bool)] = "in_benchmark"
    return reason


def _take(
    pool: pl.DataFrame,
    levels: np.ndarray,
    keys: np.ndarray,
    amounts: np.ndarray,
    reason: np.ndarray,
    sampling: Sampling,
) -> np.ndarray:
    """Positions of the chosen rows, in the order in which they come in."""
    open_ = np.flatnonzero(np.isfinite(levels))
    order = open_[np.lexsort((keys[open_], levels[open_]))]
    if sampling.strategy in UNLIMITED:
        return order
    reason[order] = "beyond_budget"
    if sampling.max_share_per_language >= 1:
        fits = np.cumsum(amounts[order]) <= sampling.budget
        return order[: int(fits.sum())]
    limit = sampling.max_share_per_language * sampling.budget
    names = pool["row_language"].to_list()
    spent: dict[str, float] = {}
    total, taken = 0.0, []
    for place in order:
        amount, name = amounts[place], names[place]
        if spent.get(name, 0.0) + amount > limit:
            reason[place] = "language_cap"
            continue
        if total + amount > sampling.budget:
            break
        spent[name] = spent.get(name, 0.0) + amount
        total += amount
        taken.append(place)
    return np.array(taken, dtype=np.int64)


def _gap_of(gap: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    found = np.zeros(len(cluster))
    inside = cluster >= 0
    found[inside] = gap[cluster[inside]]
    return found


def _summary(
    view: PoolView, cluster: np.ndarray, amounts: np.ndarray, sampling: Sampling
) -> dict[str, Any]:
    inside = cluster >= 0
    added = np.bincount(cluster[inside], weights=amounts[inside], minlength=len(view.gap))
    return {
        "strategy": sampling.strategy,
        "budget": sampling.budget,
        "unit": sampling.unit,
        "spent": float(amounts.sum()),
        "rows": len(cluster),
        "jsd_bits_before": jsd_bits(view.held, view.p_usage),
        "jsd_bits_after": jsd_bits(view.held + added, view.p_usage),
    }
