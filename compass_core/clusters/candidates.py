"""The clusterings that compete, and the figures that decide between them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.density import density_labels
from compass_core.clusters.kmeans import mean_directions, plus_plus_starts, refine
from compass_core.clusters.quality import dbcv, silhouette, stratified_sample
from compass_core.config.schema import Clusters
from compass_core.hashing import seeded_generator

ROWS_PER_CLUSTER = 8  # k-means is not asked for more clusters than rows / 8
SEARCH_ROWS = 10_000  # K is searched on so many rows, and candidates are judged on them
REFINE_ITERATIONS = 8  # of the winning K, on all rows


@dataclass(frozen=True)
class Candidate:
    """A clustering of the rows. `labels` are HDBSCAN's own, -1 for noise; k-means has none."""

    centroids: np.ndarray  # f32[K, d]
    noise_share: float  # what the method itself calls noise
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class Attempt:
    """A candidate to be made. `detail` is recorded beside its figures."""

    method: str
    make: Callable[[], Candidate]
    detail: dict[str, Any] = field(default_factory=dict)


def attempts(rows: np.ndarray, search: np.ndarray, settings: Clusters, seed: int) -> list[Attempt]:
    """What is tried, in order. `rows` f32[n, d]; `search` are the positions that K is searched on:
    HDBSCAN takes all rows, k-means these."""
    tried: list[Attempt] = []
    if settings.method in ("auto", "hdbscan"):
        size = settings.min_cluster_size

        def by_density() -> Candidate:
            labels = density_labels(rows, size)
            inside = labels >= 0
            if not inside.any():
                return Candidate(np.zeros((0, rows.shape[1]), dtype=np.float32), 1.0)
            found = mean_directions(rows[inside], labels[inside], int(labels.max()) + 1)
            return Candidate(found, float(1 - inside.mean()), labels)

        tried.append(Attempt("hdbscan", by_density, {"min_cluster_size": size}))
    if settings.method in ("auto", "kmeans"):
        most = max(1, len(rows) // ROWS_PER_CLUSTER)
        found_on = {"searched_rows": len(search)} if len(search) < len(rows) else {}
        steps = np.linspace(settings.k_min, settings.k_max, settings.k_steps)
        asked_of = {min(round(float(k)), most): round(float(k)) for k in reversed(steps)}
        means = _Means(rows, search, max(asked_of), seed)
        for k, asked in reversed(asked_of.items()):
            scaled = {"k": k} if k == asked else {"k": k, "k_asked": asked}
            tried.append(Attempt("kmeans", partial(means.candidate, k), {**scaled, **found_on}))
    return tried


class _Means:
    """K-means for several K. They share one list of starts, each taking the first K of it."""

    def __init__(self, rows: np.ndarray, search: np.ndarray, most: int, seed: int) -> None:
        self._place = (rows, search, most, seed)

    @cached_property
    def _searched(self) -> tuple[np.ndarray, np.ndarray]:
        rows, search, most, seed = self._place
        found = rows if len(search) == len(rows) else rows[search]
        return found, plus_plus_starts(found, most, seeded_generator(seed, "kmeans"))

    def candidate(self, k: int) -> Candidate:
        found, starts = self._searched
        return Candidate(refine(found, starts[:k])[0], 0.0)


def judge(rows: np.ndarray, centroids: np.ndarray, seed: int) -> dict[str, Any]:
    """Silhouette, DBCV and their mean for the rows f32[n, d] under their nearest centroids.

    Every row counts, so a method gains nothing by calling hard rows noise. Cost: n·K·d, and the
    square of a stratified sample of 2,000 rows.
    """
    labels, _similarity = nearest_centroid(rows, centroids)
    sample = stratified_sample(labels, seed)
    figures = [silhouette(rows[sample], labels[sample]), dbcv(rows[sample], labels[sample])]
    # One cluster has neither figure: it is what is left when nothing else can be found.
    score = round(float(np.mean(figures)), 6) if np.isfinite(figures).all() else -2.0
    return {
        "clusters": len(centroids),
        "silhouette": _plain(figures[0]),
        "dbcv": _plain(figures[1]),
        "score": score,
    }


def finished(candidate: Candidate, rows: np.ndarray, search: np.ndarray) -> Candidate:
    """The winner on all rows: k-means that was searched on some goes on from there."""
    if candidate.labels is not None or len(search) == len(rows):
        return candidate
    centroids, _labels = refine(rows, candidate.centroids, REFINE_ITERATIONS)
    return Candidate(centroids, candidate.noise_share)


def _plain(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
