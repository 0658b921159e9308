"""Draws docs/drift.png from benchmarks/drift_results/summary.csv.

python -m benchmarks.drift_figure
"""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from compass_assets.plots.style import MANY, QUIET, TEXT

NAMES = {
    "compass": "COMPASS",
    "fixed_0.1_bits": "JS divergence > 0.1 bits",
    "evidently_default": "Evidently's default",
    "mmd_0.05": "MMD, p < 0.05",
    "mmd_bonferroni": "MMD, p < 0.01 / 30",
    "users_ignored": "COMPASS without users",
}
KINDS = ["one_cluster", "several_clusters", "new_topic", "ramp"]
GOAL = 1.0  # per cent of quiet months
LINEAR = 0.3  # per cent: below it the axis is linear, so that 0 has a place on it


def draw(rows: pl.DataFrame, out: Path) -> None:
    """Left: months with an alarm although nothing happened. Right: shifts that COMPASS found.

    The ground is transparent and every colour legible on light and on dark pages.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    texts = ("text.color", "xtick.color", "ytick.color", "axes.labelcolor", "axes.edgecolor")
    colours: Any = dict.fromkeys(texts, TEXT)
    with plt.rc_context(colours):
        figure = plt.figure(figsize=(11, 4.8), dpi=90)
        grid = figure.add_gridspec(2, 2, width_ratios=[3, 2], height_ratios=[3, 2])
        left, found = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
        delay = figure.add_subplot(grid[1, 1], sharex=found)
        draw_false_alarms(left, rows.filter(pl.col("kind") == "none"))
        draw_detection(found, delay, rows)
        for axes in (left, found, delay):
            axes.tick_params(labelsize=8)
            axes.title.set_fontsize(10)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        figure.tight_layout()
        figure.savefig(out, transparent=True)
    plt.close(figure)


def draw_false_alarms(axes: Any, quiet: pl.DataFrame) -> None:
    """Bars by setting and rule, each with the upper end of its interval; 0 has no bar but a 0."""
    from matplotlib.patches import Patch

    settings = quiet.unique(["clusters", "prompts_a_day", "bursty"], maintain_order=True)
    ticks = []
    for place, setting in enumerate(settings.to_dicts()):
        users = "\nbursts" if setting["bursty"] else ""
        ticks.append(f"{setting['clusters']} clusters\n{setting['prompts_a_day']} a day{users}")
        for number, rule in enumerate(NAMES):
            row = _row(quiet, setting, rule)
            if row is None:
                continue
            at = place + (number - 2.5) * 0.14
            percent, high = row["false_alarm_percent"], row["false_alarm_high_percent"]
            axes.bar(at, percent, 0.12, color=MANY[number])
            axes.plot([at, at], [percent, high], color=QUIET, linewidth=1)
            if percent == 0:
                axes.annotate(
                    "0", (at, high), (0, 1), textcoords="offset points", ha="center", fontsize=7
                )
    line = axes.axhline(GOAL, color=TEXT, linewidth=0.8, linestyle="--")
    axes.set_yscale("symlog", linthresh=LINEAR, linscale=0.4)
    axes.set_ylim(0, 130)
    shown = [0, 0.3, 1, 3, 10, 30, 100]
    axes.set_yticks(shown, [f"{percent:g} %" for percent in shown])
    axes.set_yticks([], minor=True)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_ylabel("quiet months with an alarm")
    axes.set_title("False alarms; thin line: to the upper end of the 95 % interval")
    axes.legend(
        [*(Patch(color=colour) for colour in MANY[: len(NAMES)]), line],
        [*NAMES.values(), "goal of COMPASS"],
        fontsize=8,
        ncol=3,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        frameon=False,
    )


def draw_detection(found: Any, delay: Any, rows: pl.DataFrame) -> None:
    """By size of the shift: how many were found within the month, and after how many days."""
    shifted = rows.filter(
        (pl.col("clusters") == 100)
        & (pl.col("prompts_a_day") == 100)
        & ~pl.col("bursty")
        & (pl.col("rule") == "compass")
    )
    for colour, kind in zip(MANY, KINDS, strict=False):
        part = shifted.filter(pl.col("kind") == kind).sort("size")
        if not part.height:
            continue  # not run yet
        label = kind.replace("_", " ")
        found.plot(part["size"], part["detected_percent"], "o-", color=colour, label=label, ms=4)
        timed = part.filter(pl.col("delay_median_days").is_not_null())
        delay.plot(timed["size"], timed["delay_median_days"], "o-", color=colour, ms=4)
    found.set_ylim(0, 105)
    delay.set_ylim(bottom=0)
    found.set_xlim(0, 0.45)
    found.yaxis.set_major_formatter(lambda percent, place: f"{percent:g} %")
    found.xaxis.set_major_formatter(lambda share, place: f"{100 * share:g} %")
    found.tick_params(labelbottom=False)
    found.set_ylabel("found in a month", fontsize=8)
    found.set_title("COMPASS, 100 clusters, 100 prompts a day")
    found.legend(fontsize=8, loc="lower right", frameon=False)
    delay.set_ylabel("median delay, days", fontsize=8)
    delay.set_xlabel("share of prompts that changed")


def _row(rows: pl.DataFrame, setting: dict[str, Any], rule: str) -> dict[str, Any] | None:
    names = ("clusters", "prompts_a_day", "bursty")
    found = rows.filter(
        (pl.col("rule") == rule),
        *[pl.col(name) == setting[name] for name in names],
    )
    return found.row(0, named=True) if found.height else None


def main(
    table: Annotated[Path, typer.Option(help="The summary.")] = Path(
        "benchmarks/drift_results/summary.csv"
    ),
    out: Annotated[Path, typer.Option(help="The picture.")] = Path("docs/drift.png"),
) -> None:
    """Draw the figure."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draw(pl.read_csv(table), out)


if __name__ == "__main__":
    typer.run(main)
