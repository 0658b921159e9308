"""Near-duplicates in different clusters: found among the rows that were taken, not in the pool.

Clusters part the space, and two rows that say the same can lie on both sides of a border. Comparing
the pool with itself would cost its square. Only rows that are taken matter, and of two that are
alike the one that is taken first stays: that depends on no budget.
"""

import numpy as np

from compass_core.sampling.near import largest_distance, pairs_within
from compass_core.sampling.pool import VectorSource
from compass_core.sampling.rank import FETCHED_ROWS, ByTarget

BOX_DIMENSIONS = 6  # of a sketch, those along which vectors differ most


class AcrossClusters:
    """Pairs of near-duplicates in different clusters, among the rows seen so far.

    Projections (`ByTarget.sketch`) name the pairs that can be alike, missing none (`near`), and the
    vectors of those few are compared.
    """

    def __init__(self, ranked: ByTarget, vectors: VectorSource, limit: float) -> None:
        self.ranked, self.vectors, self.limit = ranked, vectors, limit
        self.distance = largest_distance(limit)
        self.found: dict[int, list[int]] = {}
        self._rows = np.zeros(0, dtype=np.int64)
        self._sketches = np.zeros((0, 0), dtype=np.float32)

    def look(self, rows: np.ndarray) -> bool:
        """Compare `rows` int64[m] with each other and with those seen before; whether a pair was
        found that was not known.

        Cost: half the square of the rows in products of 24 numbers, less what lies outside a
        cluster's box, and a read of the vectors of pairs that are near by their projections.
        """
        new = np.setdiff1d(rows, self._rows)
        if not new.size:
            return False
        drawn = self._sketched(new)
        pairs = self._near(new, drawn)
        self._sketches = np.concatenate([self._sketches, drawn]) if self._rows.size else drawn
        self._rows = np.concatenate([self._rows, new])
        found = False
        for start in range(0, len(pairs), FETCHED_ROWS):
            part = pairs[start : start + FETCHED_ROWS]
            needed, at = np.unique(part, return_inverse=True)
            vectors = self.vectors(needed)
            one, two = at.reshape(part.shape).T
            cosines = np.einsum("ij,ij->i", vectors[one], vectors[two])
            for a, b in part[np.round(cosines, 5) > self.limit].tolist():
                self.found.setdefault(a, []).append(b)
                self.found.setdefault(b, []).append(a)
                found = True
        return found

    def _sketched(self, rows: np.ndarray) -> np.ndarray:
        clusters = self.ranked.pool.cluster[rows]
        parts = {int(c): np.flatnonzero(clusters == c) for c in np.unique(clusters)}
        drawn = [self.ranked.sketch(c, rows[at]) for c, at in parts.items()]
        found = np.empty((len(rows), drawn[0].shape[1]), dtype=np.float32)
        for at, sketches in zip(parts.values(), drawn, strict=True):
            found[at] = sketches
        return found

    def _near(self, new: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Pairs int64[p, 2] of rows of different clusters, one of them new, that may be alike."""
        cluster = self.ranked.pool.cluster
        order = np.argsort(cluster[new], kind="stable")
        new, drawn = new[order], drawn[order]
        pairs = [np.zeros((0, 2), dtype=np.int64)]
        groups, starts = np.unique(cluster[new], return_index=True)
        for group, start, stop in zip(groups, starts, [*starts[1:], len(new)], strict=True):
            mine = drawn[start:stop]
            box = mine[:, :BOX_DIMENSIONS]
            low, high = box.min(axis=0) - self.distance, box.max(axis=0) + self.distance
            known = cluster[self._rows] != group
            for rows, sketches in (
                (new[stop:], drawn[stop:]),
                (self._rows[known], self._sketches[known]),
            ):
                if not rows.size:
                    continue
                near = sketches[:, :BOX_DIMENSIONS]
                inside = np.flatnonzero(((near >= low) & (near <= high)).all(axis=1))
                one, two = pairs_within(mine, sketches[inside], self.distance)
                pairs.append(np.stack([new[start + one], rows[inside[two]]], axis=1))
        return np.concatenate(pairs)
