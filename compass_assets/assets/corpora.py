"""Raw text in: auxiliary pools, training corpora and benchmark items, cleaned and accounted for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import polars as pl

from compass_assets.automation import ON_CODE_CHANGE
from compass_assets.check_results import result
from compass_assets.describe import graph_asset
from compass_assets.partitions import language_partitions, pool_partitions
from compass_assets.preview import counts, table
from compass_assets.resources import ProjectResource
from compass_assets.rolls import catalogue_events
from compass_assets.step import Events, Step
from compass_assets.sync import report_sync
from compass_core import layout
from compass_core.config.schema import Project
from compass_core.corpora.benchmark_items import ingest_benchmarks, without_tested
from compass_core.corpora.ingest import IngestResult
from compass_core.findings import Finding
from compass_core.hashing import version_of
from compass_core.stages.corpora import ingest_corpus, language_facts
from compass_core.stages.findings import languages_as_declared, rows_add_up
from compass_core.stages.publish import publish_ingest
from compass_core.stages.screening import ingest_others, not_looked_for


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    languages = language_partitions(project)

    @graph_asset(
        "auxiliary_corpus",
        pool_partitions,
        code_versions,
        kinds=["parquet", "polars"],
        condition=ON_CODE_CHANGE,
        description="Text in one auxiliary language that may be sampled to fill gaps.",
    )
    def auxiliary_corpus(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        step = Step(context, project, "auxiliary_corpus")
        yield _ingest_corpus(step, "auxiliary")
        yield from catalogue_events(step.ws, context.instance, context.run.run_id)
        report_sync(step.ws, context.instance)

    @graph_asset(
        "training_corpus",
        languages,
        code_versions,
        kinds=["parquet", "polars"],
        condition=ON_CODE_CHANGE,
        description="The training data that we have in the target language; may be empty.",
    )
    def training_corpus(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        step = Step(context, project, "training_corpus")
        yield _ingest_corpus(step, "training")

    @graph_asset(
        "benchmark_items",
        languages,
        code_versions,
        kinds=["parquet", "polars"],
        condition=ON_CODE_CHANGE,
        description="Multiple-choice items in the target language; dev and test share no item.",
    )
    def benchmark_items(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        step = Step(context, project, "benchmark_items")
        ws = step.ws
        taken = ingest_benchmarks(
            ws.input_folder("benchmarks"),
            step.partition,
            ws.project.benchmarks.suites,
            ws.project.ingest,
        )
        others = ingest_others(ws, step.partition)
        taken = without_tested(taken, others.tests_in(step.partition))
        ws.store.write_parquet(layout.other_benchmarks(step.partition), others.items)
        taken = replace(taken, files=[*taken.files, *others.files])
        splits = dict(taken.accepted.group_by("split").len().sort("split").iter_rows())
        for note in taken.notes:
            step.context.log.warning(note)
        yield _publish(
            step,
            taken,
            key=layout.benchmark(step.partition),
            columns=["suite", "split", "subject", "question", "choices", "answer"],
            extra={
                "splits": counts(splits),
                "looked_for_and_not_scored": others.items.height,
                "suites_not_looked_for": ", ".join(not_looked_for(ws)) or "none",
                **_problems([*taken.notes, *others.problems]),
            },
            also=others.version,
        )

    return [auxiliary_corpus, training_corpus, benchmark_items]


def _ingest_corpus(step: Step, role: str) -> dg.MaterializeResult[Any]:
    made = ingest_corpus(step.ws, role, step.partition, step.report)
    for problem in made.problems:
        step.context.log.warning(problem)
    facts = language_facts(made.result.accepted)
    extra: dict[str, Any] = {
        "personal_data_replaced": counts(made.result.pii),
        "language_flags": counts(facts["flags"]),
        "detected_instead": counts(facts["detected"]),
        "code_mixed_rows": facts["code_mixed"],
        **_problems(made.problems),
    }
    if made.compared_with:
        extra["compared_with"] = dg.MetadataValue.json(made.compared_with)
    return _publish(
        step,
        made.result,
        key=layout.corpus(role, step.partition),
        columns=["prompt", "response", "source", "license"],
        extra=extra,
        checks=[languages_as_declared(facts, step.ws.project.language_id.warn_share)],
    )


def _problems(found: Sequence[str]) -> dict[str, Any]:
    """What was seen in the input folders and not read, for the asset's page."""
    return {"problems": dg.MetadataValue.json(list(found))} if found else {}


def _publish(
    step: Step,
    taken: IngestResult,
    *,
    key: str,
    columns: list[str],
    extra: dict[str, Any] | None = None,
    checks: Sequence[Finding] = (),
    also: str = "",
) -> dg.MaterializeResult[Any]:
    """`also`: the version of what was stored beside the rows and counts as well."""
    facts = publish_ingest(step.ws.store, taken, key, step.name, step.partition)
    accepted, quarantined = facts["rows_accepted"], facts["rows_quarantined"]
    text = "prompt" if "prompt" in columns else "question"
    characters = int(taken.accepted.select(pl.col(text).str.len_chars().sum()).item() or 0)
    if also:
        facts["data_version"] = version_of([facts["data_version"], also])
    return step.finish(
        facts["data_version"],
        summary=f"{accepted} rows accepted, {quarantined} quarantined",
        facts=facts,
        metadata={
            "dagster/row_count": accepted,
            "rows_read": taken.rows_read,
            "rows_quarantined": quarantined,
            "reasons": counts(taken.reasons),
            "characters": characters,
            "bytes": facts["bytes"],
            "files": len(taken.files),
            "preview": table(taken.accepted, columns),
            "path": dg.MetadataValue.path(step.ws.store.uri(key)),
            "quarantine": dg.MetadataValue.path(
                step.ws.store.uri(layout.quarantine(step.name, step.partition))
            ),
            **(extra or {}),
        },
        checks=[
            result(rows_add_up(taken.rows_read, accepted, quarantined, step.partition)),
            *(result(finding) for finding in checks),
        ],
    )
