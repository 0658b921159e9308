"""Writes what the cells say: CSV files here, tables and pictures into docs/experiments.

The text of `selection.md` is written by hand; between `<!-- begin NAME -->` and `<!-- end NAME -->`
stands what this file puts there.
"""

import re
from pathlib import Path

import polars as pl

from compass_core.benchmarks.effects import effects_plot, strategy_effects
from compass_core.sampling.strategies import STRATEGIES
from experiments.selection.cells import read_cells
from experiments.selection.tables import (
    OWN,
    PAIR,
    coverage,
    effect_table,
    labelled,
    language_table,
    mean_table,
)

WORLD_REASONS = (
    ("accuracy_gap", "right on gap topics, %", 100, 1),
    ("accuracy_covered", "right on covered topics, %", 100, 1),
    ("facts_seen_gap", "gap items whose fact was seen, %", 100, 0),
    ("jsd_bits_after", "jsd_bits, clusters", 1, 3),
    ("jsd_bits_topics", "jsd_bits, true topics", 1, 3),
    ("gap_rows", "rows on gap topics", 1, 0),
    ("unasked_rows", "rows nobody asks for", 1, 0),
    ("own_language_rows", "sampled rows in the target language", 1, 0),
)
REAL_REASONS = (
    ("nats", "nats a token", 1, 3),
    ("nats_gap", "nats, gap topics", 1, 3),
    ("nats_covered", "nats, covered topics", 1, 3),
    ("accuracy", "right answer found, %", 100, 1),
    ("own_language_share", "sample in the target language, %", 100, 1),
    ("jsd_bits_after", "jsd_bits, clusters", 1, 3),
    ("jsd_bits_topics", "jsd_bits, true topics", 1, 3),
    ("unasked_rows", "rows nobody asks for", 1, 0),
)
MATCH = tuple(
    entry
    for entry in (*WORLD_REASONS, *REAL_REASONS[4:5])
    if entry[0] not in ("accuracy_gap", "accuracy_covered")
)


def write_report(work: Path, here: Path, document: Path) -> list[str]:
    """Rewrite CSV files, pictures and the marked parts of the document; returns what was written.

    Parts for which there are no cells say so. Raises FileNotFoundError without the document.
    """
    text = document.read_text(encoding="utf-8")
    written = []
    for name, value, scale, better, unit in (
        ("world", "accuracy", 100.0, "high", "per cent"),
        ("real", "nats", 1.0, "low", "nats a token"),
    ):
        cells = read_cells(work / name)
        if cells.height:
            cells = labelled(cells)
            _csv(cells.drop("correct", "base_correct"), here / f"{name}.csv")
            _csv(cells.select(*PAIR, "strategy", "budget", "correct"), here / f"{name}_items.csv")
            written += [f"{name}.csv", f"{name}_items.csv"]
        for part, body in _parts(cells, name, value, scale, better, unit).items():
            text = _replaced(text, f"{name} {part}", body)
        if cells.height:
            written += _pictures(cells, name, value, scale, document.parent)
        choices = read_cells(work / name, "choices")
        if choices.height:
            _csv(choices, here / f"{name}_choices.csv")
            written.append(f"{name}_choices.csv")
        text = _replaced(text, f"{name} match", _match(choices))
    document.write_text(text, encoding="utf-8")
    return [*written, document.name]


def _parts(
    cells: pl.DataFrame, name: str, value: str, scale: float, better: str, unit: str
) -> dict[str, str]:
    if not cells.height:
        return dict.fromkeys(("cells", "effects", "reasons", "languages"), "*No cell was run.*")
    effects, reasons, languages = [], [], []
    columns = WORLD_REASONS if name == "world" else REAL_REASONS
    base = f"base_{value}"
    for (budget,), part in cells.sort("budget").group_by("budget", maintain_order=True):
        head = f"Budget {budget} supervised tokens"
        alone = part.group_by("world", "language").agg(pl.col(base).first())
        start = scale * float(alone[base].to_numpy().mean())
        if OWN in part["strategy"].to_list():
            table = effect_table(part, value, scale, better, unit)
            effects.append(f"{head}; the base model alone: {start:.2f}.\n\n{table}")
        table = mean_table(part, columns, columns[0][0], better == "low")
        reasons.append(f"{head}.\n\n{table}")
        languages.append(f"{head}.\n\n{language_table(part, value, scale, 1 if scale > 1 else 3)}")
    return {
        "cells": coverage(cells, list(STRATEGIES)),
        "effects": "\n\n".join(effects) or f"*No cell of {OWN} was run.*",
        "reasons": "\n\n".join(reasons),
        "languages": "\n\n".join(languages),
    }


def _match(choices: pl.DataFrame) -> str:
    if not choices.height:
        return "*Nothing was chosen without training.*"
    parts = [coverage(choices, list(STRATEGIES))]
    for (budget,), part in choices.sort("budget").group_by("budget", maintain_order=True):
        table = mean_table(part, MATCH, "jsd_bits_after", True)
        parts.append(f"Budget {budget} supervised tokens.\n\n{table}")
    return "\n\n".join(parts)


def _pictures(cells: pl.DataFrame, name: str, value: str, scale: float, folder: Path) -> list[str]:
    written = []
    for (budget,), part in cells.group_by("budget", maintain_order=True):
        if OWN not in part["strategy"].to_list():
            continue
        # Languages differ more than strategies do: each run is shown against its language's mean.
        centred = part.with_columns(
            (
                pl.col(value)
                - pl.col(value).mean().over("world", "language")
                + pl.col(value).mean()
            ).alias(value)
        )
        label = (
            "accuracy on held-out items, per cent, language means removed"
            if value == "accuracy"
            else "loss on held-out answers, nats a token, language means removed"
        )
        effects = strategy_effects(centred, OWN, value=value, pair=PAIR)
        if value != "accuracy":
            effects = effects.sort("mean")
        png = effects_plot(
            centred,
            effects,
            value=value,
            scale=scale,
            label=label,
            title=f"{name}: budget {budget} supervised tokens",
        )
        file = folder / f"selection-{name}-{budget}.png"
        file.write_bytes(png)
        written.append(file.name)
    return written


def _csv(frame: pl.DataFrame, path: Path) -> None:
    keys = [
        name
        for name in ("world", "language", "strategy", "budget", "seed", "full")
        if name in frame.columns
    ]
    rest = sorted(name for name in frame.columns if name not in keys)
    frame.select(*keys, *rest).sort(keys).write_csv(path, float_precision=5)


def _replaced(text: str, name: str, body: str) -> str:
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        return text
    return pattern.sub(lambda _: f"{begin}\n{body}\n{end}", text)
