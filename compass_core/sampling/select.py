"""Rows for the gaps: every chosen row says why, every other one why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from compass_core.clusters.blocks import workers
from compass_core.config.schema import Sampling
from compass_core.gaps.divergence import jsd_bits
from compass_core.hashing import hash64, unit_of
from compass_core.sampling.alike import AcrossClusters
from compass_core.sampling.explain import reason_of
from compass_core.sampling.limits import language_limits, unmet_minimum
from compass_core.sampling.pool import CODE, REASONS, Pool, VectorSource, drop_unfit, read_pool
from compass_core.sampling.rank import ByTarget, Ranked
from compass_core.sampling.scene import Scene, Target
from compass_core.sampling.strategies import STRATEGIES, Curve
from compass_core.sampling.take import Limits, Taken, take_by_level
from compass_core.sampling.turns import take_in_turns


@dataclass(frozen=True)
class Selection:
    """`selected`: the pool's columns with gap, rank, key, strategy, why; `dropped`: records.DROPPED
    without language; `summary`: figures for the asset page."""

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
    *,
    vectors: np.ndarray | VectorSource | None = None,
    training_vectors: np.ndarray | None = None,
    target: Target | None = None,
    contamination: pl.DataFrame | None = None,
    texts: Callable[[np.ndarray], Sequence[str]] | None = None,
) -> Selection:
    """Choose rows of the pool within the budget.

    `pool`: row_id, row_language, cluster_id, similarity, off_target, supervised_tokens and
    text_hash (or content_hash); `training`: row_id and the same hash. `vectors` f32[n, d] aligned
    with the pool, or a function that reads them by position; `training_vectors` f32[t, d], without
    which no row is a near-duplicate of the corpus. `gaps`: records.GAPS. `contamination`: row_id
    and detail of rows that repeat a benchmark item. `texts` reads prompts by position (langrank).

    Rows enter in the order of their strategy's level (see `strategies`), until the next one does
    not fit: the sum is at most one row below the budget (or all there is), growing the budget only
    adds rows, also under caps and minimum shares, and neither row order nor sharding counts.
    Memory: about 100 bytes a row beside the frame, and the vectors of the rows that are looked at.
    Raises InputError where the strategy needs something that is not there.
    """
    strategy = STRATEGIES[sampling.strategy]
    hosts = _hosts(gaps)
    columns = read_pool(pool, hosts, sampling.unit, seed)
    off_target = pool["off_target"].to_numpy()
    hits = _hits(pool, contamination)
    unfit = np.zeros_like(off_target) if strategy.anywhere else off_target
    drop_unfit(columns, hits.is_not_null().to_numpy(), _text_hashes(training), unfit)
    source = (lambda rows: vectors[rows]) if isinstance(vectors, np.ndarray) else vectors
    scene = Scene(
        language,
        columns,
        gaps,
        hosts,
        sampling,
        target=target,
        vectors=source,
        training_vectors=training_vectors,
        texts=texts,
        off_target=off_target,
    )
    limits = language_limits(sampling, columns.languages)
    best = scene.best_amounts()
    with workers():  # many small products: one BLAS thread is faster, and the same everywhere
        ranked, score = scene.ranked()
        curve = strategy.curve(scene.view)
        taken = _taken(columns, ranked, curve, sampling, limits, scene.vectors)
    for row, twin in taken.repeats.items():
        columns.twin[row] = twin
    columns.drop(np.array(list(taken.repeats), dtype=np.int64), "near_duplicate")
    ranks = _ranks(ranked, len(columns))
    _mark_rest(columns, ranked, curve, taken)
    chosen = _chosen(pool, gaps, hosts, columns, taken.rows, ranks, score)
    chosen = chosen.with_columns(
        pl.lit(sampling.strategy).alias("strategy"),
        reason_of(sampling.strategy, strategy, sampling.match_share).alias("why"),
    ).drop("host", "p_usage", "p_training", "group_score")
    added = scene.added(taken.rows)
    summary = {
        "strategy": sampling.strategy,
        "budget": sampling.budget,
        "unit": sampling.unit,
        "spent": int(columns.amount[taken.rows].sum()),
        "rows": len(taken.rows),
        "jsd_bits_before": jsd_bits(scene.view.held, scene.view.p_usage),
        "jsd_bits_after": jsd_bits(scene.view.held + added, scene.view.p_usage),
        "jsd_bits_best": jsd_bits(scene.view.held + best, scene.view.p_usage),
        "unmet_minimum": unmet_minimum(columns, taken.rows, limits, sampling),
        **scene.notes,
    }
    return Selection(chosen, _dropped(pool, columns, taken.rows, hits, training), summary)


def _taken(
    columns: Pool,
    ranked: Ranked,
    curve: Curve,
    sampling: Sampling,
    limits: Limits,
    vectors: VectorSource | None,
) -> Taken:
    """Take until the budget is spent and no two of the rows say the same."""
    unlimited = STRATEGIES[sampling.strategy].unlimited
    budget = float("inf") if unlimited else float(sampling.budget)
    groups = np.arange(len(ranked.rows))
    ranked.extend(groups[np.isfinite(curve(groups, np.zeros(len(groups))))].tolist())
    in_turns = limits.bind and not unlimited
    alike = None
    if isinstance(ranked, ByTarget) and vectors is not None:
        alike = AcrossClusters(ranked, vectors, sampling.duplicate_similarity)
    while True:
        if in_turns:
            found = {} if alike is None else alike.found
            taken = take_in_turns(columns, ranked, curve, budget, limits, found)
        else:
            taken = take_by_level(columns, ranked, curve, budget)
        if taken.hungry:
            ranked.extend(taken.hungry)
        elif alike is not None and alike.look(taken.rows):
            in_turns = True
        else:
            return taken


def _hosts(gaps: pl.DataFrame) -> dict[int, int]:
    """Cluster id -> place in the report of the cluster that stands for it."""
    place = {cluster: i for i, cluster in enumerate(gaps["cluster_id"])}
    into = zip(gaps["cluster_id"], gaps["merged_into"], strict=True)
    return {c: place[c if host is None else host] for c, host in into}


def _hits(pool: pl.DataFrame, contamination: pl.DataFrame | None) -> pl.Series:
    if contamination is None or not contamination.height:
        return pl.Series("detail", [None], dtype=pl.String).new_from_index(0, pool.height)
    found = contamination.select("row_id", "detail").unique("row_id", keep="first")
    return pool.select("row_id").join(found, on="row_id", how="left", maintain_order="left")[
        "detail"
    ]


def _text_hashes(rows: pl.DataFrame) -> np.ndarray:
    texts = rows["text_hash" if "text_hash" in rows.columns else "content_hash"]
    return texts.to_numpy() if texts.dtype == pl.UInt64 else hash64(texts)


def _ranks(ranked: Ranked, n: int) -> np.ndarray:
    """Place int32[n] of each row in its group; -1 where it was not ranked."""
    ranks = np.full(n, -1, dtype=np.int32)
    for rows in ranked.rows:
        ranks[rows] = np.arange(len(rows))
    return ranks


def _mark_rest(pool: Pool, ranked: Ranked, curve: Any, taken: Taken) -> None:
    """Reasons of the rows that could have been chosen and were not."""
    chosen = np.zeros(len(pool), dtype=bool)
    chosen[taken.rows] = True
    offered = np.zeros(len(pool), dtype=bool)
    groups = np.arange(len(ranked.rows))
    asked = np.isfinite(curve(groups, np.zeros(len(groups))))
    for group in groups[asked]:
        offered[ranked.rows[group]] = True
        offered[ranked.waiting[group]] = True
    pool.drop(~offered, "no_demand")
    pool.drop(taken.closed[pool.language] & ~chosen, "language_cap")
    pool.drop(~chosen, "beyond_budget")


def _chosen(
    pool: pl.DataFrame,
    gaps: pl.DataFrame,
    hosts: dict[int, int],
    columns: Pool,
    rows: np.ndarray,
    ranks: np.ndarray,
    score: np.ndarray | None,
) -> pl.DataFrame:
    place = columns.cluster[rows]

    def of_host(name: str) -> np.ndarray:
        values = gaps[name].to_numpy()
        return np.where(place >= 0, values[np.maximum(place, 0)], 0.0)

    return pool[rows].with_columns(
        pl.Series("gap", of_host("gap"), dtype=pl.Float64),
        pl.Series("host", of_host("cluster_id"), dtype=pl.Int64),
        pl.Series("p_usage", of_host("p_usage"), dtype=pl.Float64),
        pl.Series("p_training", of_host("p_training"), dtype=pl.Float64),
        pl.Series("rank", ranks[rows], dtype=pl.Int64),
        pl.Series("key", unit_of(columns.key[rows]), dtype=pl.Float64),
        pl.Series("group_score", None if score is None else score[rows], dtype=pl.Float64)
        if score is not None
        else pl.lit(None, dtype=pl.Float64).alias("group_score"),
    )


def _dropped(
    pool: pl.DataFrame,
    columns: Pool,
    chosen: np.ndarray,
    hits: pl.Series,
    training: pl.DataFrame,
) -> pl.DataFrame:
    """records.DROPPED without language. `detail` is the benchmark item that was hit, or the row
    that is repeated."""
    left = np.ones(len(columns), dtype=bool)
    left[chosen] = False
    rows = np.flatnonzero(left)
    names = pl.Series("reason", REASONS).cast(pl.Enum(REASONS))
    reason, twin = columns.reason[rows], columns.twin[rows]
    in_pool = np.isin(reason, (CODE["duplicate"], CODE["near_duplicate"]))
    in_corpus = reason == CODE["near_training_corpus"]
    found = pool.select("row_id", "row_language", "cluster_id")[rows]
    return found.with_columns(
        names.gather(reason).alias("reason").cast(pl.String),
        _twins(pool, twin, in_pool)
        .fill_null(_twins(training, twin, in_corpus))
        .fill_null(hits.gather(rows))
        .alias("detail"),
    )


def _twins(table: pl.DataFrame, twin: np.ndarray, there: np.ndarray) -> pl.Series:
    """Ids of the rows of `table` that int32[n] names, null where bool[n] is not set."""
    places = pl.Series("place", twin).cast(pl.Int64).set(pl.Series(~there), None)
    return places.to_frame().join(
        table.select("row_id").with_row_index("place").cast({"place": pl.Int64}),
        on="place",
        how="left",
        maintain_order="left",
    )["row_id"]
