"""Rows to clusters: the nearest centroid, by blocked matrix products."""

from dataclasses import dataclass

import numpy as np

from compass_core.clusters.model import ClusterModel

DROPPED = -1  # noise policy `drop`: in no cluster, counted nowhere
OWN_BUCKET = -2  # noise policy `own_bucket`: rows outside every cluster, counted as one group


@dataclass(frozen=True)
class Assignment:
    """One entry a row, in the order of the vectors."""

    cluster_ids: np.ndarray  # int64[n]
    similarity: np.ndarray  # f32[n], cosine to the nearest centroid
    off_target: np.ndarray  # bool[n]


def nearest_centroid(
    vectors: np.ndarray, centroids: np.ndarray, block_rows: int = 65_536
) -> tuple[np.ndarray, np.ndarray]:
    """Position int64[n] of the nearest of centroids f32[K, d] and its cosine f32[n].

    Memory: one block of block_rows × K beside the input. Similarities are rounded to 1e-5 before
    they are compared, so that the number of threads cannot decide between two centroids.
    """
    best = np.empty(len(vectors), dtype=np.int64)
    similarity = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), block_rows):
        part = np.round(vectors[start : start + block_rows] @ centroids.T, 5)
        chosen = part.argmax(axis=1)
        best[start : start + len(part)] = chosen
        similarity[start : start + len(part)] = part[np.arange(len(part)), chosen]
    return best, similarity


def assign(
    model: ClusterModel, vectors: np.ndarray, noise: str, block_rows: int = 65_536
) -> Assignment:
    """Assign unit vectors f32[n, d]; rows below the threshold of their centroid are off target.

    `noise` says what becomes of those: `nearest` keeps them in the nearest cluster (marked),
    `own_bucket` puts them into group -2, `drop` into -1, which no distribution counts.
    """
    place, similarity = nearest_centroid(vectors, model.centroids, block_rows)
    off_target = similarity < model.thresholds[place]
    ids = model.cluster_ids[place].copy()
    if noise == "own_bucket":
        ids[off_target] = OWN_BUCKET
    elif noise == "drop":
        ids[off_target] = DROPPED
    return Assignment(ids, similarity, off_target)
