"""Clusters with too few usage rows to say anything are merged into their nearest neighbour."""

import numpy as np

MIN_SIMILARITY = 0.5


def merge_small(
    counts: np.ndarray, usage: np.ndarray, centroids: np.ndarray, min_rows: int
) -> np.ndarray:
    """Position int64[K] of each cluster's host: itself, or the cluster it is merged into.

    Merged are clusters with some usage rows but fewer than `min_rows` usage and training rows
    (`counts`), into the nearest cluster that stands for itself, if its cosine is 0.5 or more.
    Clusters without any usage are left alone: merging them would make the pool of a topic that
    nobody asks about look like the pool of one that somebody does.
    """
    hosts = np.arange(len(counts))
    small = (usage > 0) & (counts < min_rows)
    large = np.flatnonzero((usage > 0) & ~small)
    if not large.size:
        return hosts
    similarity = np.round(centroids @ centroids[large].T, 5)
    for place in np.flatnonzero(small):
        best = int(similarity[place].argmax())
        if similarity[place, best] >= MIN_SIMILARITY:
            hosts[place] = large[best]
    return hosts
