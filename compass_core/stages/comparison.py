"""Sampling strategies side by side: same budget, same training code, same held-out items.

`choose` and `train` are the one path that every strategy takes, here and in
`experiments/selection`.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.adapters.conversation import COLUMNS, identities
from compass_core.adapters.model_folder import base_fingerprint
from compass_core.config.load import with_overrides
from compass_core.graph import NODES
from compass_core.hashing import version_of, version_of_set
from compass_core.progress import Progress
from compass_core.stages import frames
from compass_core.stages.sampling import select_language
from compass_core.workspace import Workspace

Report = Callable[[str], None]
REFERENCE = "random"


@dataclass(frozen=True)
class Choice:
    """What a strategy makes of a language: records.SELECTIONS, training corpus and sample."""

    language: str
    strategy: str
    seed: int
    rows: pl.DataFrame
    facts: dict[str, Any]  # sampled_rows, sampled_tokens, training_rows, jsd_bits_before, _after


def choose(
    ws: Workspace, language: str, strategy: str, seed: int, budget: int | None = None
) -> Choice:
    """Select with one strategy; `budget` in the project's unit, None: the project's own."""
    sampling: dict[str, Any] = {"strategy": strategy}
    if budget is not None:
        sampling["budget"] = budget
    project = with_overrides(ws.project, {"sampling": sampling, "seed": seed})
    rows, selection = select_language(Workspace(ws.directory, ws.base, project, ws.store), language)
    sampled = rows.filter(pl.col("origin") == "auxiliary")
    facts = {
        "sampled_rows": sampled.height,
        "sampled_tokens": int(sampled["supervised_tokens"].sum()),
        "training_rows": rows.height,
        "jsd_bits_before": selection.summary["jsd_bits_before"],
        "jsd_bits_after": selection.summary["jsd_bits_after"],
    }
    return Choice(language, strategy, seed, rows, facts)


def training_digest(ws: Workspace, choice: Choice, epochs: float | None = None) -> str:
    """16 hex digits over all that decides the weights: the same digest, the same adapter."""
    adapter = ws.project.adapter
    settings = adapter.model_dump(mode="json", exclude={"checkpoint_every_s", "epochs"})
    rows = choice.rows
    return version_of(
        [
            version_of_set(identities(rows)),
            settings,
            adapter.epochs if epochs is None else epochs,
            base_fingerprint(ws.project.base_model, ws.directory),
            ws.project.base_model.model_dump(mode="json", exclude={"model", "warn_times_english"}),
            NODES["adapter"].code,
            choice.seed,
        ]
    )


def train(
    ws: Workspace,
    choice: Choice,
    out: Path,
    checkpoints: Path,
    report: Report,
    epochs: float | None = None,
) -> Any:
    """Train one adapter into `out` (made here); returns `adapters.train.TrainResult`."""
    from compass_core.adapters.train import train_adapter

    adapter = ws.project.adapter
    if epochs is not None:
        adapter = adapter.model_copy(update={"epochs": epochs})
    out.mkdir(parents=True, exist_ok=True)
    return train_adapter(
        choice.rows.select(COLUMNS),
        adapter,
        ws.project.base_model,
        ws.project.execution,
        ws.directory,
        out,
        checkpoints,
        choice.seed,
        report,
        lineage={"language": choice.language, "strategy": choice.strategy},
    )


def compare_strategies(
    ws: Workspace, language: str, strategies: Sequence[str], seeds: Sequence[int], report: Report
) -> dict[str, Any]:
    """Train and score one adapter a strategy and seed; writes records.COMPARISONS.

    The reference strategy `random` is always among them. Adapters are thrown away afterwards.
    A strategy whose choice does not depend on the seed is trained anew for each seed all the same:
    the order of the examples and the adapter's start differ. Cost: one training and one scoring
    for each strategy and seed, after a single base scoring.
    """
    from compass_core.benchmarks.score import score_items

    names = list(dict.fromkeys([REFERENCE, *strategies]))
    folder = ws.store.scratch_dir(f"comparison-{language}")
    adapters: dict[str, Path] = {}
    facts: dict[str, dict[str, Any]] = {}
    trainings = len(names) * len(dict.fromkeys(seeds))
    progress = Progress(report, language, trainings, "adapters trained", every_s=0.0)
    try:
        for seed in dict.fromkeys(seeds):
            for name in names:
                choice = choose(ws, language, name, seed)
                label = f"{name}@{seed}"
                adapters[label] = folder / f"{name}-{seed}"
                checkpoints = folder / f"checkpoints-{name}-{seed}"
                result = train(ws, choice, adapters[label], checkpoints, lambda text: None)
                facts[label] = choice.facts
                told = f"{label}: {choice.rows.height} rows, loss {result.loss_last:.2f}"
                progress.at(len(facts), told)
        scored = score_items(
            frames.benchmark_rows(ws, language),
            ws.project.benchmarks.suites,
            ws.project.base_model,
            adapters,
            ws.project.benchmarks,
            ws.project.execution,
            ws.directory,
            report=report,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = _table(ws, language, names, list(dict.fromkeys(seeds)), scored, facts)
    ws.store.write_parquet(layout.comparison(language), table)
    return {"rows": table.to_dicts()}


def _table(
    ws: Workspace,
    language: str,
    names: Sequence[str],
    seeds: Sequence[int],
    scored: pl.DataFrame,
    facts: dict[str, dict[str, Any]],
) -> pl.DataFrame:
    from compass_core.benchmarks.stats import paired_comparison

    keys = ["suite", "item_id"]
    base = scored.filter(pl.col("model") == "base").sort(keys)["correct"].to_numpy()

    def correct(label: str) -> Any:
        return scored.filter(pl.col("adapter_version") == label).sort(keys)["correct"].to_numpy()

    rows = []
    for seed in seeds:
        reference = correct(f"{REFERENCE}@{seed}")
        for name in names:
            mine = correct(f"{name}@{seed}")
            compared = paired_comparison(mine, reference, seed=ws.project.seed)
            rows.append(
                {
                    "language": language,
                    "strategy": name,
                    "seed": seed,
                    **facts[f"{name}@{seed}"],
                    "items": len(mine),
                    "accuracy": float(mine.mean()),
                    "base_accuracy": float(base.mean()),
                    "difference_points": compared.difference_points,
                    "low_points": compared.low_points,
                    "high_points": compared.high_points,
                    "p_value": compared.p_value,
                }
            )
    return pl.DataFrame(rows, schema=records.COMPARISONS)
