"""The clusters of a language on a plane: near means alike, size is usage, colour is the gap."""

from typing import Any

import numpy as np
import polars as pl

from compass_assets.plots.names import cluster_name, shortened
from compass_assets.plots.style import QUIET, nothing, per_cent, picture

NAMED = 9  # clusters with their title, those with the largest gaps
SMALLEST = 150  # points²: room for a number


def cluster_map_plot(centroids: np.ndarray, cluster_ids: np.ndarray, gaps: pl.DataFrame) -> str:
    """Map of centroids f32[k, d] with ids i64[k]; `gaps` is records.GAPS."""
    return map_of(plane(centroids), cluster_ids, gaps)


def map_of(points: np.ndarray, cluster_ids: np.ndarray, gaps: pl.DataFrame) -> str:
    """Map of clusters that have their places f64[k, 2] already."""
    return picture(
        "cluster map",
        lambda axes: draw_cluster_map(axes, points, cluster_ids, gaps),
        height_in=5.4,
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
    unknown = {"p_usage": 0.0, "gap": 0.0, "title": ""}
    rows = [row_of.get(int(c), unknown) for c in cluster_ids]
    sizes = np.array([SMALLEST + 4000 * row["p_usage"] for row in rows])
    # The large ones first, so that none lies under another; opaque, so that what a number is
    # read against does not depend on the page.
    order = np.argsort(-sizes, kind="stable")
    shown = axes.scatter(
        points[order, 0],
        points[order, 1],
        s=sizes[order],
        c=[rows[i]["gap"] for i in order],
        cmap="plasma",
        edgecolors=QUIET,
        linewidths=0.5,
    )
    shown.update_scalarmappable()
    colours = dict(zip(order.tolist(), shown.get_facecolors(), strict=True))
    for i, colour in colours.items():
        number = str(int(cluster_ids[i]))
        axes.annotate(number, points[i], fontsize=7, ha="center", va="center", color=ink_on(colour))
    _key(axes, cluster_ids, rows, colours)
    bar = axes.figure.colorbar(shown, ax=axes, label="gap, share of usage", shrink=0.7)
    bar.outline.set_visible(False)
    per_cent(bar.ax.yaxis)
    axes.margins(0.1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title("Clusters: size is the share of usage, colour the gap")


def _key(axes: Any, ids: np.ndarray, rows: list[dict[str, Any]], colours: dict[int, Any]) -> None:
    """Titles of the clusters with the largest gaps, below: among the dots none could be read."""
    from matplotlib.lines import Line2D

    largest = sorted(range(len(rows)), key=lambda i: -rows[i]["gap"])[:NAMED]
    least = 0.05 * rows[largest[0]]["gap"]  # the rest is as good as covered
    named = [i for i in largest if rows[i]["gap"] > least and shortened(rows[i]["title"] or "")]
    if named:
        axes.legend(
            [Line2D([], [], marker="o", ls="", ms=7, mec=QUIET, mfc=colours[i]) for i in named],
            [cluster_name(int(ids[i]), rows[i]["title"]) for i in named],
            fontsize=8,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.02),
            ncols=3,
        )


def ink_on(colour: Any) -> str:
    """Black or white, whichever stands out more on a colour (r, g, b from 0 to 1): WCAG's rule."""
    return "black" if luminance(colour) > 0.179 else "white"


def luminance(colour: Any) -> float:
    """Relative luminance (WCAG) of r, g, b from 0 to 1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
