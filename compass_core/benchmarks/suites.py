"""All suites of a project on one loaded base model: local items, harness tasks, long contexts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import records
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.benchmarks.score import BASE, score_items, with_adapter
from compass_core.config.schema import BaseModelSettings, Benchmarks, Execution, Suite

Report = Callable[[str], None]
Rows = list[dict[str, Any]]


def score_suites(
    items: pl.DataFrame,
    language: str,
    suites: list[Suite],
    base: BaseModelSettings,
    adapters: dict[str, Path],
    benchmarks: Benchmarks,
    execution: Execution,
    project_dir: Path,
    report: Report = lambda text: None,
) -> pl.DataFrame:
    """Score the base model and each adapter on every suite (records.SCORES, an item a row).

    The base model is loaded once. Local items go as `score_items` says; harness tasks and long
    contexts in addition, with what was generated and what was extracted from it.
    """
    others = [suite for suite in suites if suite.kind != "local"]
    if not others:
        return score_items(
            items, suites, base, adapters, benchmarks, execution, project_dir, report=report
        )
    loaded = load_tokenizer(base, project_dir), load_base(base, project_dir, execution)
    parts = [
        score_items(
            items,
            suites,
            base,
            adapters,
            benchmarks,
            execution,
            project_dir,
            report=report,
            loaded=loaded,
        )
    ]
    tokenizer, model = loaded
    for name, folder in [(BASE, None), *adapters.items()]:
        adapted = model if folder is None else with_adapter(model, folder)
        for suite in others:
            rows = _run(suite, language, adapted, tokenizer, benchmarks, project_dir, report)
            for row in rows:
                row |= {
                    "language": language,
                    "suite": suite.name,
                    "split": "test",
                    "model": BASE if name == BASE else "adapter",
                    "adapter_version": None if name == BASE else name,
                }
            report(f"{name}, {suite.name}: {len(rows)} items, {_right(rows)}")
            parts.append(pl.DataFrame(rows, schema=records.SCORES))
        if folder is not None:
            model = adapted.unload()
    return pl.concat(parts)


def _run(
    suite: Suite,
    language: str,
    model: Any,
    tokenizer: Any,
    benchmarks: Benchmarks,
    directory: Path,
    report: Report,
) -> Rows:
    if suite.kind == "lm_eval":
        from compass_core.benchmarks.harness import run_harness

        size = benchmarks.batch_size
        return run_harness(suite, language, model, tokenizer, size, directory, report)
    from compass_core.benchmarks.oneruler.run import run_oneruler

    return run_oneruler(suite, language, model, tokenizer, directory, report)


def _right(rows: Rows) -> str:
    right = sum(row["correct"] for row in rows)
    failed = sum(row["response"] is not None and row["extracted"] is None for row in rows)
    text = f"{100 * right / len(rows):.1f} % right" if rows else "nothing to score"
    return f"{text}, no answer found in {failed}" if failed else text
