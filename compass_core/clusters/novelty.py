"""When the clusters no longer fit: the rule that asks for a refit."""

import numpy as np

from compass_core.clusters.assign import assign
from compass_core.clusters.model import ClusterModel
from compass_core.config.schema import Clusters


def refit_reason(
    model: ClusterModel, usage_vectors: np.ndarray, settings: Clusters, digest: str
) -> str | None:
    """Why the clusters should be fitted anew, or None to keep them.

    They are when the settings or the embedder changed, and when more than `refit_novelty` of the
    usage rows f32[n, d] lie outside all clusters.
    """
    if model.settings_digest != digest:
        return "cluster settings, seed or embedder changed"
    if model.centroids.shape[1] != usage_vectors.shape[1]:
        return "the embedder has another dimension"
    novel = float(assign(model, usage_vectors, "nearest").off_target.mean())
    if novel > settings.refit_novelty:
        limit = 100 * settings.refit_novelty
        return f"{100 * novel:.1f} % of usage lies outside all clusters (limit {limit:g} %)"
    return None
