"""HDBSCAN in the full space: neighbours by matrix products, hdbscan's own tree.

Reducing to a few dimensions first costs more time and loses clusters; n² memory is avoided by
building the spanning tree on the graph of the k nearest neighbours.
"""

from typing import Any

import numpy as np

from compass_core.clusters.neighbours import neighbours

NEIGHBOURS = 32
MIN_SAMPLES = 5  # a row's density is the distance to its fifth neighbour


def density_labels(vectors: np.ndarray, min_cluster_size: int) -> np.ndarray:
    """Labels int64[n] of unit vectors f32[n, d]; -1 is noise.

    Cost: that of the neighbours, and memory n × 32 for their graph.
    """
    from hdbscan._hdbscan_linkage import label
    from hdbscan._hdbscan_tree import compute_stability, condense_tree, get_clusters

    n = len(vectors)
    if n < 2 * min_cluster_size:
        return np.full(n, -1, dtype=np.int64)
    tree = spanning_tree(vectors)
    linkage = label(tree[np.argsort(tree[:, 2], kind="stable")])
    condensed = condense_tree(linkage, min_cluster_size)
    labels, _probabilities, _stabilities = get_clusters(condensed, compute_stability(condensed))
    return np.asarray(labels, dtype=np.int64)


def spanning_tree(vectors: np.ndarray) -> np.ndarray:
    """Edges f64[n - 1, 3] (from, to, mutual reachability) of a minimum spanning tree."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    n = len(vectors)
    places, distances = neighbours(vectors, NEIGHBOURS)
    core = distances[:, min(MIN_SAMPLES, distances.shape[1]) - 1]
    rows = np.repeat(np.arange(n), places.shape[1])
    columns = places.ravel().astype(np.int64)
    weights = np.maximum(np.maximum(core[rows], core[columns]), distances.ravel())
    weights = (
        weights.astype(np.float64) + 1e-6
    )  # a stored zero means no edge to scipy, and twins are at distance 0
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    first = np.unique(low * n + high, return_index=True)[1]
    graph = coo_matrix((weights[first], (low[first], high[first])), shape=(n, n)).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    edges = [np.stack([tree.row, tree.col, tree.data], axis=1)]
    count, component = connected_components(graph, directed=False)
    if count > 1:
        edges.append(_bridges(vectors, component, count, float(weights.max())))
    return np.ascontiguousarray(np.concatenate(edges), dtype=np.float64)


def _bridges(vectors: np.ndarray, component: np.ndarray, count: int, longest: float) -> np.ndarray:
    """Edges that join components of the neighbour graph, by their mean directions.

    They are longer than every edge inside: components are apart by more than 32 neighbours.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    means = np.zeros((count, vectors.shape[1]))
    np.add.at(means, component, vectors)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    member = np.zeros(count, dtype=np.int64)
    member[component[::-1]] = np.arange(len(vectors))[::-1]
    apart = np.sqrt(np.clip(2 - 2 * np.round(means @ means.T, 6), 0, None)) + 1e-6
    np.fill_diagonal(apart, 0)
    tree: Any = minimum_spanning_tree(apart).tocoo()
    return np.stack([member[tree.row], member[tree.col], longest + tree.data], axis=1)
