"""Definitions for one project. Tests and the command line build their own with other resources."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from compass_assets.assets import (
    adapters,
    comparison,
    corpora,
    drift,
    embeddings,
    fetch,
    gaps,
    logs,
    report,
)
from compass_assets.checks import adapters_in_sync, log_rows_accounted_for
from compass_assets.drift_sensor import build_drift_sensor
from compass_assets.jobs import build_jobs
from compass_assets.resources import project_resource
from compass_assets.sensors import build_sensors
from compass_core.config.load import LoadedProject
from compass_core.workspace import Workspace

STAGES = (corpora, logs, embeddings, gaps, adapters, comparison, drift, report)


def build_defs(loaded: LoadedProject, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole code location for a project; `resources` replaces some of its own."""
    project = loaded.project
    code_versions = Workspace.open(loaded).code_versions
    jobs = build_jobs(project)
    by_name = {job.name: job for job in [*jobs, fetch.fetch_corpora]}
    return dg.Definitions(
        assets=[asset for stage in STAGES for asset in stage.build(project, code_versions)],
        asset_checks=[adapters_in_sync, log_rows_accounted_for],
        jobs=[
            logs.ingest_job(project),
            embeddings.backlog_job(project),
            fetch.fetch_corpora,
            *jobs,
        ],
        sensors=[*build_sensors(loaded, by_name), build_drift_sensor(loaded)],
        resources={
            "project": project_resource(loaded),
            "pipes": dg.PipesSubprocessClient(),
            **(resources or {}),
        },
        executor=dg.in_process_executor,
    )
