"""The gap report of a language, from its assignments and the tokens of its rows."""

from itertools import chain
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.adapters.tokens import row_tokens
from compass_core.gaps.history import with_report
from compass_core.gaps.report import GapReport, gap_report
from compass_core.hashing import version_of
from compass_core.progress import Report, silent
from compass_core.stages import frames
from compass_core.stages.clusters import load_model
from compass_core.stages.screening import Screening
from compass_core.workspace import Workspace

COUNTED = pl.Schema({"row_id": pl.String, "role": pl.String, "supervised_tokens": pl.Int64})


def token_counts(ws: Workspace, language: str) -> pl.DataFrame:
    """Supervised tokens of training and pool rows: row_id, role, supervised_tokens."""
    parts = [pl.DataFrame(schema=COUNTED)]
    sources = [("training", frames.training_rows(ws, language))]
    for role, rows in chain(sources, (("auxiliary", p) for p in frames.pool_parts(ws, language))):
        counted = row_tokens(ws.project.base_model, ws.directory, rows)
        parts.append(
            rows.select(
                "row_id",
                pl.lit(role).alias("role"),
                pl.Series("supervised_tokens", counted, dtype=pl.Int64),
            )
        )
    return pl.concat(parts)


def leaked_rows(ws: Workspace, language: str, report: Report = silent) -> pl.Series:
    """Ids of rows of the training corpus that hold a benchmark item."""
    rows = frames.training_rows(ws, language)
    return Screening(ws, language).hits(rows, language, "training rows", report)["row_id"]


def report_language(
    ws: Workspace, language: str, model_version: str, report: Report = silent
) -> tuple[GapReport, str]:
    """Measure and store the gaps of a language; returns the report and its data version.

    Rows of the corpus that hold a benchmark item are never trained on, so they are not held here.
    """
    window: dict[str, Any] = ws.store.read_json(layout.window(language))
    leaked = leaked_rows(ws, language, report)
    placed = ws.store.read_parquet(layout.assignments(language))
    found = gap_report(
        language,
        placed.filter((pl.col("role") != "training") | ~pl.col("row_id").is_in(leaked.implode())),
        ws.store.read_parquet(layout.clusters(language)),
        token_counts(ws, language),
        load_model(ws, language, model_version),
        ws.project.gaps,
        ws.project.usage,
        ws.project.sampling,
        window["first_day"],
        window["last_day"],
    )
    found.summary["corpus_rows_with_benchmark_items"] = leaked.len()
    frame = records.conform(found.frame, records.GAPS)
    ws.store.write_parquet(layout.gaps(language), frame)
    ws.store.write_parquet(layout.gap_pool(language), found.pool)
    key = layout.gaps_history(language)
    history = ws.store.read_parquet(key) if ws.store.exists(key) else None
    ws.store.write_parquet(key, with_report(history, frame))
    # Titles are left out: the same gaps under better titles are the same gaps.
    figures = frame.drop("title").with_columns(
        pl.selectors.float().round(12), pl.selectors.date().cast(pl.String)
    )
    return found, version_of(figures.to_dicts())
