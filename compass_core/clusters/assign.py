"""Rows to clusters: the nearest centroid, by matrix products over blocks that fit in the cache."""

from dataclasses import dataclass

import numpy as np

from compass_core.clusters.blocks import BLOCK_ROWS, exact_cosines, over_blocks
from compass_core.clusters.model import ClusterModel

DROPPED = -1  # noise policy `drop`: in no cluster, counted nowhere
OWN_BUCKET = -2  # noise policy `own_bucket`: rows outside every cluster, counted as one group
DECIMALS = 4  # of a similarity; finer digits are the product's own error on long vectors
TIE = 1e-5  # far above the error of a float32 product of unit vectors


@dataclass(frozen=True)
class Assignment:
    """One entry a row, in the order of the vectors."""

    cluster_ids: np.ndarray  # int64[n]
    similarity: np.ndarray  # f32[n], cosine to the nearest centroid
    noise: np.ndarray  # bool[n], outside the dense part of its cluster
    off_target: np.ndarray  # bool[n], far from every cluster; always noise too


def nearest_centroid(
    vectors: np.ndarray, centroids: np.ndarray, block_rows: int = BLOCK_ROWS
) -> tuple[np.ndarray, np.ndarray]:
    """Position int64[n] of the nearest of centroids f32[K, d] and its cosine f32[n], 4 decimals.

    The same for any block size, thread count and position of a row: a float32 product decides, and
    where it cannot (two centroids within 1e-5, or a cosine that close to the edge of a rounding)
    the cosine is summed again in float64. Cost: n·K·d operations; memory: one block × K a thread.
    """
    count = len(vectors)
    best = np.empty(count, dtype=np.int64)
    similarity = np.empty(count, dtype=np.float32)
    turned = np.ascontiguousarray(centroids.T, dtype=np.float32)
    half = 0.5 * 10.0**-DECIMALS

    def work(start: int, stop: int) -> None:
        block = np.ascontiguousarray(vectors[start:stop], dtype=np.float32)
        products = block @ turned
        rows = np.arange(len(block))
        chosen = products.argmax(axis=1)
        top = products[rows, chosen]
        products[rows, chosen] = -np.inf
        for row in np.flatnonzero(top - products.max(axis=1, initial=-np.inf) < TIE):
            rivals = np.flatnonzero(products[row] > top[row] - 2 * TIE)
            rivals = np.sort(np.append(rivals, chosen[row]))
            repeated = np.broadcast_to(block[row], (len(rivals), block.shape[1]))
            exact = np.round(exact_cosines(repeated, centroids[rivals]), 9)
            chosen[row], top[row] = rivals[exact.argmax()], exact.max()
        scaled = top.astype(np.float64)
        apart = np.abs(np.remainder(scaled, 2 * half) - half)
        near = np.flatnonzero(apart < TIE / 5)
        scaled[near] = exact_cosines(block[near], centroids[chosen[near]])
        best[start:stop] = chosen
        similarity[start:stop] = np.round(scaled, DECIMALS)

    over_blocks(count, work, block_rows)
    return best, similarity


def assign(
    model: ClusterModel, vectors: np.ndarray, noise: str, block_rows: int = BLOCK_ROWS
) -> Assignment:
    """Assign unit vectors f32[n, d]; marks noise and off-target rows.

    `noise` is the policy, what becomes of both: `nearest` keeps them in the nearest cluster
    (marked), `own_bucket` puts them into group -2, `drop` into -1, which no distribution counts.
    """
    place, similarity = nearest_centroid(vectors, model.centroids, block_rows)
    off_target = similarity < model.thresholds[place]
    outside = (similarity < model.noise_thresholds[place]) | off_target
    ids = model.cluster_ids[place].copy()
    if noise == "own_bucket":
        ids[outside] = OWN_BUCKET
    elif noise == "drop":
        ids[outside] = DROPPED
    return Assignment(ids, similarity, outside, off_target)
