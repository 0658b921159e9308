"""Spherical k-means in blocks, the same result for any row order and thread count."""

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.blocks import BLOCK_ROWS, workers

MAX_ITERATIONS = 40
DECIMALS = 5  # of a centroid: summation order leaves differences of 1e-7


def plus_plus_starts(vectors: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
    """Greedy k-means++ starts f32[k', d], k' <= k (Arthur and Vassilvitskii 2007).

    Of some rows drawn by their distance to the starts so far, the one that leaves the smallest
    total distance is taken. A start depends on those before it only, so the first j of k are
    starts for j clusters. Fewer than k where the rows are fewer or the same. Cost: k·log(k)·n·d.
    """
    n = len(vectors)
    chosen = [int(generator.integers(n))]
    nearest = _distances(vectors, vectors[chosen])[:, 0]
    drawn_each = 2 + int(np.log(max(k, 1)))
    for _ in range(1, min(k, n)):
        total = nearest.sum()
        if total <= 1e-9:
            break  # fewer distinct rows than k
        at = np.searchsorted(np.cumsum(nearest), generator.random(drawn_each) * total)
        drawn = np.minimum(at, n - 1)
        left = np.minimum(nearest[:, None], _distances(vectors, vectors[drawn]))
        best = int(np.round(left.sum(axis=0), DECIMALS).argmin())
        chosen.append(int(drawn[best]))
        nearest = left[:, best]
    return vectors[chosen].astype(np.float32)


def refine(
    vectors: np.ndarray, centroids: np.ndarray, iterations: int = MAX_ITERATIONS
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's iterations from given centroids f32[k, d], until no row moves.

    Centroids f32[k', d] (unit rows, k' <= k: empty ones are removed) and labels int64[n]. Rows have
    to come in a fixed order. Cost: n·k·d operations an iteration.
    """
    labels = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(iterations):
        now, _similarity = nearest_centroid(vectors, centroids)
        if np.array_equal(now, labels):
            break
        labels = now
        centroids = mean_directions(vectors, labels, len(centroids), centroids)
    used, labels = np.unique(labels, return_inverse=True)
    return centroids[used], labels.astype(np.int64)


def mean_directions(
    vectors: np.ndarray, labels: np.ndarray, k: int, fallback: np.ndarray | None = None
) -> np.ndarray:
    """Unit mean f32[k, d] of the rows of each label; `fallback` where a label has none."""
    from scipy.sparse import csr_matrix

    sums = np.zeros((k, vectors.shape[1]), dtype=np.float64)
    for start in range(0, len(vectors), 8 * BLOCK_ROWS):
        part = labels[start : start + 8 * BLOCK_ROWS]
        order = np.argsort(part, kind="stable")
        pointers = np.searchsorted(part[order], np.arange(k + 1))
        member = csr_matrix((np.ones(len(part)), order, pointers), shape=(k, len(part)))
        sums += member @ vectors[start : start + len(part)].astype(np.float64)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 1e-12)
    if fallback is not None:
        empty = lengths[:, 0] <= 1e-12
        means[empty] = fallback[empty]
    rounded: np.ndarray = np.round(means, DECIMALS).astype(np.float32)
    return rounded


def _distances(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Cosine distances f64[n, m], never negative; the same for any number of threads."""
    with workers():
        cosines = np.round((vectors @ points.T).astype(np.float64), DECIMALS)
    return np.asarray(np.clip(1.0 - cosines, 0.0, None))
