"""How good a clustering is: silhouette and a density-based index, both on a sample."""

from itertools import pairwise

import numpy as np

from compass_core.clusters.blocks import workers
from compass_core.hashing import seeded_generator

SAMPLE_ROWS = 2_000
MIN_SAMPLES = 5
TWINS = 1e-9  # added to every distance: a stored zero means no edge to scipy


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
    from scipy.sparse import block_diag
    from scipy.sparse.csgraph import minimum_spanning_tree

    clusters, inverse = np.unique(labels, return_inverse=True)
    if len(clusters) < 2:
        return float("nan")
    order = np.argsort(inverse, kind="stable")  # so that a cluster is a square of the matrix
    edges = np.searchsorted(inverse[order], np.arange(len(clusters) + 1))
    with workers():
        cosines = (vectors[order] @ vectors[order].T).astype(np.float64)
    distance = np.sqrt(np.clip(2 - 2 * cosines, 0, None, out=cosines))
    core = np.zeros(len(vectors))
    for start, stop in pairwise(edges):
        inside = np.sort(distance[start:stop, start:stop], axis=1)
        core[start:stop] = inside[:, min(MIN_SAMPLES, stop - start - 1)]
    reach = np.maximum(np.maximum(distance, core[:, None], out=distance), core, out=distance)
    within = block_diag([reach[a:b, a:b] + TWINS for a, b in pairwise(edges)], format="csr")
    tree = minimum_spanning_tree(within).tocoo()
    sparseness = np.zeros(len(clusters))
    np.maximum.at(sparseness, inverse[order][tree.row], tree.data)
    between = np.minimum.reduceat(np.minimum.reduceat(reach, edges[:-1]), edges[:-1], axis=1)
    np.fill_diagonal(between, np.inf)
    separation = between.min(axis=1)
    validity = (separation - sparseness) / np.maximum(np.maximum(separation, sparseness), 1e-12)
    return float((np.diff(edges) / len(vectors) * validity).sum())
