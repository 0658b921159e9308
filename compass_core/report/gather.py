"""What the page of a language is made from: the tables as they are in the store."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import adapter_dir, lineage, serving, versions
from compass_core.adapters.terms import loss_terms
from compass_core.hashing import unit_key
from compass_core.report.cluster_map import cluster_positions, row_positions
from compass_core.stages import frames
from compass_core.stages.clusters import load_model, vectors_of
from compass_core.stages.retention import FORGETTING, forgetting_history
from compass_core.workspace import Workspace

SHOWN_ROWS = 400  # of each role on the map
CUT = 160  # characters of a text on the map


@dataclass(frozen=True)
class LanguageData:
    """Everything that is shown. Tables that do not exist yet are empty frames."""

    language: str
    gaps: pl.DataFrame
    selections: pl.DataFrame
    scores: pl.DataFrame
    comparisons: pl.DataFrame
    drift: pl.DataFrame
    versions: pl.DataFrame
    status: pl.DataFrame
    serving: str | None
    summaries: dict[str, str]  # asset -> the line that its last materialization left
    cluster_map: pl.DataFrame  # cluster_id, x, y
    points: pl.DataFrame  # role, cluster_id, row_language, text, x, y
    unit: str = "tokens"  # sampling.unit: what p_training counts
    losses: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # version -> loss terms
    forgetting: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FORGETTING))


def gather(ws: Workspace, language: str, model_version: str) -> LanguageData:
    """Read the tables of a language; `model_version` is that of its clusters."""

    def table(key: str, schema: pl.Schema) -> pl.DataFrame:
        return ws.store.read_parquet(key) if ws.store.exists(key) else records.empty(schema)

    known = versions(ws.store, language)
    scored = [
        table(layout.scores(language, version), records.SCORES) for version in known["version"]
    ]
    clusters, points = _map(ws, language, model_version)
    manifests = {
        name: ws.manifests.get(name, language)
        for name in ("gap_report", "sampled_training_set", "benchmark_scores", "promoted_adapter")
    }
    return LanguageData(
        language=language,
        gaps=table(layout.gaps(language), records.GAPS),
        selections=table(layout.selections(language), records.SELECTIONS),
        scores=pl.concat([records.empty(records.SCORES), *scored], how="diagonal_relaxed"),
        comparisons=table(layout.comparison(language), records.COMPARISONS),
        drift=table(layout.drift(language), records.DRIFT),
        versions=known,
        status=table(layout.staleness(language), records.STALENESS),
        serving=serving(ws.store, language),
        summaries={
            name: str(made.facts.get("summary", "")) for name, made in manifests.items() if made
        },
        cluster_map=clusters,
        points=points,
        unit=ws.project.sampling.unit,
        losses={version: _losses(ws, language, version) for version in known["version"]},
        forgetting=forgetting_history(ws, language),
    )


def _losses(ws: Workspace, language: str, version: str) -> dict[str, list[float]]:
    path = adapter_dir(ws.store, language, version) / "training_log.json"
    log: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loss_terms(log, lineage(ws.store, language, version).get("continual", {}).get("beta"))


def _map(ws: Workspace, language: str, model_version: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    model = load_model(ws, language, model_version)
    positions = cluster_positions(model.centroids, ws.project.seed)
    clusters = pl.DataFrame(
        {"cluster_id": model.cluster_ids, "x": positions[:, 0], "y": positions[:, 1]}
    )
    place = {int(cluster): i for i, cluster in enumerate(model.cluster_ids)}
    placed = ws.store.read_parquet(layout.assignments(language)).filter(
        pl.col("cluster_id").is_in(list(place))
    )
    parts, vectors = [], []
    for role, rows in frames.role_rows(ws, language).items():
        mine = rows.join(
            placed.filter(pl.col("role") == role).select("row_id", "cluster_id"), on="row_id"
        )
        keys = [unit_key(row, ws.project.seed, "map") for row in mine["row_id"]]
        shown = mine.with_columns(pl.Series("key", keys, dtype=pl.Float64)).sort("key")
        shown = shown.head(SHOWN_ROWS)
        if shown.height:
            vectors.append(vectors_of(ws, role, shown))
            parts.append(
                shown.select(
                    pl.lit(role).alias("role"),
                    "cluster_id",
                    pl.col("language").alias("row_language"),
                    pl.col("prompt").str.slice(0, CUT).alias("text"),
                )
            )
    points = pl.concat(parts)
    at = np.array([place[c] for c in points["cluster_id"]], dtype=np.int64)
    lie = row_positions(np.concatenate(vectors), at, model.centroids, positions)
    return clusters, points.with_columns(pl.Series("x", lie[:, 0]), pl.Series("y", lie[:, 1]))
