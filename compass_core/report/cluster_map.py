"""A map of clusters in two dimensions, for people to look at; no decision is taken from it."""

import numpy as np

SPREAD = 0.35  # rows reach this share of the distance between neighbouring clusters


def cluster_positions(centroids: np.ndarray, seed: int) -> np.ndarray:
    """Positions f64[K, 2] in [-1, 1] of unit centroids f32[K, d]; near ones lie near each other.

    t-SNE (van der Maaten and Hinton 2008) on the K centroids, not on the rows: it costs a second
    and every cluster has one place. With fewer than five clusters their principal axes.
    """
    count = len(centroids)
    points = centroids.astype(np.float64)
    if count < 5:
        return _scaled(_principal(points - points.mean(axis=0)))
    from sklearn.manifold import TSNE

    made = TSNE(
        n_components=2,
        metric="cosine",
        init="random",
        perplexity=min(15.0, (count - 1) / 3),
        method="exact",
        random_state=seed,
    ).fit_transform(points)
    return _scaled(made.astype(np.float64))


def row_positions(
    vectors: np.ndarray, places: np.ndarray, centroids: np.ndarray, positions: np.ndarray
) -> np.ndarray:
    """Positions f64[n, 2] of rows f32[n, d] around their clusters (`places` int64[n]).

    Each is moved from its cluster's place by the two main directions in which rows differ from
    their centroids, so its neighbours within the cluster are real, and those across clusters not.
    """
    residual = vectors.astype(np.float64) - centroids[places]
    offsets = _principal(residual)
    reach = np.quantile(np.linalg.norm(offsets, axis=1), 0.95) if len(offsets) else 1.0
    scale = SPREAD * _spacing(positions) / max(float(reach), 1e-12)
    return np.asarray(positions[places] + offsets * scale)


def _spacing(positions: np.ndarray) -> float:
    """Median distance of a cluster to its nearest neighbour on the map."""
    if len(positions) < 2:
        return 1.0
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(np.median(apart.min(axis=1)))


def _principal(rows: np.ndarray) -> np.ndarray:
    """Coordinates f64[n, 2] along the two main directions; signs fixed, so the map keeps still."""
    flat = np.zeros((len(rows), 2))
    if not len(rows):
        return flat
    _, _, axes = np.linalg.svd(rows.T @ rows, hermitian=True)
    axes = axes[:2]
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    flat[:, : len(axes)] = rows @ axes.T
    return flat


def _scaled(points: np.ndarray) -> np.ndarray:
    centred = points - (points.max(axis=0) + points.min(axis=0)) / 2
    scaled: np.ndarray = centred / max(float(np.abs(centred).max()), 1e-12)
    return scaled
