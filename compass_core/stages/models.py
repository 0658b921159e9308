"""The steps that run a model, as functions of a workspace: encode, train, score.

They are what a child process runs (`compass_assets/worker.py`), and can be called directly. Each
takes a `report` function for progress lines and returns a JSON-like dict of figures.
"""

import shutil
from collections.abc import Callable
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.embeddings.encode import encode_missing
from compass_core.embeddings.encoder import Encoder
from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore
from compass_core.stages import frames
from compass_core.workspace import Workspace

Report = Callable[[str], None]


def texts_of(ws: Workspace, role: str, partition: str) -> pl.DataFrame:
    """What has to have vectors for a partition: columns content_hash and text, unique hashes."""
    if role == "auxiliary":
        rows = ws.store.read_parquet(layout.corpus("auxiliary", partition))
    elif role == "training":
        rows = frames.training_rows(ws, partition)
    else:
        rows = frames.usage_rows(ws, partition)
        if frames.uses_proxy(ws):
            columns = ["content_hash", "prompt"]
            proxy = frames.proxy_rows(ws, partition)
            rows = pl.concat([rows.select(columns), proxy.select(columns)])
    return (
        rows.select("content_hash", pl.col("prompt").alias("text"))
        .unique("content_hash", keep="first", maintain_order=True)
        .sort("content_hash")
    )


def missing_vectors(ws: Workspace, role: str, partition: str) -> int:
    """How many texts of a partition have no vector yet; cheap, loads no model."""
    texts = texts_of(ws, role, partition)
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    return len(VectorStore(ws.store).missing(role, fingerprint, texts["content_hash"]))


def encode(ws: Workspace, parts: list[tuple[str, str]], report: Report) -> dict[str, Any]:
    """Encode what is missing of (role, partition) pairs with one loaded model."""
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    loaded: list[Encoder] = []

    def factory() -> Encoder:
        if not loaded:
            loaded.append(Encoder(ws.project.embedder, ws.directory, ws.project.execution))
        return loaded[0]

    done: dict[str, Any] = {"encoded": 0, "reused": 0, "wall_s": 0.0, "parts": {}}
    for role, partition in parts:
        result = encode_missing(
            ws.store, role, partition, texts_of(ws, role, partition), factory, fingerprint, report
        )
        report(f"{role} {partition}: {result.encoded} encoded, {result.reused} there already")
        done["encoded"] += result.encoded
        done["reused"] += result.reused
        done["wall_s"] += result.wall_s
        done["parts"][f"{role}/{partition}"] = result.encoded
    return done


def train(ws: Workspace, language: str, lineage: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train the adapter of a language on its training set and publish a version."""
    from dataclasses import asdict

    from compass_core.adapters.registry import publish
    from compass_core.adapters.train import train_adapter

    rows = ws.store.read_parquet(layout.training_set(language, "parquet"))
    folder = ws.store.scratch_dir(f"adapter-{language}")
    checkpoints = ws.directory / "data" / "cache" / "checkpoints" / language
    try:
        result = train_adapter(
            rows.select("row_id", "prompt", "response"),
            ws.project.adapter,
            ws.project.base_model,
            ws.project.execution,
            ws.directory,
            folder,
            checkpoints,
            ws.project.seed,
            report,
            lineage=lineage,
        )
        figures = asdict(result)
        version = publish(
            ws.store, language, folder, {**figures, **lineage, **_adapter_settings(ws)}
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return {**figures, "version": version}


def _adapter_settings(ws: Workspace) -> dict[str, Any]:
    adapter = ws.project.adapter
    return {
        "base_model": ws.project.base_model.model,
        "method": adapter.method,
        "rank": adapter.rank,
        "alpha": adapter.alpha,
    }


def score(ws: Workspace, language: str, version: str, report: Report) -> dict[str, Any]:
    """Score the base model and one adapter version on the test split; writes records.SCORES."""
    from compass_core.adapters.registry import adapter_dir
    from compass_core.benchmarks.suites import score_suites

    items = frames.benchmark_rows(ws, language)
    scored = score_suites(
        items,
        language,
        ws.project.benchmarks.suites,
        ws.project.base_model,
        {version: adapter_dir(ws.store, language, version)},
        ws.project.benchmarks,
        ws.project.execution,
        ws.directory,
        report=report,
    )
    frame = records.conform(scored, records.SCORES)
    ws.store.write_parquet(layout.scores(language, version), frame)
    return {"items": int(frame.filter(pl.col("model") == "adapter").height)}
