"""When the clusters no longer fit: the rule that asks for a refit."""

import numpy as np

from compass_core.clusters.assign import assign
from compass_core.clusters.model import ClusterModel
from compass_core.config.schema import Clusters

ASKED_ROLES = ("usage", "proxy")  # rows that say what is asked; the other roles are what there is


def off_target_share(model: ClusterModel, usage_vectors: np.ndarray) -> float:
    """Share of usage rows f32[n, d], n > 0, that lie outside all clusters."""
    return float(assign(model, usage_vectors, "nearest").off_target.mean())


def refit_reason(
    model: ClusterModel, usage_vectors: np.ndarray, settings: Clusters, digest: str
) -> str | None:
    """Why the clusters should be fitted anew, or None to keep them.

    They are when the settings or the embedder changed, and when the share of the usage rows
    f32[n, d] outside all clusters is more than `refit_novelty` above the share right after the fit.
    Scattered questions belong to no topic and stay outside after any fit: by the share alone they
    would ask for a refit every time. A model of before 3 did not keep its share; it counts as 0, so
    that it is fitted anew at most once.
    """
    if model.settings_digest != digest:
        return "cluster settings, seed or embedder changed"
    if model.centroids.shape[1] != usage_vectors.shape[1]:
        return "the embedder has another dimension"
    novel = off_target_share(model, usage_vectors)
    fitted = model.usage_off_target or 0.0
    if novel > fitted + settings.refit_novelty:
        return (
            f"{100 * novel:.1f} % of usage lies outside all clusters, {100 * fitted:.1f} % did "
            f"after the fit (limit {100 * settings.refit_novelty:g} points more)"
        )
    return None
