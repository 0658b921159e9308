"""Checks that stand on their own and can be run at any time from the UI."""

import dagster as dg

from compass_assets.resources import ProjectResource
from compass_assets.sync import CHECK, sync_result, sync_statuses


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
