"""The clusters of a language on a plane: near means alike, size is usage, colour is the gap."""

from typing import Any

import numpy as np
import polars as pl

from compass_assets.plots.style import QUIET, nothing, picture


def cluster_map_plot(centroids: np.ndarray, cluster_ids: np.ndarray, gaps: pl.DataFrame) -> str:
    """Map of centroids f32[k, d] with ids i64[k]; `gaps` is records.GAPS."""
    points = plane(centroids)
    return picture(
        "cluster map",
        lambda axes: draw_cluster_map(axes, points, cluster_ids, gaps),
        height_in=5.0,
    )


def plane(centroids: np.ndarray) -> np.ndarray:
    """The two principal components of the centroids, f64[k, 2]; signs are fixed.

    Near on the plane need not be near in the space; far on the plane is far.
    """
    centred = np.asarray(centroids, dtype=np.float64)
    centred = centred - centred.mean(axis=0, keepdims=True)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(centred), 2))
    for column, axis in enumerate(axes[:2]):
        sign = np.sign(axis[np.argmax(np.abs(axis))]) or 1.0
        points[:, column] = centred @ (sign * axis)
    return points


def draw_cluster_map(
    axes: Any, points: np.ndarray, cluster_ids: np.ndarray, gaps: pl.DataFrame
) -> None:
    if not len(points):
        nothing(axes, "no clusters")
        return
    row_of = {row["cluster_id"]: row for row in gaps.to_dicts()}
    rows = [row_of.get(int(c), {"p_usage": 0.0, "gap": 0.0}) for c in cluster_ids]
    sizes = [30 + 4000 * row["p_usage"] for row in rows]
    shown = axes.scatter(
        points[:, 0],
        points[:, 1],
        s=sizes,
        c=[row["gap"] for row in rows],
        cmap="plasma",
        alpha=0.85,
        edgecolors=QUIET,
        linewidths=0.5,
    )
    for (x, y), cluster in zip(points, cluster_ids, strict=True):
        axes.annotate(str(int(cluster)), (x, y), fontsize=7, ha="center", va="center")
    bar = axes.figure.colorbar(shown, ax=axes, label="gap", shrink=0.7)
    bar.outline.set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title("Clusters: size is the share of usage, colour the gap")
