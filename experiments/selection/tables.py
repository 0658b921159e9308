"""From cells to Markdown tables: what each strategy reached, and what explains it."""

from collections.abc import Sequence

import polars as pl

from compass_core.benchmarks.effects import strategy_effects

PAIR = ("world", "language", "seed")
WORLDS = ("world", "language")  # runs in one world share its models: the stricter exchange
OWN = "gap_waterfill"


def labelled(cells: pl.DataFrame) -> pl.DataFrame:
    """`all_data` with its whole epochs is another strategy: it had more compute."""
    return cells.with_columns(
        pl.when("full").then(pl.col("strategy") + " (full)").otherwise("strategy").alias("strategy")
    )


def effect_table(cells: pl.DataFrame, value: str, scale: float, better: str, unit: str) -> str:
    """Every strategy against `gap_waterfill`, the best first; `better` is high or low."""
    found = strategy_effects(cells, OWN, value=value, pair=PAIR)
    strict = strategy_effects(cells, OWN, value=value, pair=PAIR, block=WORLDS)
    by_world = dict(strict.select("strategy", "p_value").iter_rows())
    lines = [
        f"| strategy | runs | mean, {unit} [95 %] | minus `{OWN}` [95 %] | pairs | Cohen's d | p "
        "| p, Holm | p, worlds exchanged |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found.sort("mean", descending=better == "high").to_dicts():
        mean, low, high = (scale * row[name] for name in ("mean", "low", "high"))
        spread = f" [{_n(low)}, {_n(high)}]" if row["runs"] > 1 else ""
        cell = f"| `{row['strategy']}` | {row['runs']} | {_n(mean)}{spread} |"
        if row["difference"] is None:
            lines.append(f"{cell} | | | | | |")
            continue
        difference, start, end = (
            scale * row[name] for name in ("difference", "difference_low", "difference_high")
        )
        if row["pairs"] < 2:  # one pair has no spread and no p
            lines.append(f"{cell} {_s(difference)} | {row['pairs']} | | | | |")
            continue
        effect = "" if row["cohens_d"] is None else f"{row['cohens_d']:+.2f}"
        lines.append(
            f"{cell} {_s(difference)} [{_s(start)}, {_s(end)}] | {row['pairs']} | {effect} "
            f"| {row['p_value']:.4f} | {row['p_holm']:.4f} | {by_world[row['strategy']]:.4f} |"
        )
    return "\n".join(lines)


def mean_table(
    cells: pl.DataFrame, columns: Sequence[tuple[str, str, float, int]], order: str, low: bool
) -> str:
    """Means by strategy of (column, heading, scale, decimals), sorted by the column `order`."""
    there = [entry for entry in columns if entry[0] in cells.columns]
    means = cells.group_by("strategy").agg(
        pl.len().alias("runs"), *(pl.col(name).mean() for name, _, _, _ in there)
    )
    means = means.sort(order, "strategy", descending=[not low, False], nulls_last=True)
    lines = [
        "| strategy | runs | " + " | ".join(heading for _, heading, _, _ in there) + " |",
        "|---|---:|" + "---:|" * len(there),
    ]
    for row in means.to_dicts():
        shown = [
            "" if row[name] is None else f"{scale * row[name]:.{decimals}f}"
            for name, _, scale, decimals in there
        ]
        lines.append(f"| `{row['strategy']}` | {row['runs']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def language_table(cells: pl.DataFrame, value: str, scale: float, decimals: int) -> str:
    """Mean by strategy and language."""
    languages = sorted(cells["language"].unique())
    means = cells.group_by("strategy", "language").agg(pl.col(value).mean())
    wide = means.pivot("language", index="strategy", values=value).sort("strategy")
    lines = ["| strategy | " + " | ".join(languages) + " |", "|---|" + "---:|" * len(languages)]
    for row in wide.to_dicts():
        shown = [
            "" if row[name] is None else f"{scale * row[name]:.{decimals}f}" for name in languages
        ]
        lines.append(f"| `{row['strategy']}` | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def coverage(cells: pl.DataFrame, strategies: Sequence[str]) -> str:
    """Which cells there are: runs by strategy, language and budget in one sentence a budget."""
    lines = []
    for (budget,), part in cells.sort("budget").group_by("budget", maintain_order=True):
        counts = part.group_by("strategy", "language").len()
        runs = counts["len"].to_list()
        missing = [name for name in strategies if name not in part["strategy"].to_list()]
        text = (
            f"- budget {budget}: {part.height} cells, {part['strategy'].n_unique()} strategies, "
            f"languages {', '.join(sorted(part['language'].unique()))}, seeds "
            f"{', '.join(map(str, sorted(part['seed'].unique())))}; {min(runs)} to {max(runs)} "
            "runs for each strategy and language"
        )
        lines.append(text + (f"; not run: {', '.join(missing)}" if missing else ""))
    return "\n".join(lines)


def _n(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _s(value: float) -> str:
    return f"{value:+.2f}" if abs(value) < 10 else f"{value:+.1f}"
