"""Clusters of a language: fit or keep, describe, assign every row of every role."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.clusters.assign import Assignment, assign
from compass_core.clusters.candidates import judge
from compass_core.clusters.describe import describe_clusters
from compass_core.clusters.fit import fit_clusters
from compass_core.clusters.language_split import language_split
from compass_core.clusters.model import ClusterModel
from compass_core.clusters.novelty import ASKED_ROLES, refit_reason
from compass_core.clusters.stream import assign_stored
from compass_core.clusters.titles import model_titles
from compass_core.config.digest import settings_digest
from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore
from compass_core.errors import InputError
from compass_core.graph import CLUSTERING
from compass_core.hashing import unit_key, version_of_lines
from compass_core.stages import frames
from compass_core.workspace import Workspace

Report = Callable[[str], None]
TABLE_OF_ROLE = {
    "usage": "usage",
    "proxy": "usage",
    "training": "training",
    "auxiliary": "auxiliary",
}


@dataclass(frozen=True)
class Clustering:
    """Outcome of the stage. `reason` says why the clusters were fitted anew, or is None."""

    model: ClusterModel
    table: pl.DataFrame
    reason: str | None
    figures: dict[str, Any]


def vectors_of(ws: Workspace, role: str, rows: pl.DataFrame) -> np.ndarray:
    """Vectors f32[n, d] of rows in their order. Raises StoreError when one has none."""
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    store = VectorStore(ws.store)
    return store.fetch(TABLE_OF_ROLE[role], fingerprint, rows["content_hash"].to_list())


def load_model(ws: Workspace, language: str, version: str) -> ClusterModel:
    return ClusterModel.load(ws.store.fetch_dir(layout.cluster_model(language, version)))


def cluster_language(
    ws: Workspace, language: str, previous_version: str | None, report: Report
) -> Clustering:
    """Keep the clusters of a language or fit them anew, and describe them.

    Fitted on usage, proxy and training rows and a capped, seeded sample of the pool; everything
    else is assigned later. Small trickles keep the model; `refit_reason` says when not.
    """
    rows = frames.role_rows(ws, language, texts_of=("usage", "training", "proxy"))
    fitted_on = {**rows, "auxiliary": _pool_sample(ws, language, rows["auxiliary"])}
    used = {role: frame for role, frame in fitted_on.items() if frame.height}
    if not any(role in used for role in ASKED_ROLES):
        raise InputError(
            f"{language} has no usage: no rows in its usage window and usage.source is "
            f"{ws.project.usage.source!r}; put log files into {ws.logs_place / language} "
            "or set usage.source to proxy"
        )
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    digest = settings_digest(ws.project, *CLUSTERING, "seed") + fingerprint
    stacked = pl.concat(
        [frame.with_columns(pl.lit(role).alias("role")) for role, frame in used.items()],
        how="diagonal",
    )
    vectors = np.concatenate([vectors_of(ws, role, frame) for role, frame in used.items()])
    asked = stacked["role"].is_in(ASKED_ROLES).to_numpy()
    previous = load_model(ws, language, previous_version) if previous_version else None
    reason: str | None = "first fit"
    if previous is not None:
        reason = refit_reason(previous, vectors[asked], ws.project.clusters, digest)
    if previous is not None and reason is None:
        model = previous
    else:
        model = fit_clusters(
            vectors,
            [f"{role}/{row}" for role, row in stacked.select("role", "row_id").iter_rows()],
            stacked["role"].to_list(),
            ws.project.clusters,
            ws.project.seed,
            previous=previous,
            report=report,
            digest=digest,
            same_space=previous is None or previous.settings_digest.endswith(fingerprint),
        )
    # A kept one as well: versions of before did not tell how far ids had come.
    key = layout.cluster_model(language, model.version)
    if not ws.store.exists(key):
        folder = ws.store.scratch_dir(f"clusters-{language}")
        model.save(folder)
        ws.store.publish_dir(folder, key)
    placed = assign(model, vectors, ws.project.clusters.noise)
    table, titles = _describe(ws, language, model, stacked, placed, report)
    ws.store.write_parquet(layout.clusters(language), table)
    split = language_split(placed.cluster_ids, stacked["language"].to_list())
    quality = judge(vectors, model.centroids, ws.project.seed)
    figures = {
        "clusters": len(model.cluster_ids),
        "method": model.method,
        "fit_rows": int(model.fit_rows.sum()),
        "noise_share": float(placed.noise.mean()),
        "off_target_share": float(placed.off_target.mean()),
        "usage_off_target": float(placed.off_target[asked].mean()),
        "silhouette": quality["silhouette"],
        "dbcv": quality["dbcv"],
        "candidates": model.candidates,
        "events": model.events,
        "titles": titles,
        "language_split": split.value,
        "language_split_warning": split.warning,
    }
    return Clustering(model, table, reason, figures)


def _pool_sample(ws: Workspace, language: str, pool: pl.DataFrame) -> pl.DataFrame:
    """The rows of the pool with the lowest seeded keys, with their texts: a sample that only
    shrinks or grows."""
    cap = ws.project.clusters.pool_sample_rows
    if pool.height > cap:
        keys = [unit_key(row, ws.project.seed, "pool-sample") for row in pool["row_id"]]
        pool = pool.with_columns(pl.Series("key", keys)).bottom_k(cap, by="key").drop("key")
    texts = frames.pool_texts(ws, language, pool["row_id"])
    return pool.join(texts, on="row_id", how="left").sort("row_id")


def _describe(
    ws: Workspace,
    language: str,
    model: ClusterModel,
    rows: pl.DataFrame,
    placed: Assignment,
    report: Report,
) -> tuple[pl.DataFrame, str]:
    """The clusters' table (records.CLUSTERS), and where its titles are from."""
    described = describe_clusters(
        placed.cluster_ids,
        rows["prompt"].to_list(),
        rows["language"].to_list(),
        placed.similarity,
        title_language=language,
    )
    sizes = pl.DataFrame({"cluster_id": model.cluster_ids, "fit_rows": model.fit_rows})
    table = (
        sizes.join(described, on="cluster_id", how="left")
        .with_columns(
            pl.lit(language).alias("language"),
            pl.lit(model.method).alias("method"),
            pl.lit(model.version).alias("model_version"),
            pl.col("title").fill_null(pl.format("cluster {}", "cluster_id")),
            pl.col("keywords").fill_null([]),
            pl.col("exemplars").fill_null([]),
        )
        .sort("cluster_id")
    )
    source = "keywords"
    if ws.project.clusters.titles.endpoint is not None:
        table, counts = model_titles(ws.store, table, ws.project.clusters.titles, report)
        source = counts.summary
    return records.conform(table, records.CLUSTERS), source


