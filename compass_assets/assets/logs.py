"""Production logs in: files become days, days become the usage window of a language."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from compass_assets.check_results import report_check
from compass_assets.describe import DAYS_IN_ONE_RUN, graph_asset, overdue_after
from compass_assets.language_choice import op_of_a_target
from compass_assets.partitions import (
    add_days,
    language_of_day,
    language_partitions,
    usage_key,
    usage_partitions,
)
from compass_assets.preview import table
from compass_assets.resources import ProjectResource
from compass_assets.rolls import as_result, window_event
from compass_assets.step import CODE_TAG, VERSION_TAG, Step, tell
from compass_assets.sync import report_sync
from compass_core.config.schema import Project
from compass_core.corpora.log_ledger import Ledger
from compass_core.stages.findings import log_rows_add_up
from compass_core.stages.logs import ingest_pending
from compass_core.workspace import Workspace

Events = Iterator[dg.MaterializeResult[Any] | dg.AssetMaterialization | dg.Output[None]]


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    @graph_asset(
        "usage_logs",
        usage_partitions(project),
        code_versions,
        kinds=["parquet", "polars"],
        backfill=DAYS_IN_ONE_RUN,
        several_events=True,
        description=(
            "What users asked in one language on one UTC day, from all complete log files. "
            "Materializing a day takes every waiting file of its language; a backfill takes any "
            "number of days in one run."
        ),
    )
    def usage_logs(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        ws = project.workspace()
        for language, days in _asked_for(context).items():
            published = ingest_pending(ws, language, also=days, report=context.log.info)
            yield from _day_events(ws, context.instance, language, published, context.run.run_id)

    @graph_asset(
        "usage_window",
        language_partitions(project),
        code_versions,
        kinds=["json"],
        mappings={"usage_logs": language_of_day()},
        freshness=overdue_after(project.freshness.logs_hours),
        description=(
            "Which days of logs count as present usage: the last `usage.window_days`. "
            "Rolled by every ingest, so that what hangs from it is stale at once."
        ),
    )
    def usage_window(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        step = Step(context, project, "usage_window")
        event = window_event(step.ws, context.instance, step.partition, context.run.run_id)
        yield as_result(event)
        report_sync(step.ws, context.instance)

    return [usage_logs, usage_window]


class IngestLogsConfig(dg.Config):
    """Which language's log folder to take the waiting files of."""

    language: str = Field(description="Target language (BCP-47).")


def ingest_logs_op(
    context: dg.OpExecutionContext, config: IngestLogsConfig, project: ProjectResource
) -> Events:
    ws = project.workspace()
    published = ingest_pending(ws, config.language, report=context.log.info)
    tell("usage_logs", config.language, f"{len(published)} days published")
    yield from _day_events(ws, context.instance, config.language, published, context.run.run_id)
    yield dg.Output(None)


def ingest_job(project: Project) -> dg.JobDefinition:
    take = op_of_a_target(
        ingest_logs_op,
        project,
        description="Take the complete, new log files of one language; publish days and window.",
    )

    @dg.job(
        name="ingest_logs",
        description="Take waiting log files of a language: one run, however many days they hold.",
    )
    def ingest_logs() -> None:
        take()

    return ingest_logs


def _asked_for(context: dg.AssetExecutionContext) -> dict[str, set[date]]:
    """Days of a run's partitions, by language."""
    asked: dict[str, set[date]] = {}
    definition = context.assets_def.partitions_def
    assert isinstance(definition, dg.MultiPartitionsDefinition)
    for name in context.partition_keys:
        key = definition.get_partition_key_from_str(str(name)).keys_by_dimension
        asked.setdefault(key["language"], set()).add(date.fromisoformat(key["day"]))
    return dict(sorted(asked.items()))


def _day_events(
    ws: Workspace,
    instance: dg.DagsterInstance,
    language: str,
    published: dict[date, dict[str, Any]],
    run_id: str,
) -> Iterator[dg.AssetMaterialization]:
    """One event a day, then the window's, then the checks; none where rows are unaccounted for."""
    finding = log_rows_add_up(ws, [language])
    report_check(instance, "usage_logs", finding)
    if not finding.passed:
        raise dg.Failure(f"{finding.text}. What to do: {finding.todo}", allow_retries=False)
    add_days(instance, [day.isoformat() for day in published])
    for day, facts in published.items():
        iso = day.isoformat()
        yield dg.AssetMaterialization(
            asset_key="usage_logs",
            partition=usage_key(iso, language),
            metadata=_metadata(facts),
            tags={
                CODE_TAG: ws.code_versions["usage_logs"],
                VERSION_TAG: facts["data_version"],
                "dagster/partition/day": iso,
                "dagster/partition/language": language,
            },
        )
    yield window_event(ws, instance, language, run_id)
    # Only now: a run killed before this line publishes the same days again.
    Ledger(ws.store, language).mark_published(published)
    report_sync(ws, instance)


def _metadata(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "dagster/row_count": facts["rows_accepted"],
        "rows_in_several_files": facts["rows_in_several_files"],
        "bytes": facts["bytes"],
        "preview": table(facts["preview"], ["ts", "prompt", "file", "line"]),
    }
