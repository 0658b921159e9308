"""Sampling strategies side by side: same budget, same training code, same held-out items."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.config.load import with_overrides
from compass_core.stages import frames
from compass_core.stages.sampling import select_language
from compass_core.workspace import Workspace

Report = Callable[[str], None]
REFERENCE = "random"


def compare_strategies(
    ws: Workspace, language: str, strategies: Sequence[str], seeds: Sequence[int], report: Report
) -> dict[str, Any]:
    """Train and score one adapter a strategy and seed; writes records.COMPARISONS.

    The reference strategy `random` is always among them. Adapters are thrown away afterwards.
    Cost: one training and one scoring for each strategy and seed, after a single base scoring.
    """
    from compass_core.adapters.train import train_adapter
    from compass_core.benchmarks.score import score_items

    names = list(dict.fromkeys([REFERENCE, *strategies]))
    folder = ws.store.scratch_dir(f"comparison-{language}")
    adapters: dict[str, Path] = {}
    facts: dict[str, dict[str, int]] = {}
    try:
        for seed in seeds:
            for name in names:
                tried = Workspace(
                    ws.directory,
                    ws.base,
                    with_overrides(ws.project, {"sampling": {"strategy": name}, "seed": seed}),
                    ws.store,
                )
                rows, _ = select_language(tried, language)
                sampled = rows.filter(pl.col("origin") == "auxiliary")
                label = f"{name}@{seed}"
                facts[label] = {
                    "sampled_rows": sampled.height,
                    "sampled_tokens": int(sampled["supervised_tokens"].sum()),
                    "training_rows": rows.height,
                }
                out = folder / f"{name}-{seed}"
                out.mkdir()
                result = train_adapter(
                    rows.select("row_id", "prompt", "response"),
                    ws.project.adapter,
                    ws.project.base_model,
                    ws.project.execution,
                    ws.directory,
                    out,
                    folder / f"checkpoints-{name}-{seed}",
                    seed,
                    lambda text: None,
                    lineage={"language": language, "strategy": name},
                )
                report(f"{label}: {rows.height} rows, loss {result.loss_last:.2f}")
                adapters[label] = out
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
    table = _table(ws, language, names, seeds, scored, facts)
    ws.store.write_parquet(layout.comparison(language), table)
    return {"rows": table.to_dicts()}


def _table(
    ws: Workspace,
    language: str,
    names: Sequence[str],
    seeds: Sequence[int],
    scored: pl.DataFrame,
    facts: dict[str, dict[str, int]],
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
