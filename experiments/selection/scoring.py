"""Held-out items, scored the same way in every project."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from compass_core.benchmarks.score import score_items
from compass_core.stages import frames
from compass_core.workspace import Workspace
from experiments.selection.cells import Report, Score, test_items

Groups = Callable[[str, list[str]], dict[str, np.ndarray]]  # language, subjects -> positions


def scorer(groups: Groups) -> Score:
    """A function that scores adapters of a language: accuracy, nats, in all and by group.

    `nats` is the mean loss per token of the right answer; `correct` is one character an item.
    """

    def score(
        ws: Workspace, language: str, adapters: dict[str, Path], report: Report
    ) -> dict[str, dict[str, Any]]:
        scored = score_items(
            frames.benchmark_rows(ws, language),
            ws.project.benchmarks.suites,
            ws.project.base_model,
            adapters,
            ws.project.benchmarks,
            ws.project.execution,
            ws.directory,
        ).sort("suite", "item_id")
        by_group = groups(language, test_items(ws, language)["subject"].to_list())
        base = scored.filter(pl.col("model") == "base")
        report(f"{ws.project.name} {language}: {len(adapters)} adapters scored")
        found = {}
        for digest in adapters:
            mine = scored.filter(pl.col("adapter_version") == digest)
            found[digest] = {**_figures(mine, by_group), **_figures(base, by_group, "base_")}
        return found

    return score


def _figures(
    scored: pl.DataFrame, by_group: dict[str, np.ndarray], prefix: str = ""
) -> dict[str, Any]:
    correct = scored["correct"].to_numpy()
    right = scored.select(pl.col("logliks").list.get(pl.col("answer"))).to_series()
    found: dict[str, Any] = {
        "items": len(correct),
        f"{prefix}accuracy": float(correct.mean()),
        f"{prefix}nats": -float(right.to_numpy().mean()),
        f"{prefix}correct": "".join("1" if c else "0" for c in correct),
    }
    for group, mine in by_group.items():
        found[f"{prefix}accuracy_{group}"] = float(correct[mine].mean())
        found[f"{prefix}nats_{group}"] = -float(right.to_numpy()[mine].mean())
    return found
