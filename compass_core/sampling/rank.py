"""The order of rows within a group: by the target's own points, by their mean, or at random."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np

from compass_core.sampling.near import Held
from compass_core.sampling.pool import Pool, VectorSource

BLOCK_ROWS = 4_096
TIER_ROWS = 4_096  # rows of a cluster that are ranked together: fixed, so no budget can move them
FETCHED_ROWS = 65_536  # vectors held at a time
SKETCH_ROWS, SKETCH_DIMENSIONS = 4_096, 24


def rank_rows(
    vectors: np.ndarray | None,
    points: np.ndarray | None,
    similarity: np.ndarray,
    bonus: np.ndarray,
    key: np.ndarray,
) -> np.ndarray:
    """Rank int64[n] of rows of one cluster, 0 first.

    `vectors` f32[n, d], `points` f32[m, d] of the target in this cluster, `similarity` and `bonus`
    f32[n], `key` uint64[n]. Each row belongs to the target point nearest to it. The best row of
    every point comes first, then every point's second, and so on: what is asked often, and in many
    ways, gets many rows, and no point is served twice before all are served. Without points or
    vectors the similarity to the centroid decides; the key decides between equals.
    """
    n = len(key)
    score = similarity.astype(np.float64)
    point = np.zeros(n, dtype=np.int64)
    if vectors is not None and points is not None and len(points):
        for start in range(0, n, BLOCK_ROWS):
            part = np.round(vectors[start : start + BLOCK_ROWS] @ points.T, 4)
            point[start : start + len(part)] = part.argmax(axis=1)
            score[start : start + len(part)] = part.max(axis=1)
    score = np.round(score + bonus, 4)
    order = np.lexsort((key, -score, point))
    turn = np.empty(n, dtype=np.int64)
    # How many rows of the same point stand before each row, in that order.
    starts = np.flatnonzero(np.diff(point[order], prepend=-1))
    turn[order] = np.arange(n) - np.repeat(starts, np.diff(starts, append=n))
    ranks = np.empty(n, dtype=np.int64)
    ranks[np.lexsort((key, -score, turn))] = np.arange(n)
    return ranks


def near_duplicates(
    ordered: np.ndarray, limit: float, kept: np.ndarray | None = None
) -> np.ndarray:
    """Twin int64[n] of each row of `ordered` f32[n, d], best rank first; -1: it has none.

    A twin is a row of better rank that is kept itself, with a cosine above `limit`: its place in
    `kept` f32[m, d] followed by `ordered`. Does not depend on any budget. Cost: n (n + m) products.
    """
    before = np.zeros((0, ordered.shape[1]), np.float32) if kept is None else kept
    everything, m = np.concatenate([before, ordered]), len(before)
    twin = np.full(len(ordered), -1, dtype=np.int64)
    for start in range(0, len(ordered), BLOCK_ROWS // 4):
        block = ordered[start : start + BLOCK_ROWS // 4]
        alike = np.round(block @ everything[: m + start + len(block)].T, 5) > limit
        for i in np.flatnonzero(alike.sum(axis=1) > 1):
            earlier = np.flatnonzero(alike[i, : m + start + i])
            stays = earlier[(earlier < m) | (twin[np.maximum(earlier - m, 0)] < 0)]
            if stays.size:
                twin[start + i] = stays[0]
    return twin


class Ranked(ABC):
    """Rows of G groups in the order in which they are offered; more can be asked for by group."""

    def __init__(self, groups: int) -> None:
        self.rows: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * groups
        self.waiting: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * groups

    def has_more(self, group: int) -> bool:
        return bool(self.waiting[group].size)

    @abstractmethod
    def extend(self, groups: Iterable[int]) -> None:
        """Rank the next tier of these groups."""


class InOrder(Ranked):
    """Every row at once, by `score` f64[n] (lowest first), then by key."""

    def __init__(
        self, pool: Pool, group: np.ndarray, groups: int, score: np.ndarray | None
    ) -> None:
        super().__init__(groups)
        rows = pool.open()
        rows = rows[group[rows] >= 0]
        columns = [pool.key[rows], group[rows]]
        if score is not None:
            columns.insert(1, score[rows])
        self.rows = _split(rows[np.lexsort(columns)], group, groups)

    def extend(self, groups: Iterable[int]) -> None:
        return


class ByTarget(Ranked):
    """Tiers of TIER_ROWS rows a group, by similarity to the centroid; `rank_rows` inside a tier.

    Vectors are read for the tiers that a budget reaches and for no other row. Near-duplicates of a
    row that is held (`held` f32[t, d]), whatever its cluster, and of a better row of the group are
    dropped on the way. Tiers do not depend on the budget, so neither does any rank. Of every ranked
    row a sketch is kept (96 bytes), by which near-duplicates in other clusters are looked for.
    """

    def __init__(
        self,
        pool: Pool,
        groups: int,
        bonus: np.ndarray,
        vectors: VectorSource | None,
        points: Callable[[int], np.ndarray | None],
        duplicate_limit: float,
        held: np.ndarray | None = None,
    ) -> None:
        super().__init__(groups)
        self.pool, self.bonus, self.vectors = pool, bonus, vectors
        self.points, self.duplicate_limit = points, duplicate_limit
        rows = pool.open()
        rows = rows[pool.cluster[rows] >= 0]
        nearness = -np.round(pool.similarity[rows], 4)
        order = np.lexsort((pool.key[rows], nearness, pool.cluster[rows]))
        self.waiting = _split(rows[order], pool.cluster, groups)
        self._directions: np.ndarray | None = None
        self._held_vectors = held
        self._held: Held | None = None
        self._sketches: dict[int, np.ndarray] = {}

    def sketch(self, group: int, rows: np.ndarray) -> np.ndarray:
        """Projections f32[m, s] of ranked rows of a group on orthonormal directions."""
        order = np.argsort(self.rows[group])
        at = order[np.searchsorted(self.rows[group], rows, sorter=order)]
        return np.asarray(self._sketches[group][at])

    def extend(self, groups: Iterable[int]) -> None:
        batch: list[tuple[int, np.ndarray]] = []
        for group in groups:
            tier, self.waiting[group] = np.split(self.waiting[group], [TIER_ROWS])
            if tier.size:
                batch.append((group, tier))
            if sum(len(rows) for _, rows in batch) >= FETCHED_ROWS:
                self._rank(batch)
                batch = []
        self._rank(batch)

    def _rank(self, batch: list[tuple[int, np.ndarray]]) -> None:
        if not batch:
            return
        stacked = np.concatenate([rows for _, rows in batch])
        fetched = None if self.vectors is None else self.vectors(stacked)
        if fetched is not None and self._directions is None:
            self._directions = _main_directions(fetched[:SKETCH_ROWS])
            if self._held_vectors is not None and len(self._held_vectors):
                self._held = Held.of(self._held_vectors, self._directions, self.duplicate_limit)
        start = 0
        for group, rows in batch:
            mine = None if fetched is None else fetched[start : start + len(rows)]
            start += len(rows)
            if mine is not None and self._held is not None:
                twins = self._held.twins(mine, mine @ self._directions)
                self.pool.twin[rows[twins >= 0]] = twins[twins >= 0]
                self.pool.drop(rows[twins >= 0], "near_training_corpus")
                rows, mine = rows[twins < 0], mine[twins < 0]
            ranks = rank_rows(
                mine,
                self.points(group),
                self.pool.similarity[rows],
                self.bonus[rows],
                self.pool.key[rows],
            )
            order = np.argsort(ranks)
            ordered = rows[order]
            if mine is not None and self.vectors is not None:
                earlier = self.rows[group]
                kept = self.vectors(earlier) if earlier.size else None
                twins = near_duplicates(mine[order], self.duplicate_limit, kept)
                found = twins >= 0
                self.pool.twin[ordered[found]] = np.concatenate([earlier, ordered])[twins[found]]
                self.pool.drop(ordered[found], "near_duplicate")
                ordered = ordered[~found]
                drawn = mine[order][~found] @ self._directions
                before = self._sketches.get(group, drawn[:0])
                self._sketches[group] = np.concatenate([before, drawn])
            self.rows[group] = np.concatenate([self.rows[group], ordered])


def _split(rows: np.ndarray, group: np.ndarray, groups: int) -> list[np.ndarray]:
    """Rows that are sorted by group, as one array a group; no array where there is no group."""
    ends = np.searchsorted(group[rows], np.arange(1, groups))
    return np.split(rows, ends)[:groups]


def _main_directions(vectors: np.ndarray) -> np.ndarray:
    """Orthonormal directions f32[d, s] along which these vectors f32[n, d] differ most."""
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(directions[:, ::-1][:, :SKETCH_DIMENSIONS], dtype=np.float32)


def mean_distance(
    rows: np.ndarray, n: int, vectors: VectorSource, target_vectors: np.ndarray, block_rows: int
) -> np.ndarray:
    """One minus the cosine to the mean of target_vectors f32[m, d]: f64[n], set for `rows` only."""
    mean = target_vectors.astype(np.float64).mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    score = np.full(n, np.inf)
    for start in range(0, len(rows), block_rows):
        part = rows[start : start + block_rows]
        score[part] = np.round(1 - vectors(part) @ mean, 5)
    return score
