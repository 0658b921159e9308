"""HDBSCAN in the full space: neighbours by matrix products, hdbscan's own tree.

Reducing to a few dimensions first costs more time and loses clusters; n² memory is avoided by
building the spanning tree on the graph of the k nearest neighbours.
"""

from typing import Any

import numpy as np

from compass_core.clusters.neighbours import neighbours

NEIGHBOURS = 64  # with 32 the tree of 10,000 planted rows took in 29 scattered ones, with 64 three
AT_ONCE = 16  # neighbours a row that are added to the tree in one go
TWINS = 1e-6  # added to every distance: a stored zero means no edge to scipy, and twins are at 0
MIN_SAMPLES = 5  # a row's density is the distance to its fifth neighbour


def density_labels(vectors: np.ndarray, min_cluster_size: int) -> np.ndarray:
    """Labels int64[n] of unit vectors f32[n, d]; -1 is noise.

    Cost: that of the neighbours, and memory n × 64 for their graph.
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
    """Edges f64[n - 1, 3] (from, to, mutual reachability) of a minimum spanning tree.

    Of the graph of all neighbours. An edge that the tree of a part leaves out is not needed by that
    of the whole: neighbours are added sixteen at a time, and the graph is never held as one.
    """
    from scipy.sparse.csgraph import connected_components

    n = len(vectors)
    places, distances = neighbours(vectors, NEIGHBOURS)
    core = distances[:, min(MIN_SAMPLES, distances.shape[1]) - 1]
    tree = _edges(n, np.empty((2, 0), dtype=np.int64), np.empty(0))
    longest = 0.0
    for start in range(0, places.shape[1], AT_ONCE):
        columns = places[:, start : start + AT_ONCE].ravel().astype(np.int64)
        apart = distances[:, start : start + AT_ONCE].ravel()
        rows = np.repeat(np.arange(n), len(columns) // n)
        weights = np.maximum(np.maximum(core[rows], core[columns]), apart).astype(np.float64)
        longest = max(longest, float(weights.max()) + TWINS)
        held = np.stack([tree.row, tree.col]).astype(np.int64)
        ends = np.stack([np.minimum(rows, columns), np.maximum(rows, columns)])
        tree = _edges(
            n, np.concatenate([held, ends], axis=1), np.concatenate([tree.data, weights + TWINS])
        )
    edges = [np.stack([tree.row, tree.col, tree.data], axis=1)]
    count, component = connected_components(tree, directed=False)
    if count > 1:
        edges.append(_bridges(vectors, component, count, longest))
    return np.ascontiguousarray(np.concatenate(edges), dtype=np.float64)


def _edges(n: int, ends: np.ndarray, weights: np.ndarray) -> Any:
    """Minimum spanning forest of edges int64[2, m], the smaller end first, as a scipy COO matrix.

    The same pair twice has the same weight, and counts once.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    first = np.unique(ends[0] * n + ends[1], return_index=True)[1]
    graph = coo_matrix((weights[first], (ends[0][first], ends[1][first])), shape=(n, n)).tocsr()
    return minimum_spanning_tree(graph, overwrite=True).tocoo()


def _bridges(vectors: np.ndarray, component: np.ndarray, count: int, longest: float) -> np.ndarray:
    """Edges that join components of the neighbour graph, by their mean directions.

    They are longer than every edge inside: components are apart by more than 64 neighbours.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    means = np.zeros((count, vectors.shape[1]))
    np.add.at(means, component, vectors)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    member = np.zeros(count, dtype=np.int64)
    member[component[::-1]] = np.arange(len(vectors))[::-1]
    apart = np.sqrt(np.clip(2 - 2 * np.round(means @ means.T, 6), 0, None)) + TWINS
    np.fill_diagonal(apart, 0)
    tree: Any = minimum_spanning_tree(apart).tocoo()
    return np.stack([member[tree.row], member[tree.col], longest + tree.data], axis=1)
