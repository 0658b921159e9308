"""Strategies over repeated runs: means, paired effects against one of them, and a picture."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from compass_core.benchmarks.stats import holm, mean_interval, paired_effect, wilson_interval

RUN, MEAN, QUIET = "#2f7de0", "#2a9d6f", "#7d8794"  # as on the other pictures of asset pages
EFFECTS = pl.Schema(
    {
        "strategy": pl.String,
        "runs": pl.Int64,
        "mean": pl.Float64,
        "low": pl.Float64,  # 95 % bootstrap interval over runs
        "high": pl.Float64,
        "pairs": pl.Int64,  # runs that the reference has as well
        "difference": pl.Float64,  # this strategy minus the reference, mean over pairs
        "difference_low": pl.Float64,
        "difference_high": pl.Float64,
        "cohens_d": pl.Float64,  # over pairs; null for fewer than two
        "p_value": pl.Float64,  # sign flips of blocks, two-sided
        "p_holm": pl.Float64,  # corrected for all strategies in the table
    }
)


def strategy_effects(
    runs: pl.DataFrame,
    reference: str,
    *,
    value: str = "accuracy",
    pair: Sequence[str] = ("language", "seed"),
    block: Sequence[str] | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """EFFECTS of every strategy against `reference`, the best mean first.

    `runs` has one row a run: strategy, the columns of `pair`, and `value`. Two runs are a pair
    where `pair` agrees; pairs that agree in `block` (default: `pair`) are exchanged together.
    The reference's own row has nulls. Raises ValueError for a reference without runs, and for two
    runs of a strategy that `pair` does not tell apart.
    """
    keys = list(pair)
    if runs.select("strategy", *keys).is_duplicated().any():
        raise ValueError(f"received two runs of one strategy with the same {', '.join(keys)}")
    other = runs.filter(pl.col("strategy") == reference)
    if not other.height:
        names = ", ".join(sorted(runs["strategy"].unique()))
        raise ValueError(f"received {reference!r} as the reference; allowed are {names}")
    rows: list[dict[str, Any]] = []
    for (name,), mine in runs.group_by("strategy", maintain_order=True):
        mean, low, high = mean_interval(mine.sort(keys)[value].to_numpy(), seed=seed)
        row: dict[str, Any] = {"strategy": str(name), "runs": mine.height, "mean": mean}
        row |= {"low": low, "high": high}
        both = mine.join(other, on=keys, suffix="_reference").sort(keys)
        if name != reference and both.height:
            blocks = ["/".join(map(str, key)) for key in both.select(block or keys).iter_rows()]
            differences = (both[value] - both[f"{value}_reference"]).to_numpy()
            effect = paired_effect(differences, blocks, seed=seed)
            row |= {
                "pairs": effect.pairs,
                "difference": effect.difference,
                "difference_low": effect.low,
                "difference_high": effect.high,
                "cohens_d": effect.cohens_d if effect.pairs > 1 else None,
                "p_value": effect.p_value,
            }
        rows.append(row)
    tested = [row for row in rows if "p_value" in row]
    for row, corrected in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_holm"] = corrected
    return pl.DataFrame(rows, schema=EFFECTS).sort("mean", descending=True)


def effects_plot(
    runs: pl.DataFrame,
    effects: pl.DataFrame,
    *,
    value: str = "accuracy",
    scale: float = 100.0,
    label: str = "accuracy on held-out items, per cent",
    line: tuple[str, float] | None = None,
    title: str = "",
) -> bytes:
    """PNG: every run a dot, the mean and its interval a bar, the best strategy on top.

    One run has no interval over runs: where `runs` says of how many `items` its accuracy is, the
    bar is Wilson's over items, and the axis says so.
    `line` is a named value to draw across, such as the base model's. The ground is transparent and
    every colour legible on light and on dark pages.
    """
    import io

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = effects["strategy"].to_list()[::-1]
    texts = ("text.color", "xtick.color", "ytick.color", "axes.labelcolor", "axes.edgecolor")
    colours: Any = dict.fromkeys(texts, QUIET)
    with plt.rc_context(colours):
        figure, axes = plt.subplots(figsize=(7.5, 0.42 * len(names) + 1.6), dpi=90)
        if line is not None:
            axes.axvline(scale * line[1], color=QUIET, linewidth=1, linestyle="--")
            axes.annotate(line[0], (scale * line[1], len(names) - 0.45), fontsize=8, color=QUIET)
        spreads = _spreads(runs, effects, value)
        for place, name in enumerate(names):
            found = effects.row(by_predicate=pl.col("strategy") == name, named=True)
            mine = [scale * v for v in runs.filter(pl.col("strategy") == name)[value]]
            axes.scatter(mine, [place] * len(mine), s=16, color=RUN, alpha=0.45, linewidths=0)
            low, high, _ = spreads[name]
            axes.plot([scale * low, scale * high], [place] * 2, color=MEAN, linewidth=2)
            axes.scatter([scale * found["mean"]], [place], s=42, color=MEAN, zorder=3)
        axes.set_yticks(range(len(names)), names, fontsize=9)
        axes.set_ylim(-0.6, len(names) - 0.2)
        # On a line of its own: after a long label it ran out of the picture.
        axes.set_xlabel(f"{label}\n{_legend(spreads)}", fontsize=9)
        axes.set_title(title, fontsize=10)
        axes.grid(axis="x", color=QUIET, alpha=0.3, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.tight_layout()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", transparent=True)
    plt.close(figure)
    return buffer.getvalue()


def _spreads(
    runs: pl.DataFrame, effects: pl.DataFrame, value: str
) -> dict[str, tuple[float, float, str]]:
    """strategy -> low, high, and what the interval is over: runs, items, or nothing."""
    counted = value == "accuracy" and "items" in runs.columns
    found = {}
    for row in effects.to_dicts():
        name = row["strategy"]
        low, high, over = row["low"], row["high"], "runs"
        if row["runs"] == 1:
            over = "nothing"
            if counted:
                items = int(runs.filter(pl.col("strategy") == name)["items"][0])
                low, high = wilson_interval(round(row["mean"] * items), items)
                over = "items"
        found[name] = (low, high, over)
    return found


def _legend(spreads: dict[str, tuple[float, float, str]]) -> str:
    over = {part for _, _, part in spreads.values()}
    if over == {"nothing"}:
        return "dots: runs; one run has no interval"
    if over == {"items"}:
        return "dots: one run each; bars: 95 % over items"
    if over == {"runs"}:
        return "dots: runs; bars: 95 % of the mean"
    return "dots: runs; bars: 95 % of the mean, over items where there is one run"
