"""The training set of an adapter: the training corpus together with the sample that fills gaps."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.benchmarks.contamination import Screened, text_hashes
from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore
from compass_core.hashing import unit_keys, version_of_set
from compass_core.progress import Progress, Report, silent
from compass_core.sampling.card import training_card
from compass_core.sampling.pool import VectorSource
from compass_core.sampling.scene import Target
from compass_core.sampling.select import Selection, select_rows
from compass_core.stages import frames
from compass_core.stages.clusters import vectors_of
from compass_core.stages.gaps import token_counts
from compass_core.stages.screening import Screening
from compass_core.turns import Exchange, earlier_exchanges, messages, system_turn
from compass_core.workspace import Workspace

SOURCES = {"logs": ("usage",), "proxy": ("proxy",), "blend": ("usage", "proxy")}
HELD_ROWS = 200_000  # vectors of pools up to this size are read at once, of larger ones as needed


def sample_language(
    ws: Workspace, language: str, report: Report = silent
) -> tuple[pl.DataFrame, Selection, str]:
    """Select, store as Parquet and JSONL; returns all rows, the selection, the data version."""
    rows, selection = select_language(ws, language, report)
    said = pl.col("earlier_turns").fill_null("")
    lines = rows.select(pl.format("{}/{}/{}{}", "origin", "row_id", "response", said)).to_series()
    version = version_of_set(lines)
    _write(ws, language, rows, selection, version)
    return rows, selection, version


def select_language(
    ws: Workspace, language: str, report: Report = silent
) -> tuple[pl.DataFrame, Selection]:
    """Training rows and selected auxiliary rows (records.SELECTIONS), and how they were chosen.

    Writes nothing, so that other strategies can be tried beside the configured one. Of the pool
    only ids, hashes and counts are held; texts are read a corpus at a time, to look for benchmark
    items, and once more for the rows that are chosen.
    """
    placed = ws.store.read_parquet(layout.assignments(language)).select(
        "role", "row_id", "cluster_id", "similarity", "off_target"
    )
    tokens = token_counts(ws, language)
    screening = Screening(ws, language)
    corpus = frames.training_rows(ws, language)
    leaked = screening.hits(corpus, language, "training rows", report)
    screened = _screened_pool(ws, language, screening, placed, report)
    pool = _with_clusters(
        pl.concat([part.rows for part in screened]),
        "auxiliary",
        placed,
        tokens,
    )
    training = _with_clusters(corpus, "training", placed, tokens)
    training = training.with_columns(text_hashes(training["prompt"]))
    clean = training.join(leaked, on="row_id", how="anti", maintain_order="left")
    gaps = ws.store.read_parquet(layout.gaps(language))
    selection = select_rows(
        language,
        pool,
        gaps,
        training,
        ws.project.sampling,
        ws.project.seed,
        vectors=_pool_vectors(ws, pool),
        training_vectors=vectors_of(ws, "training", training) if training.height else None,
        target=_target(ws, language, placed),
        contamination=pl.concat([part.hits for part in screened]),
        texts=lambda rows: _prompts(ws, language, pool["row_id"].gather(rows)),
    )
    texts = frames.pool_details(ws, language, selection.selected["row_id"])
    taken = selection.selected.drop("content_hash", "text_hash").join(
        texts, on="row_id", how="left", maintain_order="left"
    )
    taken = taken.with_columns(pl.lit("auxiliary").alias("origin"))
    held = clean.with_columns(
        pl.lit("training").alias("origin"),
        pl.lit(ws.project.sampling.strategy).alias("strategy"),
        pl.lit(None, dtype=pl.Int64).alias("rank"),
        pl.Series("key", unit_keys(clean["row_id"], ws.project.seed), dtype=pl.Float64),
        pl.lit("training corpus").alias("why"),
    ).join(gaps.select("cluster_id", "gap"), on="cluster_id", how="left")
    parts = [
        records.conform(part.with_columns(pl.lit(language).alias("language")), records.SELECTIONS)
        for part in (held, taken)
    ]
    selection = _with_leaked(selection, training, leaked)
    return pl.concat(parts).sort("origin", "row_id", descending=[True, False]), selection


def _screened_pool(
    ws: Workspace, language: str, screening: Screening, placed: pl.DataFrame, report: Report
) -> list[Screened]:
    """Hashes of the pool's rows and the benchmark items in them, a corpus at a time."""
    total = placed.filter(pl.col("role") == "auxiliary").height
    progress = Progress(report, language, total, "pool rows looked through for benchmark items")
    screened = [screening.screen(records.empty(records.TEXT))]
    before = 0

    def at(done: int) -> None:
        progress.at(before + done)

    for part in frames.pool_parts(ws, language):
        screened.append(screening.screen(part, at))
        before += part.height
    return screened