def assign_language(
    ws: Workspace, language: str, model_version: str, report: Report = lambda text: None
) -> tuple[pl.DataFrame, str]:
    """One row a document of every role; returns the frame and its data version.

    Vectors are read once, in blocks: memory is that of the rows' ids and hashes.
    """
    model = load_model(ws, language, model_version)
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    vectors = VectorStore(ws.store)
    parts = [records.empty(records.ASSIGNMENTS)]
    for role, rows in frames.role_rows(ws, language, texts_of=()).items():
        if not rows.height:
            continue
        table, policy = TABLE_OF_ROLE[role], ws.project.clusters.noise
        hashes = rows["content_hash"]
        placed = assign_stored(model, vectors, table, fingerprint, hashes, policy, report)
        named = rows.rename({"language": "row_language"}).with_columns(
            pl.lit(language).alias("language"), pl.lit(role).alias("role")
        )
        joined = pl.concat([named, placed], how="horizontal")
        parts.append(records.conform(joined, records.ASSIGNMENTS))
    frame = pl.concat(parts)
    ws.store.write_parquet(layout.assignments(language), frame)
    counted = ["role", "row_id", "cluster_id", "noise", "off_target"]
    lines = frame.select(pl.format("/".join(["{}"] * len(counted)), *counted)).to_series()
    return frame, version_of_lines(lines.sort())
