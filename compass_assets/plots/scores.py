"""Accuracies with their intervals: base model, versions, and strategies that were compared."""

from typing import Any

import polars as pl

from compass_assets.plots.style import MIX, QUIET, TRAINING, nothing, picture

COLOURS = {"base": QUIET, "version": MIX, "strategy": TRAINING}


def scores_plot(scores: pl.DataFrame) -> str:
    """One row a suite and model, of baselines.BASELINES (accuracies from 0 to 1)."""
    height = max(1.6, 0.32 * scores.height + 1.0)
    return picture("scores", lambda axes: draw_scores(axes, scores), height_in=height)


def draw_scores(axes: Any, scores: pl.DataFrame) -> None:
    if not scores.height:
        nothing(axes, "no items were scored")
        return
    rows = scores.reverse().to_dicts()
    for place, row in enumerate(rows):
        colour = COLOURS[row["kind"]]
        middle, low, high = (100 * row[name] for name in ("accuracy", "low", "high"))
        axes.errorbar(
            middle,
            place,
            xerr=[[middle - low], [high - middle]],
            fmt="o",
            color=colour,
            capsize=3,
        )
        axes.annotate(f"{middle:.1f}", (middle, place), xytext=(0, 6), textcoords="offset points")
    axes.set_yticks(range(len(rows)), [f"{row['suite']}, {row['model']}" for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.2)
    axes.set_xlabel("accuracy, per cent, with 95 % interval")
    axes.set_title("Held-out items")
