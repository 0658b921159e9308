"""Fitting: spherical k-means and HDBSCAN compete, and the better one is kept.

Rule: each candidate becomes centroids, every row goes to its nearest one, and on one stratified
sample the mean of silhouette and density-based validity decides (the first of equals, in the order
tried).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.candidates import SEARCH_ROWS, Candidate, attempts, finished, judge
from compass_core.clusters.kmeans import mean_directions
from compass_core.clusters.match import match_ids, overlap_of
from compass_core.clusters.model import ClusterModel
from compass_core.clusters.novelty import ASKED_ROLES, off_target_share
from compass_core.clusters.thresholds import noise_thresholds, quantile_thresholds
from compass_core.config.schema import Clusters
from compass_core.errors import InputError
from compass_core.hashing import unit_key
from compass_core.progress import Progress

FIT_ROWS = 200_000  # above this a seeded sample is fitted and the rest assigned
Report = Callable[[str], None]


def fit_clusters(
    vectors: np.ndarray,
    row_ids: Sequence[str],
    groups: Sequence[str],
    settings: Clusters,
    seed: int,
    previous: ClusterModel | None = None,
    report: Report = lambda text: None,
    digest: str = "",
    same_space: bool = True,
) -> ClusterModel:
    """Fit unit vectors f32[n, d]. `groups` are the rows' roles, kept in proportion in samples.

    The result does not depend on the order of the rows, nor on the number of threads. With
    `previous`, clusters that continue an old one keep its id; where it is of another embedder, not
    in the `same_space`, nothing can be compared, all clusters are new and the old ones are gone.
    Raises InputError when there are no rows or a vector is not finite. Cost: see neighbours();
    memory about 3 times the vectors.
    """
    order = np.argsort(np.asarray(row_ids, dtype=object), kind="stable")
    ids = [row_ids[i] for i in order]
    rows = np.ascontiguousarray(vectors[order], dtype=np.float32)
    _check(rows, ids)
    roles = [groups[i] for i in order]
    asked = rows[np.isin(roles, ASKED_ROLES)]
    scaled: dict[str, Any] = {}
    if len(rows) > FIT_ROWS:
        keep = _sample(ids, roles, seed, FIT_ROWS, "fit-sample")
        scaled = {"fitted_rows": len(keep), "of_rows": len(rows)}
        rows, ids, roles = rows[keep], [ids[i] for i in keep], [roles[i] for i in keep]
    search = _sample(ids, roles, seed, SEARCH_ROWS, "search-sample")
    candidates: list[dict[str, Any]] = []
    best: Candidate | None = None
    winner = 0
    tried = attempts(rows, search, settings, seed)
    progress = Progress(report, "clusters", len(tried), "candidates judged", every_s=0.0)
    for place, attempt in enumerate(tried, start=1):
        name = f"{attempt.method} {attempt.detail}"
        report(f"clusters: fitting {name}, candidate {place} of {len(tried)}")
        started = time.monotonic()
        candidate = attempt.make()
        entry: dict[str, Any] = {"method": attempt.method, **attempt.detail, **scaled}
        entry["noise_share"] = round(candidate.noise_share, 4)
        if len(candidate.centroids):
            entry |= judge(rows[search], candidate.centroids, seed)
        else:
            entry["clusters"] = 0
        entry |= {"wall_s": round(time.monotonic() - started, 2), "chosen": False}
        candidates.append(entry)
        if not len(candidate.centroids):
            progress.at(place, f"{name}: no clusters")
            continue
        progress.at(place, f"{name}: {entry['clusters']} clusters, score {entry['score']:.3f}")
        if best is None or entry["score"] > candidates[winner]["score"]:
            best, winner = candidate, len(candidates) - 1
    if best is None:  # HDBSCAN alone, and it found none: the rows are one cluster
        best = Candidate(mean_directions(rows, np.zeros(len(rows), dtype=np.int64), 1), 0.0)
        candidates.append({"method": "one cluster", "clusters": 1})
        winner = len(candidates) - 1
    candidates[winner]["chosen"] = True
    best = finished(best, rows, search)
    method = str(candidates[winner]["method"])
    model = _model(best, method, rows, candidates, settings, previous, digest, same_space)
    outside = round(off_target_share(model, asked), 6) if len(asked) else None
    return replace(model, usage_off_target=outside)


def _model(
    best: Candidate,
    method: str,
    rows: np.ndarray,
    candidates: list[dict[str, Any]],
    settings: Clusters,
    previous: ClusterModel | None,
    digest: str,
    same_space: bool,
) -> ClusterModel:
    centroids = best.centroids
    labels, similarity = nearest_centroid(rows, centroids)
    count = len(centroids)
    sizes = np.bincount(labels, minlength=count).astype(np.int64)
    thresholds = quantile_thresholds(labels, similarity, count, settings.off_target_quantile)
    inner = thresholds
    if best.labels is not None:
        outer = noise_thresholds(labels, similarity, best.labels == labels, count)
        inner = np.maximum(outer, thresholds)
    table, old_ids, next_id = np.zeros((count, 0)), np.empty(0, dtype=np.int64), 0
    if previous is not None:
        old_ids, next_id = previous.cluster_ids, previous.next_id
        table = np.zeros((count, len(old_ids)))
        if same_space:
            old, near = nearest_centroid(rows, previous.centroids)
            old[near < previous.thresholds[old]] = -1
            table = overlap_of(labels, old, count, len(old_ids), np.ones(len(rows)))
    ids, next_id, events = match_ids(table, sizes, old_ids, next_id)
    order = np.argsort(ids)
    return ClusterModel(
        centroids=centroids[order],
        cluster_ids=ids[order],
        thresholds=thresholds[order],
        noise_thresholds=inner[order],
        fit_rows=sizes[order],
        method=method,
        settings_digest=digest,
        next_id=next_id,
        candidates=candidates,
        events=events,
    )


def _check(rows: np.ndarray, ids: list[str]) -> None:
    if not len(rows):
        raise InputError("there are no rows to cluster; ingest and embed something first")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise InputError(
            f"the vector of row {ids[int(bad[0])]} is not finite ({bad.size} such rows); "
            "embed this corpus again"
        )


def _sample(ids: list[str], groups: list[str], seed: int, rows: int, salt: str) -> np.ndarray:
    """Positions of `rows` rows, each group by its share, those with the lowest keys."""
    if len(ids) <= rows:
        return np.arange(len(ids))
    keys = np.array([unit_key(row, seed, salt) for row in ids])
    names = np.asarray(groups, dtype=object)
    taken = []
    for group in sorted(set(groups)):
        mine = np.flatnonzero(names == group)
        share = max(1, round(rows * len(mine) / len(ids)))
        taken.append(mine[np.argsort(keys[mine], kind="stable")[:share]])
    return np.sort(np.concatenate(taken))
