"""Fitting: spherical k-means and HDBSCAN compete, and the better one is kept.

Rule: each candidate becomes centroids, every row goes to its nearest one, and on one stratified
sample the mean of silhouette and density-based validity decides (the first of equals, in the order
tried). Judged this way a method gains nothing by calling hard rows noise.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.density import density_labels
from compass_core.clusters.kmeans import mean_directions, spherical_kmeans
from compass_core.clusters.match import match_ids
from compass_core.clusters.model import ClusterModel
from compass_core.clusters.quality import dbcv, silhouette, stratified_sample
from compass_core.config.schema import Clusters
from compass_core.errors import InputError
from compass_core.hashing import seeded_generator, unit_key

FIT_ROWS = 50_000  # above this a seeded sample is fitted and the rest assigned
ROWS_PER_CLUSTER = 8  # k-means is not asked for more clusters than rows / 8
OWN_THRESHOLD_ROWS = 50  # smaller clusters take the threshold of all rows
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
) -> ClusterModel:
    """Fit unit vectors f32[n, d]. `groups` are the rows' roles, kept in proportion in samples.

    The result does not depend on the order of the rows. With `previous`, clusters that continue an
    old one keep its id. Raises InputError when there are no rows or a vector is not finite.
    """
    order = np.argsort(np.asarray(row_ids, dtype=object), kind="stable")
    ids = [row_ids[i] for i in order]
    rows = np.ascontiguousarray(vectors[order], dtype=np.float32)
    _check(rows, ids)
    scaled: dict[str, Any] = {}
    if len(rows) > FIT_ROWS:
        keep = _sample(ids, [groups[i] for i in order], seed)
        scaled = {"fitted_rows": len(keep), "of_rows": len(rows)}
        rows, ids = rows[keep], [ids[i] for i in keep]
    candidates: list[dict[str, Any]] = []
    best: tuple[float, np.ndarray] | None = None
    sample: np.ndarray | None = None
    for name, detail, make in _attempts(rows, settings, seed):
        started = time.monotonic()
        centroids, noise_share = make()
        if not len(centroids):
            candidates.append({"method": name, **detail, "clusters": 0, "chosen": False})
            continue
        labels, _ = nearest_centroid(rows, centroids)
        sample = stratified_sample(labels, seed)
        figures = [silhouette(rows[sample], labels[sample]), dbcv(rows[sample], labels[sample])]
        # One cluster has neither figure: it is what is left when nothing else can be found.
        score = round(float(np.mean(figures)), 6) if np.isfinite(figures).all() else -2.0
        candidates.append(
            {
                "method": name,
                **detail,
                **scaled,
                "clusters": len(centroids),
                "noise_share": round(noise_share, 4),
                "silhouette": _plain(figures[0]),
                "dbcv": _plain(figures[1]),
                "score": score,
                "wall_s": round(time.monotonic() - started, 2),
                "chosen": False,
            }
        )
        report(f"{name} {detail}: {len(centroids)} clusters, score {score:.3f}")
        if best is None or score > best[0]:
            best = (score, centroids)
            winner = len(candidates) - 1
    if best is None:  # HDBSCAN alone, and it found none: the rows are one cluster
        best = (-2.0, mean_directions(rows, np.zeros(len(rows), dtype=np.int64), 1))
        candidates.append({"method": "one cluster", "clusters": 1})
        winner = len(candidates) - 1
    candidates[winner]["chosen"] = True
    return _model(best[1], rows, candidates, winner, settings, previous, digest)


def _attempts(
    rows: np.ndarray, settings: Clusters, seed: int
) -> list[tuple[str, dict[str, Any], Callable[[], tuple[np.ndarray, float]]]]:
    """Candidates to try, in order: (method, what to record, function giving centroids, noise)."""
    attempts: list[tuple[str, dict[str, Any], Callable[[], tuple[np.ndarray, float]]]] = []
    if settings.method in ("auto", "hdbscan"):
        size = settings.min_cluster_size

        def by_density() -> tuple[np.ndarray, float]:
            labels = density_labels(rows, size)
            inside = labels >= 0
            if not inside.any():
                return np.zeros((0, rows.shape[1]), dtype=np.float32), 1.0
            found = mean_directions(rows[inside], labels[inside], int(labels.max()) + 1)
            return found, float(1 - inside.mean())

        attempts.append(("hdbscan", {"min_cluster_size": size}, by_density))
    if settings.method in ("auto", "kmeans"):
        most = max(1, len(rows) // ROWS_PER_CLUSTER)
        tried = np.linspace(settings.k_min, settings.k_max, settings.k_steps)
        for asked in dict.fromkeys(round(float(k)) for k in tried):
            k = min(asked, most)
            if any(detail.get("k") == k for _, detail, _ in attempts):
                continue
            detail = {"k": k} if k == asked else {"k": k, "k_asked": asked}

            def by_means(k: int = k) -> tuple[np.ndarray, float]:
                generator = seeded_generator(seed, "kmeans", str(k))
                return spherical_kmeans(rows, k, generator)[0], 0.0

            attempts.append(("kmeans", detail, by_means))
    return attempts


def _model(
    centroids: np.ndarray,
    rows: np.ndarray,
    candidates: list[dict[str, Any]],
    winner: int,
    settings: Clusters,
    previous: ClusterModel | None,
    digest: str,
) -> ClusterModel:
    labels, similarity = nearest_centroid(rows, centroids)
    counts = np.bincount(labels, minlength=len(centroids)).astype(np.int64)
    overall = float(np.quantile(similarity, settings.off_target_quantile))
    thresholds = np.full(len(centroids), overall, dtype=np.float32)
    for c in np.flatnonzero(counts >= OWN_THRESHOLD_ROWS):
        thresholds[c] = np.quantile(similarity[labels == c], settings.off_target_quantile)
    thresholds = np.round(thresholds - 1e-4, 4).astype(np.float32)
    ids = np.arange(len(centroids), dtype=np.int64)
    next_id, events = len(centroids), [{"what": "new", "id": int(i)} for i in ids]
    if previous is not None and previous.centroids.shape[1] == centroids.shape[1]:
        ids, next_id, events = match_ids(
            previous.centroids, previous.cluster_ids, centroids, previous.next_id
        )
    order = np.argsort(ids)
    return ClusterModel(
        centroids[order],
        ids[order],
        thresholds[order],
        counts[order],
        str(candidates[winner]["method"]),
        digest,
        next_id,
        candidates,
        events,
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


def _sample(ids: list[str], groups: list[str], seed: int) -> np.ndarray:
    """Positions of FIT_ROWS rows, each group by its share, those with the lowest keys."""
    keys = np.array([unit_key(row, seed, "fit-sample") for row in ids])
    names = np.asarray(groups, dtype=object)
    taken = []
    for group in sorted(set(groups)):
        mine = np.flatnonzero(names == group)
        share = max(1, round(FIT_ROWS * len(mine) / len(ids)))
        taken.append(mine[np.argsort(keys[mine], kind="stable")[:share]])
    return np.sort(np.concatenate(taken))


def _plain(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
