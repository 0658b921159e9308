"""How good a clustering is: silhouette and a density-based index, both on a sample."""

import numpy as np

from compass_core.clusters.blocks import workers
from compass_core.hashing import seeded_generator

SAMPLE_ROWS = 2_000
MIN_SAMPLES = 5


def stratified_sample(labels: np.ndarray, seed: int, rows: int = SAMPLE_ROWS) -> np.ndarray:
    """Positions of at most `rows` rows, from every cluster by its share, at least two of each."""
    if len(labels) <= rows:
        return np.arange(len(labels))
    generator = seeded_generator(seed, "quality-sample")
    order = generator.permutation(len(labels))
    taken = []
    for cluster in np.unique(labels):
        mine = order[labels[order] == cluster]
        taken.append(mine[: max(2, round(rows * len(mine) / len(labels)))])
    return np.sort(np.concatenate(taken))


def silhouette(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Mean cosine silhouette (Rousseeuw 1987); nan with fewer than two clusters."""
    from sklearn.metrics import silhouette_score

    count = len(np.unique(labels))
    if count < 2 or count >= len(labels):
        return float("nan")
    with workers():
        return float(silhouette_score(vectors, labels, metric="cosine"))


def dbcv(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Density-based validity (Moulavi et al. 2014) in [-1, 1]; nan with fewer than two clusters.

    The density of a row is the distance to its fifth neighbour in its cluster: the paper's mean of
    inverse distances to the power of the dimension overflows beyond a few dozen dimensions.
    Cost: the n² matrix of the rows given, so give a sample.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    clusters, inverse = np.unique(labels, return_inverse=True)
    if len(clusters) < 2:
        return float("nan")
    with workers():
        cosines = (vectors @ vectors.T).astype(np.float64)
    distance = np.sqrt(np.clip(2 - 2 * cosines, 0, None))
    core = np.zeros(len(vectors))
    sparseness = np.zeros(len(clusters))
    members = [np.flatnonzero(inverse == c) for c in range(len(clusters))]
    for c, rows in enumerate(members):
        inner = np.sort(distance[np.ix_(rows, rows)], axis=1)
        core[rows] = inner[:, min(MIN_SAMPLES, len(rows) - 1)]
        reach = np.maximum(np.maximum.outer(core[rows], core[rows]), distance[np.ix_(rows, rows)])
        tree = minimum_spanning_tree(reach + 1e-9).tocoo()
        sparseness[c] = tree.data.max() if tree.nnz else 0.0
    reach = np.maximum(np.maximum.outer(core, core), distance)
    separation = np.full(len(clusters), np.inf)
    for c, rows in enumerate(members):
        others = np.flatnonzero(inverse != c)
        separation[c] = reach[np.ix_(rows, others)].min()
    validity = (separation - sparseness) / np.maximum(np.maximum(separation, sparseness), 1e-12)
    shares = np.array([len(rows) for rows in members]) / len(vectors)
    return float((shares * validity).sum())
