"""Draws docs/drift.png from benchmarks/drift_results/summary.csv.

python -m benchmarks.drift_figure
"""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

NAMES = {
    "compass": "COMPASS",
    "fixed_0.1_bits": "JS divergence > 0.1 bits",
    "evidently_default": "Evidently's default",
    "mmd_0.05": "MMD, p < 0.05",
    "mmd_bonferroni": "MMD, p < 0.01 / 30",
    "users_ignored": "COMPASS without users",
}
COLOURS = ["#2f6fde", "#e0912f", "#c8372d", "#7a7f87", "#4a9e6b", "#8a63c9"]
KINDS = ["one_cluster", "several_clusters", "new_topic", "ramp"]


def draw(rows: pl.DataFrame, out: Path) -> None:
    """Left: months with an alarm although nothing happened. Right: shifts found, COMPASS."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), dpi=90, width_ratios=[3, 2])
    quiet = rows.filter(pl.col("kind") == "none")
    settings = quiet.unique(["clusters", "prompts_a_day", "bursty"], maintain_order=True)
    ticks = []
    for place, setting in enumerate(settings.to_dicts()):
        users = "bursts" if setting["bursty"] else "independent"
        ticks.append(f"K {setting['clusters']}, {setting['prompts_a_day']}/day\n{users}")
        for number, rule in enumerate(NAMES):
            found = _row(quiet, setting, rule)
            if found is not None:
                at = place + (number - 2.5) * 0.14
                left.bar(at, max(found["false_alarm_percent"], 0.15), 0.12, color=COLOURS[number])
    left.axhline(1, color="black", linewidth=0.8, linestyle="--")
    left.set_yscale("log")
    left.set_ylim(0.1, 130)
    left.set_xticks(range(len(ticks)), ticks, fontsize=7)
    left.set_ylabel("quiet months with an alarm, %")
    left.set_title("False alarms (goal: dashed line)", fontsize=10)
    handles = [Patch(color=colour) for colour in COLOURS]
    left.legend(
        handles,
        NAMES.values(),
        fontsize=7,
        ncol=3,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        frameon=False,
    )
    shifted = rows.filter(
        (pl.col("clusters") == 100)
        & (pl.col("prompts_a_day") == 100)
        & ~pl.col("bursty")
        & (pl.col("rule") == "compass")
    )
    for number, kind in enumerate(KINDS):
        part = shifted.filter(pl.col("kind") == kind).sort("size")
        if not part.height:
            continue  # not run yet
        label = kind.replace("_", " ")
        right.plot(part["size"], part["detected_percent"], "o-", color=COLOURS[number], label=label)
        for size, percent, days in part.select(
            "size", "detected_percent", "delay_median_days"
        ).iter_rows():
            if days is not None:
                right.annotate(f"{days:.0f} d", (size, percent - 5), fontsize=7)
    right.set_ylim(0, 105)
    right.set_xlim(0, 0.45)
    right.set_xlabel("share of prompts that changed")
    right.set_ylabel("shifts found within the month, %")
    right.set_title("COMPASS at K 100, 100 prompts a day; median delay", fontsize=10)
    right.legend(fontsize=7, loc="lower right")
    for axes in (left, right):
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(out, facecolor="white")


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
