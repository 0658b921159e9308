"""Scores on the model card: they are made after the adapter, so they join it when it leaves."""

from pathlib import Path

import polars as pl

from compass_core import layout
from compass_core.benchmarks.stats import accuracy, paired_comparison
from compass_core.workspace import Workspace

HEADING = "## Scores"


def with_scores(ws: Workspace, language: str, version: str, card: Path) -> None:
    """Write the table of scores into a card, in place of one that is there already."""
    text = card.read_text(encoding="utf-8") if card.is_file() else f"# {language} adapter\n"
    text = text.split(HEADING)[0].rstrip()
    card.write_text(f"{text}\n\n{scores_text(ws, language, version)}", encoding="utf-8")


def scores_text(ws: Workspace, language: str, version: str) -> str:
    """The section as Markdown: accuracy by suite with intervals, and the paired difference."""
    key = layout.scores(language, version)
    if not ws.store.exists(key):
        return f"{HEADING}\n\nNot scored yet.\n"
    frame = ws.store.read_parquet(key)
    lines = [
        HEADING,
        "",
        "Per cent right with 95 % intervals; the difference is paired on the same items.",
        "",
        "| suite | items | base model | adapter | difference, points | p |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for (suite,), part in frame.group_by("suite", maintain_order=True):
        adapter = part.filter(pl.col("model") == "adapter").sort("item_id")["correct"].to_numpy()
        base = part.filter(pl.col("model") == "base").sort("item_id")["correct"].to_numpy()
        compared = paired_comparison(adapter, base, seed=ws.project.seed)
        shown = []
        for values in (base, adapter):
            found = accuracy(values)
            shown.append(
                f"{100 * found.accuracy:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"
            )
        lines.append(
            f"| {suite} | {len(adapter)} | {shown[0]} | {shown[1]} "
            f"| {compared.difference_points:+.1f} [{compared.low_points:+.1f}, "
            f"{compared.high_points:+.1f}] | {compared.p_value:.4f} |"
        )
    return "\n".join([*lines, ""])
