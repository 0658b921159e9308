"""What each version lost of what the version before it was made for."""

from typing import Any

import polars as pl

from compass_assets.plots.style import MIX, QUIET, WARN, nothing, picture


def forgetting_plot(history: pl.DataFrame) -> str:
    """Rise of the loss on held-out rows of earlier usage, by version (retention.FORGETTING)."""
    return picture("forgetting", lambda axes: draw_forgetting(axes, history), height_in=2.8)


def draw_forgetting(axes: Any, history: pl.DataFrame) -> None:
    if not history.height:
        nothing(axes, "no version was measured against an earlier one yet")
        return
    places = list(range(history.height))
    axes.axhline(0, color=QUIET, lw=1)
    for place, row in zip(places, history.to_dicts(), strict=True):
        colour = MIX if row["rise"] <= row["allowed"] else WARN
        spread = [[max(0.0, row["rise"] - row["low"])], [max(0.0, row["high"] - row["rise"])]]
        axes.errorbar(place, row["rise"], yerr=spread, fmt="o", color=colour, capsize=3)
    axes.plot(places, history["allowed"], "_", color=QUIET, ms=28, mew=2)
    (limit,) = axes.plot([], [], "_", color=QUIET, ms=12, mew=2)
    names = [f"{v}\nafter {r}" for v, r in history.select("version", "reference").iter_rows()]
    axes.set_xticks(places, names, fontsize=8)
    axes.set_xlim(-0.6, history.height - 0.4)
    axes.set_ylabel("rise, nats per token")
    axes.legend([limit], ["most that may be lost"], fontsize=8)
    axes.set_title("Loss on held-out rows of earlier usage: below 0 nothing was forgotten")
