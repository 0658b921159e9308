"""What an adapter version has to know of its origin, gathered when it is trained."""

from typing import Any

import polars as pl

from compass_core import layout
from compass_core.languages import display_name
from compass_core.workspace import Workspace


def training_lineage(
    ws: Workspace, language: str, made_from: dict[str, str], code_version: str
) -> dict[str, Any]:
    """Lineage record: inputs by version, data by language and licence, the usage it was made for.

    `anchor_usage_rows` (cluster id -> usage rows) in `cluster_model` is what drift is later
    measured against.
    """
    rows = ws.store.read_parquet(layout.training_set(language, "parquet"))
    gaps = ws.store.read_parquet(layout.gaps(language))
    licences = rows.group_by(pl.col("license").fill_null("unknown")).len().sort("license")
    placed = ws.store.read_parquet(layout.assignments(language))
    outside = placed.filter(pl.col("role").is_in(["usage", "proxy"]) & pl.col("off_target")).height
    languages = rows.group_by("row_language").len().sort("row_language")
    return {
        "language": language,
        "language_name": display_name(language),
        "made_from": made_from,
        "training_set_version": made_from["sampled_training_set"],
        "cluster_model": made_from["semantic_clusters"],
        "anchor_usage_rows": {
            str(cluster): count
            for cluster, count in gaps.select("cluster_id", "usage_rows").iter_rows()
        },
        "anchor_off_target_rows": outside,
        "usage_first_day": str(gaps["usage_first_day"].min()),
        "usage_last_day": str(gaps["usage_last_day"].max()),
        "licences": dict(licences.iter_rows()),
        "row_languages": dict(languages.iter_rows()),
        "strategy": ws.project.sampling.strategy,
        "seed": ws.project.seed,
        "code_version": code_version,
    }
