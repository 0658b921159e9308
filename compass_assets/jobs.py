"""The jobs people and sensors start: refresh the gaps, retrain, update, evaluate, fill."""

from typing import Any

import dagster as dg

from compass_assets.partitions import language_partitions, pool_partitions
from compass_assets.promotion import promotion_jobs
from compass_core.config.schema import Project
from compass_core.graph import CHEAP_CHAIN, TRAINING_CHAIN
from compass_core.stages.plan import BY_LANGUAGE, ON_DEMAND

UPDATE_JOB = "update_adapter"
TRAINING_TAG = "compass/training"  # on a run: its adapter is to be updated, not trained from zero


def build_jobs(project: Project) -> list[Any]:
    languages = language_partitions(project)

    def of(name: str, assets: tuple[str, ...], text: str, **tags: str) -> Any:
        return dg.define_asset_job(
            name, selection=list(assets), partitions_def=languages, description=text, tags=tags
        )

    return [
        *promotion_jobs(project),
        of("refresh_gaps", CHEAP_CHAIN, "Window to gap report of one language; trains nothing."),
        of(
            "retrain",
            TRAINING_CHAIN,
            "Gap report, training set, adapter, scores and promotion of one language, in one run, "
            "so that no adapter is trained on an outdated set.",
        ),
        of(
            UPDATE_JOB,
            TRAINING_CHAIN,
            "As `retrain`, but the adapter is trained on from the version that serves (ECDA), "
            "on what is new to it. Where that cannot be, it trains fully and says why.",
            **{TRAINING_TAG: "update"},
        ),
        of(
            "evaluate", ("benchmark_scores", "promoted_adapter"), "Score and gate an adapter again."
        ),
        of(
            "bootstrap_language",
            tuple(name for name in BY_LANGUAGE if name not in ON_DEMAND),
            "Everything of a new language, first to last.",
        ),
        of(
            "compare_strategies",
            ON_DEMAND,
            "Train and score adapters by sampling strategy. `benchmark_scores` and "
            "`language_report` show its figures when they are materialized again.",
        ),
        dg.define_asset_job(
            "ingest_auxiliary",
            selection=["auxiliary_corpus", "auxiliary_embeddings"],
            partitions_def=pool_partitions,
            description="Read one auxiliary corpus and embed what is new in it.",
        ),
        dg.define_asset_job(
            "ingest_training",
            selection=["training_corpus"],
            partitions_def=languages,
            description="Read the training corpus of one language.",
        ),
        dg.define_asset_job(
            "ingest_benchmarks",
            selection=["benchmark_items"],
            partitions_def=languages,
            description="Read the benchmark items of one language.",
        ),
    ]
