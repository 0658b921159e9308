"""Checks that stand on their own and can be run at any time from the UI."""

import dagster as dg

from compass_assets.check_results import ACCOUNTED, result
from compass_assets.resources import ProjectResource
from compass_assets.sync import CHECK, sync_result, sync_statuses
from compass_core.stages.findings import log_rows_add_up


@dg.asset_check(
    asset="adapter",
    name=CHECK,
    description=(
        "Every adapter was trained on what there is now. The table names the language, the inputs "
        "that changed and since when."
    ),
)
def adapters_in_sync(project: ProjectResource) -> dg.AssetCheckResult:
    return sync_result(sync_statuses(project.workspace()))


@dg.asset_check(asset="usage_logs", name="rows_accounted_for", description=ACCOUNTED, blocking=True)
def log_rows_accounted_for(project: ProjectResource) -> dg.AssetCheckResult:
    """Over all log files that were ever taken. Every ingest asks it too, and stops if it fails."""
    return result(log_rows_add_up(project.workspace()))
