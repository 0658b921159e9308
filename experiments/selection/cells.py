"""One cell after another: choose, train unless the same was trained before, score, keep.

A training is kept under the digest of what decides its weights, so two cells with the same rows
and seed share it. Everything is written under a temporary name first: a killed run loses at most
the training and the scoring it was in.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.hashing import unit_key
from compass_core.stages import frames
from compass_core.stages.comparison import Choice, choose, train, training_digest
from compass_core.workspace import Workspace

UNLIMITED = "all_data"  # the budget does not count for it
Report = Callable[[str], None]
Facts = Callable[[str, pl.DataFrame], dict[str, Any]]  # language, chosen rows -> figures
Score = Callable[[Workspace, str, dict[str, Path], Report], dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Cell:
    """`world` names the project, `seed` the run; `full`: `all_data` gets its whole epochs."""

    world: str
    language: str
    strategy: str
    budget: int
    seed: int
    full: bool = False

    @property
    def name(self) -> str:
        label = self.strategy + ("-full" if self.full else "")
        return f"{self.world}-{self.language}-{label}-{self.budget}-{self.seed}"


@dataclass(frozen=True)
class Planned:
    cell: Cell
    choice: Choice
    epochs: float
    digest: str


def run_cells(
    ws: Workspace,
    cells: Iterable[Cell],
    folder: Path,
    facts: Facts,
    score: Score,
    report: Report,
    refresh: bool = False,
) -> int:
    """Run the cells of one project that have no file yet; returns how many were trained.

    `refresh` chooses again and trains only where the choice has changed. Cost: a training and a
    scoring for each digest that is new, one base scoring a language.
    """
    trained = 0
    together: dict[tuple[int, str], list[Cell]] = {}
    for cell in cells:
        if refresh or not _cell_file(folder, cell).exists():
            together.setdefault((cell.seed, cell.language), []).append(cell)
    for (_, language), waiting in together.items():
        planned = [_plan(ws, cell) for cell in waiting]
        adapters: dict[str, Path] = {}
        for one in planned:
            if one.digest in adapters or _training_file(folder, one.digest).exists():
                continue
            adapters[one.digest] = _trained(ws, one, folder, report)
            trained += 1
        if adapters:
            for digest, scored in score(ws, language, adapters, report).items():
                log = json.loads((adapters[digest] / "training_log.json").read_text())
                _write_json(_training_file(folder, digest), {**_figures(log), **scored})
                shutil.rmtree(adapters[digest], ignore_errors=True)
        for one in planned:
            result = json.loads(_training_file(folder, one.digest).read_text())
            found = {
                **asdict(one.cell),
                "digest": one.digest,
                "epochs": one.epochs,
                **one.choice.facts,
                **facts(language, one.choice.rows),
                **result,
            }
            _write_json(_cell_file(folder, one.cell), found)
        report(f"{ws.project.name} {language}: {len(planned)} cells written")
    return trained


def run_choices(
    ws: Workspace, cells: Iterable[Cell], folder: Path, facts: Facts, report: Report
) -> None:
    """Choose only: how well the mix matches usage, for more cells than there is time to train."""
    for cell in cells:
        path = folder / "choices" / f"{cell.name}.json"
        if path.exists():
            continue
        choice = choose(ws, cell.language, cell.strategy, cell.seed, cell.budget)
        figures = {**choice.facts, **facts(cell.language, choice.rows)}
        _write_json(path, {**asdict(cell), **figures})
        report(f"{cell.name}: {choice.facts['jsd_bits_after']:.3f} bits")


def read_cells(folder: Path, kind: str = "cells") -> pl.DataFrame:
    """All finished cells (or `choices`), one a row, sorted by name; empty where there are none."""
    paths = sorted((folder / kind).glob("*.json"))
    found = [_figures(json.loads(path.read_text())) for path in paths]
    return pl.DataFrame(found, infer_schema_length=None)


def _figures(values: dict[str, Any]) -> dict[str, Any]:
    """What fits into a table: a training log also has its losses step by step, and settings."""
    return {name: v for name, v in values.items() if not isinstance(v, list | dict)}


def _plan(ws: Workspace, cell: Cell) -> Planned:
    choice = choose(ws, cell.language, cell.strategy, cell.seed, cell.budget)
    epochs = ws.project.adapter.epochs
    if cell.strategy == UNLIMITED and not cell.full:
        # As many examples as `random` sees with this budget, so the same compute: the rows whose
        # turn comes first once, or all of them and some again.
        rival = choose(ws, cell.language, "random", cell.seed, cell.budget)
        seen = round(epochs * rival.rows.height)
        keys = [unit_key(row, cell.seed, "epoch-0") for row in choice.rows["row_id"]]
        rows = choice.rows.with_columns(pl.Series("turn", keys)).sort("turn").head(seen)
        choice, epochs = replace(choice, rows=rows.drop("turn")), seen / rows.height
    return Planned(cell, choice, epochs, training_digest(ws, choice, epochs))


def _trained(ws: Workspace, one: Planned, folder: Path, report: Report) -> Path:
    """Adapter folder of a plan, made now unless a killed run had finished it."""
    done = folder / "adapters" / one.digest
    if done.exists():
        return done
    started = time.monotonic()
    building = folder / "adapters" / f".tmp-{one.digest}"
    shutil.rmtree(building, ignore_errors=True)
    checkpoints = folder / "checkpoints" / one.digest
    result = train(ws, one.choice, building, checkpoints, lambda text: None, one.epochs)
    os.replace(building, done)
    shutil.rmtree(checkpoints, ignore_errors=True)
    report(
        f"{one.cell.name}: {one.choice.rows.height} rows, {result.steps} steps, "
        f"loss {result.loss_last:.2f}, {time.monotonic() - started:.1f} s"
    )
    return done


def test_items(ws: Workspace, language: str) -> pl.DataFrame:
    """The held-out items that are scored, in the order in which results are kept."""
    items = frames.benchmark_rows(ws, language).filter(pl.col("split") == "test")
    parts = []
    for suite in sorted(ws.project.benchmarks.suites, key=lambda suite: suite.name):
        mine = items.filter(pl.col("suite") == suite.name).sort("item_id")
        parts.append(mine if suite.max_items is None else mine.head(suite.max_items))
    return pl.concat(parts)


def _cell_file(folder: Path, cell: Cell) -> Path:
    return folder / "cells" / f"{cell.name}.json"


def _training_file(folder: Path, digest: str) -> Path:
    return folder / "trainings" / f"{digest}.json"


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True))
    os.replace(temporary, path)
