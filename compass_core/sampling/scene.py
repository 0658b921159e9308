"""What a strategy may need of the pool, the gaps and the target, made when it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from compass_core.config.schema import Sampling
from compass_core.errors import InputError
from compass_core.language_distance import similarity
from compass_core.sampling import langrank
from compass_core.sampling.limits import best_amounts
from compass_core.sampling.pool import Pool, VectorSource
from compass_core.sampling.rank import FETCHED_ROWS, ByTarget, InOrder, Ranked, mean_distance
from compass_core.sampling.strategies import STRATEGIES, View


@dataclass(frozen=True)
class Target:
    """What is asked: the cluster of each usage row, its vector, and texts for token overlap."""

    cluster_ids: np.ndarray  # int64[m]
    vectors: np.ndarray | None = None  # f32[m, d]
    texts: Sequence[str] = ()


class Scene:
    """What a strategy may need, made when it is asked for."""

    def __init__(
        self,
        language: str,
        pool: Pool,
        gaps: pl.DataFrame,
        hosts: dict[int, int],
        sampling: Sampling,
        *,
        target: Target | None,
        vectors: VectorSource | None,
        training_vectors: np.ndarray | None,
        texts: Callable[[np.ndarray], Sequence[str]] | None,
        off_target: np.ndarray,
    ) -> None:
        self.off_target, self.training_vectors = off_target, training_vectors
        self.language, self.pool, self.sampling = language, pool, sampling
        self.target, self.vectors, self.texts = target, vectors, texts
        self.hosts, self.clusters = hosts, gaps.height
        self.notes: dict[str, Any] = {}
        place = np.array([hosts[c] for c in gaps["cluster_id"]], dtype=np.int64)

        def onto_hosts(column: str) -> np.ndarray:
            values = gaps[column].cast(pl.Float64).to_numpy()
            return np.bincount(place, weights=values, minlength=len(place))

        tokens = sampling.unit == "tokens"
        self.view = View(
            p_usage=gaps["p_usage"].to_numpy(),
            gap=gaps["gap"].to_numpy(),
            held=onto_hosts("training_tokens" if tokens else "training_rows"),
            training_rows=onto_hosts("training_rows"),
            pool_amount=float(pool.amount.sum()),
            match_share=sampling.match_share,
            similarity=lambda: self.similarity,
            language_ranks=lambda: self.language_ranks,
        )

    @cached_property
    def similarity(self) -> np.ndarray:
        values, unknown = similarity(self.language, self.pool.languages)
        if unknown:
            self.notes["languages_without_uriel"] = unknown
        self.notes["uriel_similarity"] = _named(self.pool.languages, values)
        return values

    @cached_property
    def language_ranks(self) -> np.ndarray:
        if self.texts is None or self.target is None:
            raise InputError("langrank compares texts; none were given for the pool or the target")
        rows = self.pool.open()
        rows = rows[np.lexsort((self.pool.key[rows], self.pool.language[rows]))]
        code = self.pool.language[rows]
        samples = [
            self.texts(rows[code == i][: langrank.SAMPLE_ROWS])
            for i in range(len(self.pool.languages))
        ]
        amounts = self.pool.by_language(self.pool.amount[rows], rows)
        found = langrank.features(
            self.language, self.target.texts, self.pool.languages, amounts, samples
        )
        ranks = langrank.rank_languages(found, self.pool.languages)
        self.notes["langrank"] = {
            tag: {"rank": int(ranks[i]), **{k: round(float(v[i]), 4) for k, v in found.items()}}
            for i, tag in enumerate(self.pool.languages)
        }
        return ranks

    def ranked(self) -> tuple[Ranked, np.ndarray | None]:
        """The rows in groups, and what their order or group rests on, f64[n], to be shown."""
        pool, strategy = self.pool, STRATEGIES[self.sampling.strategy]
        if strategy.order == "target":
            own = np.array([tag == self.language for tag in pool.languages], dtype=bool)
            bonus = own[pool.language] * np.float32(self.sampling.affinity_weight)
            points = self._points()
            limit = self.sampling.duplicate_similarity
            held = self.training_vectors
            return ByTarget(pool, self.clusters, bonus, self.vectors, points, limit, held), None
        if strategy.group == "language":
            by_language = (
                self.similarity if self.sampling.strategy == "langsim" else self.language_ranks
            )
            groups = len(pool.languages)
            shown = by_language.astype(np.float64)[pool.language]
            return InOrder(pool, pool.language, groups, None), shown
        one = np.zeros(len(pool), dtype=np.int8)
        if strategy.order == "key":
            return InOrder(pool, one, 1, None), None
        if self.vectors is None or self.target is None or self.target.vectors is None:
            raise InputError("nearest_mean compares vectors; none were given")
        target_vectors, rows = self.target.vectors, pool.open()
        score = mean_distance(rows, len(pool), self.vectors, target_vectors, FETCHED_ROWS)
        return InOrder(pool, one, 1, score), score

    def _points(self) -> Callable[[int], np.ndarray | None]:
        target = self.target
        if target is None or target.vectors is None:
            return lambda cluster: None
        vectors = target.vectors
        place = np.array([self.hosts.get(int(c), -1) for c in target.cluster_ids], dtype=np.int64)
        return lambda cluster: vectors[place == cluster]

    def best_amounts(self) -> np.ndarray:
        """Amounts f64[K] of the best mix of the rows that may be sampled; near-duplicates, which
        are found while ranking, count."""
        pool = self.pool
        rows = pool.open()
        rows = rows[(pool.cluster[rows] >= 0) & ~self.off_target[rows]]
        tags = len(pool.languages)
        cells = np.bincount(
            pool.cluster[rows].astype(np.int64) * tags + pool.language[rows],
            weights=pool.amount[rows].astype(np.float64),
            minlength=self.clusters * tags,
        ).reshape(self.clusters, tags)
        return best_amounts(self.view.p_usage, self.view.held, cells, pool.languages, self.sampling)

    def added(self, rows: np.ndarray) -> np.ndarray:
        """Amounts f64[K] that rows add to the clusters."""
        rows = rows[self.pool.cluster[rows] >= 0]
        weights = self.pool.amount[rows].astype(np.float64)
        return np.bincount(self.pool.cluster[rows], weights=weights, minlength=self.clusters)


def _named(languages: list[str], values: np.ndarray) -> dict[str, float]:
    return {tag: round(float(v), 4) for tag, v in zip(languages, values, strict=True)}