def _with_leaked(selection: Selection, training: pl.DataFrame, leaked: pl.DataFrame) -> Selection:
    """Rows of the training corpus that hold a benchmark item are dropped as pool rows are."""
    found = training.join(leaked, on="row_id").with_columns(pl.lit("in_benchmark").alias("reason"))
    columns = selection.dropped.columns
    parts = [
        selection.dropped.with_columns(pl.lit("auxiliary").alias("origin")),
        found.select(columns).with_columns(pl.lit("training").alias("origin")),
    ]
    dropped = pl.concat(parts, how="vertical_relaxed")
    return replace(selection, dropped=dropped)


def _target(ws: Workspace, language: str, placed: pl.DataFrame) -> Target:
    """What p_usage was measured on: logged prompts, dev items, or both, as `usage.source` says."""
    roles = frames.role_rows(ws, language)
    parts = []
    for role in SOURCES[ws.project.usage.source]:
        mine = placed.filter(pl.col("role") == role).select("row_id", "cluster_id")
        parts.append((role, roles[role].join(mine, on="row_id").sort("row_id")))
    rows = pl.concat([part for _, part in parts])
    vectors = np.concatenate([vectors_of(ws, role, part) for role, part in parts])
    texts = [*roles["training"]["prompt"], *rows["prompt"]]
    return Target(rows["cluster_id"].to_numpy(), vectors, texts)


def _pool_vectors(ws: Workspace, pool: pl.DataFrame) -> np.ndarray | VectorSource | None:
    if not pool.height:
        return None
    if pool.height <= HELD_ROWS:
        return vectors_of(ws, "auxiliary", pool)
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    store = VectorStore(ws.store)
    hashes = pool["content_hash"]
    return lambda rows: store.fetch("auxiliary", fingerprint, hashes.gather(rows).to_list())


def _prompts(ws: Workspace, language: str, row_ids: pl.Series) -> Sequence[str]:
    return frames.pool_details(ws, language, row_ids)["prompt"].to_list()


def _with_clusters(
    rows: pl.DataFrame, role: str, placed: pl.DataFrame, tokens: pl.DataFrame
) -> pl.DataFrame:
    mine = placed.filter(pl.col("role") == role).drop("role")
    counted = tokens.filter(pl.col("role") == role).select("row_id", "supervised_tokens")
    return (
        rows.rename({"language": "row_language"})
        .join(mine, on="row_id", how="inner")
        .join(counted, on="row_id", how="inner")
    )


def _write(
    ws: Workspace, language: str, rows: pl.DataFrame, selection: Selection, version: str
) -> None:
    lines = [json.dumps(_chat(row), ensure_ascii=False) for row in rows.iter_rows(named=True)]
    dropped = selection.dropped.with_columns(pl.lit(language).alias("language"))
    ws.store.write_parquet(layout.dropped(language), records.conform(dropped, records.DROPPED))
    figures = {**selection.summary, "language": language, "training_set_version": version}
    sample = pl.DataFrame({name: [figures[name]] for name in records.SAMPLES})
    ws.store.write_parquet(layout.samples(language), records.conform(sample, records.SAMPLES))
    made_from = {
        asset: made.data_version
        for asset in ("gap_report", "semantic_clusters", "training_corpus", "auxiliary_catalogue")
        if (made := ws.manifests.get(asset, language)) is not None
    }
    card = training_card(language, rows, dropped, selection.summary, made_from)
    ws.store.write_bytes(layout.training_card(language), card.encode())
    ws.store.write_bytes(
        layout.training_set(language, "jsonl"), ("\n".join(lines) + "\n").encode() if lines else b""
    )
    ws.store.write_parquet(layout.training_set(language, "parquet"), rows)
    ws.store.write_parquet(layout.selections(language), rows)


def _chat(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["row_id"],
        "messages": messages(
            [*earlier_exchanges(row["earlier_turns"]), Exchange(row["prompt"], row["response"])],
            system_turn(row["earlier_turns"]),
        ),
        "source": row["source"],
        "license": row["license"],
    }
