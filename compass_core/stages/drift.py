"""Drift of a language: recent logs against what the serving adapter was trained for."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import lineage, serving
from compass_core.clusters.assign import OWN_BUCKET
from compass_core.clusters.model import ClusterModel
from compass_core.drift.verdict import DriftVerdict, Moved, drift_verdict
from compass_core.hashing import version_of
from compass_core.stages import frames
from compass_core.stages.clusters import load_model, vectors_of
from compass_core.stages.drift_rows import (
    Span,
    anchor_rows,
    anchor_span,
    placed,
    same_space,
    samples,
    stands_in,
    window_spans,
)
from compass_core.workspace import Workspace

EXAMPLES = 4
EXAMPLE_CHARS = 240
OUTSIDE = "outside every cluster"


def measure_drift(ws: Workspace, language: str) -> tuple[dict[str, Any], pl.DataFrame, str]:
    """Report on every logged day that has none; returns the newest, what moved, its data version.

    Measured in the clusters that the serving adapter was trained with, whatever clusters are in
    use by now: only then is a difference the usage's and not the ruler's. The reports are kept as
    a history, one an adapter version and day; a day that is measured again replaces its report.
    """
    version = serving(ws.store, language)
    if version is None:
        return _keep(ws, language, [_unmeasured(language, None, "no adapter serves yet")])
    record = lineage(ws.store, language, version)
    span = anchor_span(record)
    model = load_model(ws, language, record["cluster_model"])
    empty = _unmeasured(language, version, "", span)
    if not same_space(ws, model):
        empty["reason"] = (
            f"{version} was trained for another embedder, whose clusters cannot place these "
            "prompts; train a new version: run the job retrain"
        )
        return _keep(ws, language, [empty])
    spans = window_spans(ws, language, span, _reported(ws, language, version))
    if not spans:
        days = f" since {span.last}, its last day of usage" if span else ""
        empty["reason"] = f"no logs that {version} was not trained for{days}"
        return _keep(ws, language, [empty])
    anchor = anchor_rows(ws, language, version, span, model)
    all_rows = frames.usage_rows_between(ws, language, spans[0].first, spans[-1].last)
    everything = placed(ws, model, all_rows)
    reports = []
    for window in spans:
        rows = everything.filter(pl.col("day").is_between(window.first, window.last))
        reports.append(_report(ws, empty, model, window, rows, anchor))
    return _keep(ws, language, reports)


def _unmeasured(
    language: str, version: str | None, reason: str, span: Span | None = None
) -> dict[str, Any]:
    """A report that says nothing yet: every column of records.DRIFT, and no cluster."""
    report: dict[str, Any] = dict.fromkeys(records.DRIFT)
    return report | {
        "language": language,
        "adapter_version": version,
        "anchor_first_day": span.first if span else None,
        "anchor_last_day": span.last if span else None,
        "anchor_rows": 0,
        "window_rows": 0,
        "verdict": "insufficient_data",
        "reason": reason,
        "moved_clusters": [],
        "clusters": [],
    }


def _report(
    ws: Workspace,
    empty: dict[str, Any],
    model: ClusterModel,
    span: Span,
    rows: pl.DataFrame,
    anchor: pl.DataFrame,
) -> dict[str, Any]:
    window, before = samples(model, rows, anchor)
    verdict = drift_verdict(window, before, ws.project.drift, ws.project.seed)
    if stands_in(anchor) and verdict.jsd_bits is not None:
        verdict = _without_verdict(verdict, empty["adapter_version"])
    ids = [*model.cluster_ids.tolist(), OWN_BUCKET]
    figures = {name: getattr(verdict, name) for name in _FIGURES}
    return empty | {
        "anchor_rows": anchor.height,
        "window_first_day": span.first,
        "window_last_day": span.last,
        "window_rows": rows.height,
        "window_users": rows["user_hash"].drop_nulls().n_unique() or None,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "moved_clusters": [int(ids[moved.cell]) for moved in verdict.moved],
        "clusters": _clusters(ws, empty["language"], rows, verdict, ids),
        **{k: None if v is None else round(float(v), 12) for k, v in figures.items()},
    }


def _without_verdict(found: DriftVerdict, version: str) -> DriftVerdict:
    """The distance from benchmark items, which is there however long nothing changes."""
    return replace(
        found,
        verdict="insufficient_data",
        reason=f"{version} was trained for benchmark dev items and no logs: how far logs are from "
        "these is no change of usage; set usage.source to logs or blend, and run the job retrain",
        moved=[],
    )


_FIGURES = (
    "jsd_bits",
    "null_mean_bits",
    "null_95_bits",
    "excess_bits",
    "p_value",
    "p_month",
    "design_effect",
    "novel_share",
    "novel_anchor_share",
    "novel_p_value",
)


def _clusters(
    ws: Workspace, language: str, rows: pl.DataFrame, verdict: DriftVerdict, ids: list[int]
) -> list[dict[str, Any]]:
    """One record of records.DRIFT_CLUSTERS for each cluster that moved, titles and prompts."""
    if not verdict.moved:
        return []
    table = ws.store.read_parquet(layout.clusters(language))
    named = {row["cluster_id"]: row for row in table.to_dicts()}
    found = []
    for moved in verdict.moved:
        cluster = int(ids[moved.cell])
        known = named.get(cluster, {})
        title = OUTSIDE if cluster == OWN_BUCKET else known.get("title", f"cluster {cluster}")
        examples = _examples(ws, rows.filter(pl.col("cluster_id") == cluster))
        found.append(
            {
                "cluster_id": cluster,
                "title": title,
                "examples": examples or list(known.get("exemplars") or [])[:EXAMPLES],
                **_shares(moved),
            }
        )
    return found


def _shares(moved: Moved) -> dict[str, float]:
    names = ("anchor_share", "window_share", "change", "p_value")
    return {name: round(float(getattr(moved, name)), 12) for name in names}


def _examples(ws: Workspace, rows: pl.DataFrame) -> list[str]:
    """The prompts nearest to the middle of these, each text once and each user at most once."""
    if not rows.height:
        return []
    vectors = vectors_of(ws, "usage", rows)
    near = np.round(vectors @ vectors.mean(axis=0), 5)
    ranked = rows.with_columns(pl.Series("near", near)).sort(
        "near", "row_id", descending=[True, False]
    )
    author = pl.coalesce("user_hash", "row_id").alias("author")
    several = ranked.with_columns(author).unique("author", keep="first", maintain_order=True)
    texts = several.unique("content_hash", keep="first", maintain_order=True)["prompt"]
    return [text[:EXAMPLE_CHARS] for text in texts.head(EXAMPLES)]


def _reported(ws: Workspace, language: str, version: str) -> set[date]:
    """Days that this adapter version has a report for."""
    mine = read_history(ws, language).filter(pl.col("adapter_version") == version)
    return set(mine["window_last_day"].drop_nulls())


def read_history(ws: Workspace, language: str) -> pl.DataFrame:
    """All reports of a language (records.DRIFT), by day; empty where there is none."""
    key = layout.drift(language)
    if not ws.store.exists(key):
        return records.empty(records.DRIFT)
    return records.widened(ws.store.read_parquet(key), records.DRIFT)


def _keep(
    ws: Workspace, language: str, reports: list[dict[str, Any]]
) -> tuple[dict[str, Any], pl.DataFrame, str]:
    """Put reports into the history, and return the newest, its clusters and its data version."""
    now = datetime.now(UTC)
    tables: list[dict[str, Any]] = []
    for report in reports:
        clusters = report.pop("clusters")
        content = {k: v for k, v in report.items() if k not in ("measured_at", "report_version")}
        report["report_version"] = version_of(
            [{k: str(v) for k, v in content.items()}, [str(entry) for entry in clusters]]
        )
        report["measured_at"] = now
        names = ("language", "report_version", "adapter_version", "window_last_day")
        tables += [{**{name: report[name] for name in names}, **entry} for entry in clusters]
    moved = pl.DataFrame(tables, schema=records.DRIFT_CLUSTERS)
    fresh = pl.DataFrame(reports, schema=records.DRIFT)
    history = pl.concat([_others(read_history(ws, language), fresh), fresh])
    key = layout.drift_clusters(language)
    earlier = records.empty(records.DRIFT_CLUSTERS)
    if ws.store.exists(key):
        earlier = records.widened(ws.store.read_parquet(key), records.DRIFT_CLUSTERS)
    ws.store.write_parquet(key, pl.concat([_others(earlier, fresh), moved]))
    order = ["window_last_day", "measured_at"]
    ws.store.write_parquet(layout.drift(language), history.sort(order, nulls_last=False))
    newest = reports[-1]
    mine = moved.filter(pl.col("report_version") == newest["report_version"])
    return newest, mine, str(newest["report_version"])


def _others(table: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table about other versions or days than the fresh reports."""
    same = ["adapter_version", "window_last_day"]
    return table.join(fresh.select(same), on=same, how="anti", nulls_equal=True)
