"""How far from its centroid a row may be: off target, and noise as HDBSCAN sees it."""

import numpy as np

OWN_THRESHOLD_ROWS = 50  # smaller clusters take the threshold of all rows
LOST_MEMBERS = 0.01  # of HDBSCAN's own members of a cluster; so many may be called noise at most
STRAY_DEVIATIONS = 6.0
NORMAL = 1.4826  # a normal distribution's standard deviation over its median absolute deviation
MARGIN = 1e-4  # the last decimal of a similarity


def quantile_thresholds(
    labels: np.ndarray, similarity: np.ndarray, count: int, quantile: float
) -> np.ndarray:
    """Cosine f32[count] that `quantile` of each cluster's rows are below; small clusters take that
    of all rows. `labels` int64[n] are positions of clusters, `similarity` f32[n]."""
    overall = float(np.quantile(similarity, quantile)) if len(similarity) else -1.0
    found = np.full(count, overall, dtype=np.float64)
    for c, mine in _by_cluster(labels, count):
        if len(mine) >= OWN_THRESHOLD_ROWS:
            found[c] = np.quantile(similarity[mine], quantile)
    return np.asarray(np.round(found - MARGIN, 4), dtype=np.float32)


def noise_thresholds(
    labels: np.ndarray, similarity: np.ndarray, member: np.ndarray, count: int
) -> np.ndarray:
    """Cosine f32[count] below which a row of the nearest cluster is noise; -1 where none is.

    `member` bool[n]: HDBSCAN put the row into the cluster that is nearest to it; the others it
    called noise, or they are a few that are nearer to another centroid. Each threshold is the one
    that agrees with HDBSCAN about the most rows, among those that leave out at most one per cent
    of the members: scattered rows between dense ones must not take the whole cluster with them.
    A member more than six robust deviations below its cluster's median counts as scattered: where
    neighbours are approximate the tree takes some in. The threshold lies in the middle between the
    two rows that it parts.
    """
    found = np.full(count, -1.0)
    for c, mine in _by_cluster(labels, count):
        order = mine[np.argsort(similarity[mine], kind="stable")]
        cosines, inside = similarity[order].astype(np.float64), member[order]
        if not inside.any():
            continue
        lost = np.concatenate([[0], np.cumsum(inside)[:-1]])  # members below row i
        cut = np.concatenate([[True], np.diff(cosines) > 0])  # nothing parts rows that are equal
        allowed = cut & (lost <= LOST_MEMBERS * inside.sum())
        inside = inside & (cosines >= _stray(cosines[inside]))
        lost = np.concatenate([[0], np.cumsum(inside)[:-1]])
        kept = np.cumsum(~inside[::-1])[::-1]  # rows from i on that are scattered
        wrong = np.where(allowed, lost + kept, len(order) + 1)
        best = len(order) - 1 - int(wrong[::-1].argmin())  # of equals the strictest
        below = cosines[best - 1] if best else cosines[0] - 2 * MARGIN
        found[c] = (below + cosines[best]) / 2
    return np.asarray(np.round(found, 5), dtype=np.float32)


def _stray(cosines: np.ndarray) -> float:
    """Below this a member is a scattered row that was taken in."""
    middle = float(np.median(cosines))
    deviation = NORMAL * float(np.median(np.abs(cosines - middle)))
    return middle - STRAY_DEVIATIONS * deviation if deviation else -1.0  # 0: most rows are twins


def _by_cluster(labels: np.ndarray, count: int) -> list[tuple[int, np.ndarray]]:
    """Positions of the rows of each cluster that has any."""
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(count + 1))
    return [(int(c), order[edges[c] : edges[c + 1]]) for c in np.flatnonzero(np.diff(edges))]
