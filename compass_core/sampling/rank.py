"""The order of rows within a cluster: those first that answer what users ask."""

import numpy as np
import polars as pl

BLOCK_ROWS = 4_096
CHECKED_ROWS = 20_000  # rows of a cluster compared for near-duplicates: the first by rank


def rank_rows(
    rows: pl.DataFrame,
    vectors: np.ndarray | None,
    target_vectors: np.ndarray | None,
    language: str,
    affinity_weight: float,
) -> np.ndarray:
    """Rank int64[n] of the rows of one cluster, 0 first.

    Each row belongs to the target point nearest to it. The best row of every point comes first,
    then every point's second, and so on: what is asked often, and in many ways, gets many rows,
    and no point is served twice before all are served. Rows in the target language are counted as
    nearer by `affinity_weight`; the random key decides between equals.
    """
    n = rows.height
    score = rows["similarity"].to_numpy().astype(np.float64)
    point = np.zeros(n, dtype=np.int64)
    if vectors is not None and target_vectors is not None and len(target_vectors):
        for start in range(0, n, BLOCK_ROWS):
            part = np.round(vectors[start : start + BLOCK_ROWS] @ target_vectors.T, 4)
            point[start : start + len(part)] = part.argmax(axis=1)
            score[start : start + len(part)] = part.max(axis=1)
    own = (rows["row_language"] == language).to_numpy()
    score = np.round(score + affinity_weight * own, 4)
    key = rows["key"].to_numpy()
    order = np.lexsort((key, -score, point))
    turn = np.empty(n, dtype=np.int64)
    # How many rows of the same point stand before each row, in that order.
    starts = np.flatnonzero(np.diff(point[order], prepend=-1))
    turn[order] = np.arange(n) - np.repeat(starts, np.diff(starts, append=n))
    ranks = np.empty(n, dtype=np.int64)
    ranks[np.lexsort((key, -score, turn))] = np.arange(n)
    return ranks


def near_duplicates(vectors: np.ndarray, ranks: np.ndarray, limit: float) -> np.ndarray:
    """bool[n]: rows with a cosine above `limit` to a row of better rank that is kept itself.

    Does not depend on any budget. Cost: the square of the rows, in blocks; beyond 20,000 rows of a
    cluster only the first by rank are compared.
    """
    order = np.argsort(ranks)[:CHECKED_ROWS]
    ordered = vectors[order]
    twin = np.zeros(len(order), dtype=bool)
    for start in range(0, len(order), BLOCK_ROWS):
        block = ordered[start : start + BLOCK_ROWS]
        similarity = np.round(block @ ordered[: start + len(block)].T, 5)
        alike = similarity > limit
        for i in np.flatnonzero(alike.sum(axis=1) > 1):
            before = np.flatnonzero(alike[i][: start + i])
            twin[start + i] = bool(before.size) and not twin[before].all()
    found = np.zeros(len(ranks), dtype=bool)
    found[order] = twin
    return found
