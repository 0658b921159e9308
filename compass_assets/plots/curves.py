"""Losses over the steps of a training."""

from collections.abc import Mapping, Sequence
from typing import Any

from compass_assets.plots.style import MIX, USAGE, WARN, nothing, picture

SMOOTH = 10  # steps in the running mean


def curves_plot(terms: Mapping[str, Sequence[float]]) -> str:
    """One line a loss term (nats per supervised token), by step; empty terms are left out."""
    return picture("training curves", lambda axes: draw_curves(axes, terms), height_in=2.8)


def draw_curves(axes: Any, terms: Mapping[str, Sequence[float]]) -> None:
    given = {name: list(values) for name, values in terms.items() if values}
    if not given:
        nothing(axes, "no steps were recorded")
        return
    for (name, values), colour in zip(given.items(), (USAGE, MIX, WARN), strict=False):
        steps = range(1, len(values) + 1)
        axes.plot(steps, values, color=colour, alpha=0.3, lw=1)
        axes.plot(steps, running_mean(values, SMOOTH), color=colour, lw=1.8, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    axes.set_title(f"Losses by step; bold: mean of the last {SMOOTH}")


def running_mean(values: Sequence[float], size: int) -> list[float]:
    """Mean of each value and the `size - 1` before it, as far as there are that many."""
    parts = [values[max(0, i + 1 - size) : i + 1] for i in range(len(values))]
    return [sum(part) / len(part) for part in parts]
