"""Ids that survive a refit: new clusters take the ids of the old ones that they continue.

Clusters are compared by the rows they share, not by the cosine of their centroids: two unrelated
clusters of an embedder such as E5 have a cosine above 0.8, and rows mean the same everywhere.
"""

from typing import Any

import numpy as np

SAME = 0.3  # shared rows / all rows of both, from which a new cluster continues an old one
WORTH = 1e-6  # of a pair at exactly 0.3, which is still the same cluster
RELATED = 0.5  # share of a cluster's rows in another, from which a split or a merge is recorded


def overlap_of(
    new: np.ndarray, old: np.ndarray, new_count: int, old_count: int, weights: np.ndarray
) -> np.ndarray:
    """Weight f64[K', K] of the rows by new and old position (int64[n]; old -1: in none)."""
    known = old >= 0
    table = np.zeros((new_count, old_count))
    np.add.at(table, (new[known], old[known]), weights[known])
    return table


def match_ids(
    overlap: np.ndarray, new_sizes: np.ndarray, old_ids: np.ndarray, next_id: int
) -> tuple[np.ndarray, int, list[dict[str, Any]]]:
    """Ids int64[K'] for new clusters, the next free id, and what happened to which cluster.

    `overlap` f64[K', K]: rows in new cluster i that were in old cluster j; a row sums to at most
    `new_sizes` f64[K']. One to one by the Hungarian method on `_gain`; below a Jaccard index of 0.3
    a cluster is new. Ids that are gone are never given again. Events: kept, new, split (most of its
    rows come from an old one that is kept or was split further), merged (most rows of an old one
    went into a cluster with another id), gone.
    """
    from scipy.optimize import linear_sum_assignment

    old_sizes = overlap.sum(axis=0)
    union = new_sizes[:, None] + old_sizes[None, :] - overlap
    jaccard = np.round(np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0), 9)
    gain = _gain(jaccard)
    ids = np.full(len(overlap), -1, dtype=np.int64)
    for new, old in zip(*linear_sum_assignment(-gain), strict=True):
        if gain[new, old] > 0:
            ids[new] = old_ids[old]
    fresh = np.flatnonzero(ids < 0)
    ids[fresh] = next_id + np.arange(len(fresh))
    events: list[dict[str, Any]] = []
    for new in fresh:
        old = int(overlap[new].argmax()) if len(old_ids) else -1
        if old >= 0 and overlap[new, old] >= RELATED * max(new_sizes[new], 1):
            event = {"what": "split", "id": int(ids[new]), "from": int(old_ids[old])}
        else:
            event = {"what": "new", "id": int(ids[new])}
        events.append({**event, "rows": int(new_sizes[new])})
    for old in range(len(old_ids)):
        name, rows = int(old_ids[old]), int(old_sizes[old])
        into = int(overlap[:, old].argmax())
        if old_ids[old] in ids:
            events.append({"what": "kept", "id": name, "rows": rows})
        elif rows and overlap[into, old] >= RELATED * rows:
            events.append({"what": "merged", "id": name, "into": int(ids[into]), "rows": rows})
        else:
            events.append({"what": "gone", "id": name, "rows": rows})
    return ids, next_id + len(fresh), events


def _gain(jaccard: np.ndarray) -> np.ndarray:
    """What a pair is worth, f64[K', K]: its Jaccard index above 0.3, and nothing below.

    The index itself would let two pairs that are cut afterwards win against one that is not. With
    this gain a pair whose index J is above 0.5 always stays: it leaves at most 1 - J of the rows of
    both to other pairs, of which two that would replace it reach 2 * (1 - J) / (1 + J) together at
    most, so less than 0.07 in gains where J alone has more than 0.2, and a single one 1 - J.
    """
    return np.where(jaccard >= SAME, jaccard - SAME + WORTH, 0.0)
