"""Near-duplicates in different clusters: found among the rows that were taken, not in the pool.

Clusters part the space, and two rows that say the same can lie on both sides of a border. Comparing
the pool with itself would cost its square. Only rows that are taken matter, and of two that are
alike the one that is taken first stays: that depends on no budget.
"""

from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from compass_core.sampling.pool import VectorSource
from compass_core.sampling.rank import FETCHED_ROWS, ByTarget

MARGIN = 1e-3  # of a distance: float32 sketches of float32 vectors


class AcrossClusters:
    """Pairs of near-duplicates in different clusters, among the rows seen so far.

    Unit vectors with a cosine above `limit` are at most sqrt(2 - 2 limit) apart, and so are their
    projections on any orthonormal directions. So trees over the projections (`ByTarget.sketch`)
    name the pairs that can be alike, missing none, and the vectors of those few are compared.
    """

    def __init__(self, ranked: ByTarget, vectors: VectorSource, limit: float) -> None:
        self.ranked, self.vectors, self.limit = ranked, vectors, limit
        self.distance = float(np.sqrt(max(0.0, 2 - 2 * limit))) + MARGIN
        self.found: dict[int, list[int]] = {}
        self._seen = np.zeros(0, dtype=np.int64)

    def look(self, rows: np.ndarray) -> bool:
        """Compare `rows` int64[m] with each other and with those seen before; whether a pair was
        found that was not known.

        Cost: K² / 2 walks through two trees, most of which end at once, and a read of the vectors
        of pairs that are near in the projection.
        """
        new = np.setdiff1d(rows, self._seen)
        everyone = np.union1d(self._seen, rows)
        pairs = self._near(new, everyone)
        self._seen = everyone
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

    def _near(self, new: np.ndarray, everyone: np.ndarray) -> np.ndarray:
        """Pairs int64[p, 2] of rows of different clusters, one of them new, that may be alike."""
        clusters = self.ranked.pool.cluster[everyone]
        is_new = np.isin(everyone, new, assume_unique=True)
        groups = {int(c): everyone[clusters == c] for c in np.unique(clusters)}
        fresh = {c: is_new[clusters == c] for c in groups}
        trees = {c: cKDTree(self.ranked.sketch(c, rows)) for c, rows in groups.items()}
        pairs = [np.zeros((0, 2), dtype=np.int64)]
        for one, two in combinations(groups, 2):
            if not (fresh[one].any() or fresh[two].any()):
                continue
            near = trees[one].sparse_distance_matrix(
                trees[two], self.distance, output_type="coo_matrix"
            )
            news = fresh[one][near.row] | fresh[two][near.col]
            pair = np.stack([groups[one][near.row], groups[two][near.col]], axis=1)
            pairs.append(pair[news])
        return np.concatenate(pairs)
