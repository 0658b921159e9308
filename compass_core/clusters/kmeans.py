"""Spherical k-means in blocks, the same result for any row order and thread count."""

import numpy as np

from compass_core.clusters.assign import nearest_centroid

MAX_ITERATIONS = 40
DECIMALS = 5  # centroids are rounded: summation order and threads leave differences of 1e-7


def spherical_kmeans(
    vectors: np.ndarray, k: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Centroids f32[k', d] (unit rows, k' <= k: empty ones are removed) and labels int64[n].

    Rows have to come in a fixed order. Cost: n·k·d operations an iteration, at most 40.
    """
    centroids = _plus_plus(vectors, k, generator)
    labels = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(MAX_ITERATIONS):
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
    sums = np.zeros((k, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, labels, vectors.astype(np.float64))
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 1e-12)
    if fallback is not None:
        empty = lengths[:, 0] <= 1e-12
        means[empty] = fallback[empty]
    rounded: np.ndarray = np.round(means, DECIMALS).astype(np.float32)
    return rounded


def _plus_plus(vectors: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
    """k-means++ starts: each new one drawn with probability by squared distance to the others."""
    n = len(vectors)
    chosen = [int(generator.integers(n))]
    nearest = 1.0 - np.round((vectors @ vectors[chosen[0]]).astype(np.float64), DECIMALS)
    for _ in range(1, min(k, n)):
        weights = np.clip(nearest, 0.0, None)
        total = weights.sum()
        if total <= 1e-9:
            break  # fewer distinct rows than k
        drawn = int(np.searchsorted(np.cumsum(weights), generator.random() * total))
        drawn = min(drawn, n - 1)
        chosen.append(drawn)
        distance = 1.0 - np.round((vectors @ vectors[drawn]).astype(np.float64), DECIMALS)
        np.minimum(nearest, distance, out=nearest)
    return vectors[chosen].astype(np.float32)
