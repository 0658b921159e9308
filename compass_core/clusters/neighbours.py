"""Nearest neighbours by matrix products: exact for few rows, within nearby cells for many.

Many rows are cut into cells (a coarse spherical k-means), and a row is compared with the rows of
the cells nearest to its own. Rows of one dense region share a few cells, so the neighbours that
make clusters are found; scattered rows may miss some of theirs and look a little more scattered.
"""

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.blocks import over_blocks
from compass_core.clusters.kmeans import mean_directions

EXACT_ROWS = 12_000  # up to here every row is compared with every row
CELL_ROWS = 320  # rows a cell holds on average
CELL_SAMPLE = 64  # rows a cell that its centre is fitted on
CELL_ROUNDS = 4
NEAR_CELLS = 10
QUERY_ROWS = 512


def neighbours(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions int32[n, k] and distances f32[n, k] of the k nearest other rows, nearest first.

    Unit vectors f32[n, d] in a fixed order. Up to 12,000 rows: exact, n²·d operations. Beyond:
    about 3,200·n·d. Memory: n·k and a block.
    """
    n = len(vectors)
    k = min(k, n - 1)
    places = np.empty((n, k), dtype=np.int32)
    distances = np.empty((n, k), dtype=np.float32)

    def search(queries: np.ndarray, others: np.ndarray, found_in: np.ndarray) -> None:
        cosines = vectors[queries] @ found_in.T
        own = np.searchsorted(others, queries)
        cosines[np.arange(len(queries)), own] = -np.inf
        found, best = _largest(cosines, others, k)
        places[queries] = found
        distances[queries] = np.sqrt(np.clip(2 - 2 * best, 0, None))

    if n <= EXACT_ROWS:
        everyone = np.arange(n)
        over_blocks(
            n, lambda start, stop: search(everyone[start:stop], everyone, vectors), QUERY_ROWS
        )
        return places, distances
    members, around = _cells(vectors, k)

    def search_cell(start: int, stop: int) -> None:
        for cell in range(start, stop):
            mine = members[cell]
            others = np.sort(np.concatenate([members[other] for other in around[cell]]))
            found_in = vectors[others]
            for first in range(0, len(mine), QUERY_ROWS):
                search(mine[first : first + QUERY_ROWS], others, found_in)

    over_blocks(len(members), search_cell, 1)
    return places, distances


def _largest(cosines: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and values of the k largest of each row, in order; equals by position."""
    top = np.argpartition(cosines, cosines.shape[1] - k, axis=1)[:, -k:]
    values = np.round(np.take_along_axis(cosines, top, axis=1), 6)
    names = others[top]
    order = np.lexsort((names, -values), axis=1)
    return np.take_along_axis(names, order, axis=1), np.take_along_axis(values, order, axis=1)


def _cells(vectors: np.ndarray, k: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sorted rows of each cell, and for each cell the cells to search: the nearest ten, and more
    until they hold more than k rows."""
    n = len(vectors)
    count = max(2, n // CELL_ROWS)
    generator = np.random.default_rng(n)
    sample = np.sort(generator.permutation(n)[: count * CELL_SAMPLE])
    rows = vectors[sample]
    centres = rows[np.sort(generator.permutation(len(rows))[:count])]
    for _ in range(CELL_ROUNDS):
        labels, _cosines = nearest_centroid(rows, centres)
        centres = mean_directions(rows, labels, count, centres)
    labels, _cosines = nearest_centroid(vectors, centres)
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(count + 1))
    members = [order[edges[c] : edges[c + 1]] for c in range(count)]
    sizes = np.diff(edges)
    between = np.round(centres @ centres.T, 5)
    np.fill_diagonal(between, 2.0)
    nearest = np.argsort(-between, axis=1, kind="stable")
    around = []
    for row in nearest:
        held = np.cumsum(sizes[row])
        enough = int(np.searchsorted(held, k, side="right")) + 1
        around.append(row[: max(NEAR_CELLS, enough)])
    return members, around
