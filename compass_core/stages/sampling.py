"""The training set of an adapter: the training corpus together with the sample that fills gaps."""

import json
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.benchmarks.contamination import benchmark_hashes
from compass_core.hashing import unit_key, version_of_set
from compass_core.sampling.select import Selection, select_rows
from compass_core.stages import frames
from compass_core.stages.clusters import vectors_of
from compass_core.stages.gaps import token_counts
from compass_core.workspace import Workspace


def sample_language(ws: Workspace, language: str) -> tuple[pl.DataFrame, Selection, str]:
    """Select, store as Parquet and JSONL; returns all rows, the selection, the data version."""
    rows, selection = select_language(ws, language)
    _write(ws, language, rows, selection)
    lines = rows.select(pl.format("{}/{}/{}", "origin", "row_id", "response")).to_series()
    return rows, selection, version_of_set(lines)


def select_language(ws: Workspace, language: str) -> tuple[pl.DataFrame, Selection]:
    """Training rows and selected auxiliary rows (records.SELECTIONS), and how they were chosen.

    Writes nothing, so that other strategies can be tried beside the configured one.
    """
    placed = ws.store.read_parquet(layout.assignments(language)).select(
        "role", "row_id", "cluster_id", "similarity", "off_target"
    )
    tokens = token_counts(ws, language)
    pool = _with_clusters(frames.pool_rows(ws, language), "auxiliary", placed, tokens)
    training = _with_clusters(frames.training_rows(ws, language), "training", placed, tokens)
    roles = frames.role_rows(ws, language)
    role = "usage" if roles["usage"].height else "proxy"
    target = (
        roles[role]
        .join(placed.filter(pl.col("role") == role).select("row_id", "cluster_id"), on="row_id")
        .sort("row_id")
    )
    gaps = ws.store.read_parquet(layout.gaps(language))
    selection = select_rows(
        language,
        pool,
        gaps,
        training,
        ws.project.sampling,
        ws.project.seed,
        vectors=vectors_of(ws, "auxiliary", pool) if pool.height else None,
        target=target,
        target_vectors=vectors_of(ws, role, target),
        benchmark_hashes=benchmark_hashes(frames.benchmark_rows(ws, language)),
    )
    keys = [unit_key(row, ws.project.seed) for row in training["row_id"]]
    held = training.with_columns(
        pl.lit("training").alias("origin"),
        pl.lit(ws.project.sampling.strategy).alias("strategy"),
        pl.lit(None, dtype=pl.Int64).alias("rank"),
        pl.Series("key", keys, dtype=pl.Float64),
    ).join(gaps.select("cluster_id", "gap"), on="cluster_id", how="left")
    taken = selection.selected.with_columns(pl.lit("auxiliary").alias("origin"))
    parts = [
        records.conform(part.with_columns(pl.lit(language).alias("language")), records.SELECTIONS)
        for part in (held, taken)
    ]
    return pl.concat(parts).sort("origin", "row_id", descending=[True, False]), selection


def _with_clusters(
    rows: pl.DataFrame, role: str, placed: pl.DataFrame, tokens: pl.DataFrame
) -> pl.DataFrame:
    mine = placed.filter(pl.col("role") == role).drop("role")
    counted = tokens.filter(pl.col("role") == role).select("row_id", "supervised_tokens")
    return (
        rows.rename({"language": "row_language"})
        .join(mine, on="row_id", how="inner")
        .join(counted, on="row_id", how="inner")
        .sort("row_id")
    )


def _write(ws: Workspace, language: str, rows: pl.DataFrame, selection: Selection) -> None:
    lines = [
        json.dumps(_chat(row), ensure_ascii=False)
        for row in rows.select("row_id", "prompt", "response", "source", "license").iter_rows(
            named=True
        )
    ]
    ws.store.write_parquet(layout.dropped(language), selection.dropped)
    ws.store.write_bytes(
        layout.training_set(language, "jsonl"), ("\n".join(lines) + "\n").encode() if lines else b""
    )
    ws.store.write_parquet(layout.training_set(language, "parquet"), rows)
    ws.store.write_parquet(layout.selections(language), rows)


def _chat(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["row_id"],
        "messages": [
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["response"]},
        ],
        "source": row["source"],
        "license": row["license"],
    }
