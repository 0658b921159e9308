"""Ids that survive a refit: new clusters take the ids of the old ones that they continue."""

from typing import Any

import numpy as np

SAME = 0.85  # cosine from which a new centroid continues an old one
RELATED = 0.70  # cosine from which a split or a merge is recorded


def match_ids(
    old_centroids: np.ndarray, old_ids: np.ndarray, new_centroids: np.ndarray, next_id: int
) -> tuple[np.ndarray, int, list[dict[str, Any]]]:
    """Ids int64[K'] for new centroids, the next free id, and what happened to which cluster.

    One to one by the Hungarian method on cosines; below 0.85 a cluster is new. Ids that are gone
    are never given again. Events: kept, new, split (a new one beside a kept one), merged (an old
    one that went into a kept one), gone.
    """
    from scipy.optimize import linear_sum_assignment

    similarity = np.round(new_centroids @ old_centroids.T, 5)
    ids = np.full(len(new_centroids), -1, dtype=np.int64)
    events: list[dict[str, Any]] = []
    for new, old in zip(*linear_sum_assignment(-similarity), strict=True):
        if similarity[new, old] >= SAME:
            ids[new] = old_ids[old]
    for new in np.flatnonzero(ids < 0):
        ids[new] = next_id
        next_id += 1
        old = int(similarity[new].argmax()) if len(old_ids) else -1
        split = old >= 0 and similarity[new, old] >= RELATED and old_ids[old] in ids
        event: dict[str, Any] = {"what": "split" if split else "new", "id": int(ids[new])}
        events.append({**event, "from": int(old_ids[old])} if split else event)
    for old in range(len(old_ids)):
        if old_ids[old] in ids:
            events.append({"what": "kept", "id": int(old_ids[old])})
            continue
        new = int(similarity[:, old].argmax())
        merged = similarity[new, old] >= RELATED
        event = {"what": "merged" if merged else "gone", "id": int(old_ids[old])}
        events.append({**event, "into": int(ids[new])} if merged else event)
    return ids, next_id, events
