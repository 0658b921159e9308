"""The steps that run a model, as functions of a workspace: encode, train, score.

They are what a child process runs (`compass_assets/worker.py`), and can be called directly. Each
takes a `report` function for progress lines and returns a JSON-like dict of figures.
"""

import shutil
from collections.abc import Callable
from typing import Any, Literal

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


def train(
    ws: Workspace,
    language: str,
    lineage: dict[str, Any],
    report: Report,
    asked: Literal["full", "update"] = "full",
) -> dict[str, Any]:
    """Train the adapter of a language, from zero or on from what serves; publish a version.

    Beside the version its memory is kept: Fisher, theta*, and the rows that it has learnt.
    """
    from dataclasses import asdict

    from compass_core.adapters.continual import Remember
    from compass_core.adapters.conversation import COLUMNS
    from compass_core.adapters.registry import publish
    from compass_core.adapters.replay import anchored_buffer
    from compass_core.adapters.tracking import Tracked
    from compass_core.adapters.train import train_adapter
    from compass_core.stages.update import HISTORY_FILE, plan_training

    plan = plan_training(ws, language, asked)
    report(plan.reason)
    settings = ws.project.continual
    folder = ws.store.scratch_dir(f"adapter-{language}")
    memory = ws.store.scratch_dir(f"memory-{language}")
    checkpoints = ws.directory / "data" / "cache" / "checkpoints" / language
    learnt = plan.history.filter(~pl.col("held"))
    share = min(1.0, settings.fisher_examples / max(1, learnt.height))
    probe = anchored_buffer(learnt, plan.usage_rows, share, ws.project.seed + 1).rows
    update, buffer = _update(ws, language, plan)
    adapter = ws.project.adapter
    if update:
        rate = adapter.learning_rate * settings.learning_rate_share
        adapter = adapter.model_copy(update={"learning_rate": rate})
    lineage = {
        **lineage,
        **_adapter_settings(ws),
        "parent": plan.parent,
        "training_mode": plan.mode,
        "training_reason": plan.reason,
        "history_usage_rows": {str(c): n for c, n in plan.usage_rows.items()},
        "history_rows": plan.history.height,
        "held_out_rows": int(plan.history["held"].sum()),
        "withdrawn_rows": plan.withdrawn_rows,
        **buffer,
    }
    try:
        result = train_adapter(
            plan.rows.select(COLUMNS),
            adapter,
            ws.project.base_model,
            ws.project.execution,
            ws.directory,
            folder,
            checkpoints,
            ws.project.seed,
            report,
            lineage=lineage,
            update=update,
            remember=Remember(
                probe if probe.height else learnt.head(settings.fisher_examples),
                settings.fisher_labels,
                memory,
            ),
            tracked=Tracked(ws.project.tracking, ws.project.name, language, ws.directory),
        )
        figures = asdict(result)
        plan.history.write_parquet(memory / HISTORY_FILE)
        version = publish(ws.store, language, folder, {**figures, **lineage}, memory)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)
    shutil.rmtree(checkpoints, ignore_errors=True)
    told = ("parent", "training_mode", "training_reason", "held_out_rows", "history_rows")
    return {**figures, **buffer, **{k: lineage[k] for k in told}, "version": version}


def _update(ws: Workspace, language: str, plan: Any) -> tuple[Any, dict[str, Any]]:
    """The update that a plan asks for, or None; and what of it belongs into the lineage."""
    from compass_core.adapters.anchor import load_memory
    from compass_core.adapters.continual import Update
    from compass_core.adapters.registry import memory_dir
    from compass_core.adapters.replay import anchored_buffer

    if plan.mode == "full":
        return None, {}
    settings = ws.project.continual
    folder = memory_dir(ws.store, language, plan.parent)
    assert folder is not None  # the plan has read it
    learnt = plan.parent_history.filter(~pl.col("held"))
    share = settings.buffer_share if settings.beta > 0 else 0.0
    buffer = anchored_buffer(learnt, plan.parent_usage_rows, share, ws.project.seed)
    per_step = max(1, round(settings.replay_batch_share * ws.project.adapter.batch_size))
    update = Update(
        plan.parent, load_memory(folder), buffer.rows, settings.lambda_, settings.beta, per_step
    )
    return update, {
        "replay_clusters": buffer.clusters,
        "replay_unserved_usage": round(buffer.unserved, 6),
        "continual": settings.model_dump(mode="json"),
    }


def _adapter_settings(ws: Workspace) -> dict[str, Any]:
    adapter = ws.project.adapter
    return {
        "base_model": ws.project.base_model.model,
        "method": adapter.method,
        "rank": adapter.rank,
        "alpha": adapter.alpha,
        "adapter_settings": adapter.model_dump(mode="json"),
    }


def score(ws: Workspace, language: str, version: str, report: Report) -> dict[str, Any]:
    """Score the base model and one adapter version on the test split; writes records.SCORES.

    Beside it (records.RETENTION) what the version has lost of earlier usage, where one serves.
    """
    from compass_core.adapters.registry import adapter_dir
    from compass_core.benchmarks.suites import score_suites
    from compass_core.stages.retention import measure_retention

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
    measure_retention(ws, language, version, report)
    return {"items": int(frame.filter(pl.col("model") == "adapter").height)}
