"""Events of the two roll-ups, yielded by whichever step changed what they roll up."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from compass_assets.step import VERSION_TAG, rolled_event, tell
from compass_core.stages.rolling import roll_catalogue, roll_window
from compass_core.workspace import Workspace


def window_event(
    ws: Workspace, instance: dg.DagsterInstance, language: str, run_id: str
) -> dg.AssetMaterialization:
    """Roll the usage window of one language."""
    version, manifest = roll_window(ws, language)
    span = f"{manifest['first_day']} to {manifest['last_day']}" if manifest["days"] else "no logs"
    summary = f"{manifest['rows']} prompts in {len(manifest['days'])} days, {span}"
    tell("usage_window", language, summary)
    return rolled_event(
        ws,
        instance,
        asset="usage_window",
        language=language,
        version=version,
        facts={
            "rows": manifest["rows"],
            "first_day": manifest["first_day"],
            "last_day": manifest["last_day"],
            "summary": summary,
        },
        metadata={
            "summary": summary,
            "dagster/row_count": manifest["rows"],
            "days": dg.MetadataValue.json(manifest["days"]),
        },
        run_id=run_id,
    )


def catalogue_events(
    ws: Workspace, instance: dg.DagsterInstance, run_id: str, languages: list[str] | None = None
) -> Iterator[dg.AssetMaterialization]:
    """Roll the auxiliary catalogue of each target.

    Targets that do not use the changed pool get an event with an unchanged version, so they stay
    fresh; without the event Dagster would mark their catalogue for a pool that it does not hold.
    """
    for language in languages or ws.targets:
        version, manifest = roll_catalogue(ws, language)
        behind = sorted(n for n, pool in manifest["pools"].items() if pool["vectors"] is None)
        summary = f"{manifest['rows']} rows in {len(manifest['pools'])} pools"
        if behind:
            summary += f", vectors behind for {', '.join(behind)}"
        yield rolled_event(
            ws,
            instance,
            asset="auxiliary_catalogue",
            language=language,
            version=version,
            facts={"rows": manifest["rows"], "behind": behind, "summary": summary},
            metadata={
                "summary": summary,
                "dagster/row_count": manifest["rows"],
                "pools": dg.MetadataValue.json(manifest["pools"]),
            },
            run_id=run_id,
        )


def as_result(event: dg.AssetMaterialization) -> dg.MaterializeResult[Any]:
    """A roll-up event as the result of the asset's own step."""
    tags = dict(event.tags or {})
    version = tags.pop(VERSION_TAG)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version), metadata=dict(event.metadata), tags=tags
    )
