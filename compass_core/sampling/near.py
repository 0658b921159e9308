"""Which of two sets of unit vectors may say the same, by a few projections of each."""

from dataclasses import dataclass

import numpy as np

MARGIN = 1e-3  # of a distance: float32 sketches of float32 vectors
QUERY_ROWS, OTHER_ROWS = 256, 2_048  # a block of products that stays in the processor's cache


def largest_distance(limit: float) -> float:
    """How far apart projections of unit vectors with a cosine above `limit` can be.

    The vectors are at most sqrt(2 - 2 limit) apart, and no orthonormal projection moves them apart.
    """
    return float(np.sqrt(max(0.0, 2 - 2 * limit))) + MARGIN


def pairs_within(
    one: np.ndarray, two: np.ndarray, distance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places in f32[n, s] and f32[m, s] of the pairs that are at most `distance` apart.

    Cost: n m products of s + 2 numbers; no matrix over all pairs is held.
    """
    left = np.hstack([-2 * one, (one**2).sum(axis=1, keepdims=True), np.ones((len(one), 1))])
    right = np.hstack([two, np.ones((len(two), 1)), (two**2).sum(axis=1, keepdims=True)])
    left, right = left.astype(np.float32), np.ascontiguousarray(right.astype(np.float32).T)
    products = np.empty((QUERY_ROWS, OTHER_ROWS), dtype=np.float32)
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    limit = np.float32(distance**2)
    for i in range(0, len(one), QUERY_ROWS):
        for j in range(0, len(two), OTHER_ROWS):
            a, b = left[i : i + QUERY_ROWS], right[:, j : j + OTHER_ROWS]
            out = products[: len(a), : b.shape[1]]
            near = np.flatnonzero(np.matmul(a, b, out=out) <= limit)
            if near.size:
                row, column = np.divmod(near, b.shape[1])
                found[0].append(row + i)
                found[1].append(column + j)
    nothing = [np.zeros(0, dtype=np.int64)]
    return np.concatenate(nothing + found[0]), np.concatenate(nothing + found[1])


@dataclass(frozen=True)
class Held:
    """Vectors f32[t, d] of rows that are held already, their projections on `directions` f32[d, s]
    and the cosine above which another row says the same."""

    vectors: np.ndarray
    directions: np.ndarray
    limit: float
    sketches: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, directions: np.ndarray, limit: float) -> "Held":
        return cls(vectors, directions, limit, vectors @ directions)

    def twins(self, vectors: np.ndarray, sketches: np.ndarray) -> np.ndarray:
        """The nearest held row int64[n] of each of f32[n, d] that says the same; -1: none does."""
        rows, held = pairs_within(sketches, self.sketches, largest_distance(self.limit))
        cosines = np.round(np.einsum("ij,ij->i", vectors[rows], self.vectors[held]), 5)
        alike = cosines > self.limit
        rows, held, cosines = rows[alike], held[alike], cosines[alike]
        twin = np.full(len(vectors), -1, dtype=np.int64)
        order = np.lexsort((-held, cosines))  # the last that is written stays
        twin[rows[order]] = held[order]
        return twin
