"""One asset step: what it reads, what it leaves behind, and the events that say so.

Every asset of the graph goes through `Step`, so that provenance is kept in one way:
the manifest in the store and the event in Dagster's log name the same consumed versions.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dagster as dg

from compass_assets.check_results import what_blocks, what_warns
from compass_assets.resources import ProjectResource
from compass_assets.sync import report_sync
from compass_core.graph import NODES, ancestors
from compass_core.manifests import Consumed, Manifest, merge_consumed
from compass_core.stages.status import write_status
from compass_core.warehouse import catalogue_path, ensure_catalogue
from compass_core.workspace import Workspace

POINTER_TAG = "dagster/input_event_pointer/"
VERSION_TAG = "dagster/data_version"
CODE_TAG = "dagster/code_version"
# Dagster treats a missing pointer as "whatever is newest"; the first event of a log is a run start,
# so pointer 1 means "before anything of this asset", and later events are seen as changes.
BEFORE_EVERYTHING = 1

# Assets are generators: Dagster cannot read a subscripted MaterializeResult as a return type.
Events = Iterator[dg.MaterializeResult[Any] | dg.AssetMaterialization]
Listener = Callable[[str, str, str], None]
listeners: list[Listener] = []  # (asset, partition, text): how the command line shows progress


def tell(asset: str, partition: str, text: str) -> None:
    for listener in listeners:
        listener(asset, partition, text)


class Step:
    """Reads the manifests of its parents when it is made; `finish` publishes its own."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        name: str,
        partition: str | None = None,
    ) -> None:
        self.context = context
        self.ws: Workspace = project.workspace()
        self.overrides = project.overrides()
        self.name = name
        self.partition = partition or context.partition_key
        self.started = time.monotonic()
        self.parents = {
            parent: (
                self.ws.manifests.require(parent, self.partition),
                latest_pointer(context.instance, parent, self.partition),
            )
            for parent in NODES[name].inputs
            if NODES[parent].partition == NODES[name].partition
        }
        tell(name, self.partition, "started")

    def report(self, text: str) -> None:
        """A line for the run's log and whoever watches."""
        self.context.log.info(text)
        tell(self.name, self.partition, text)

    def facts(self, parent: str) -> dict[str, Any]:
        return self.parents[parent][0].facts

    def version(self, parent: str) -> str:
        return self.parents[parent][0].data_version

    @property
    def consumed(self) -> dict[str, Consumed]:
        """What went into this step. A yardstick's own ancestors did not: new logs are compared with
        an old adapter, and the older of two windows is not what was measured."""
        compared = NODES[self.name].compared
        return merge_consumed(
            {
                name: (replace(made, consumed={}) if name in compared else made, pointer)
                for name, (made, pointer) in self.parents.items()
            }
        )

    def finish(
        self,
        data_version: str,
        *,
        summary: str,
        facts: dict[str, Any] | None = None,
        pictures: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
        checks: list[dg.AssetCheckResult] | None = None,
    ) -> dg.MaterializeResult[Any]:
        """Write the manifest and return the event. The data itself must be written already.

        `pictures` are Markdown by row of the asset's page; they stand right after the summary.
        """
        wall_s = round(time.monotonic() - self.started, 3)
        consumed = self.consumed
        manifest = Manifest(
            asset=self.name,
            partition=self.partition,
            data_version=data_version,
            code_version=self.ws.code_versions[self.name],
            consumed=consumed,
            facts={**(facts or {}), "wall_s": wall_s, "summary": summary},
            overrides=self.overrides,
            run_id=self.context.run.run_id,
            blocked=what_blocks(checks or []),
            warned=what_warns(checks or []),
        )
        self.ws.manifests.put(manifest)
        if NODES[self.name].partition == "language":
            if self.name in ancestors("adapter"):
                report_sync(self.ws, self.context.instance)
            else:
                write_status(self.ws, self.ws.staleness())
            ensure_catalogue(self.ws.store, catalogue_path(self.ws.store, self.ws.directory))
        drawn = {name: dg.MetadataValue.md(text) for name, text in (pictures or {}).items()}
        shown: dict[str, Any] = {
            "summary": summary,
            **drawn,
            "wall_s": wall_s,
            **(metadata or {}),
        }
        if self.overrides:
            shown["overrides"] = dg.MetadataValue.json(self.overrides)
        tell(self.name, self.partition, f"{summary} ({wall_s:.1f} s)")
        return dg.MaterializeResult(
            data_version=dg.DataVersion(data_version),
            metadata=shown,
            tags=pointer_tags(self.name, consumed),
            check_results=checks or [],
        )


def pointer_tags(name: str, consumed: dict[str, Consumed]) -> dict[str, str]:
    """Provenance tags that pin each declared edge to the event that was really consumed."""
    return {
        f"{POINTER_TAG}{parent}": str(consumed[parent].pointer or BEFORE_EVERYTHING)
        for parent in NODES[name].edges
        if parent in consumed
    }


def latest_pointer(instance: dg.DagsterInstance, asset: str, partition: str) -> int | None:
    """Id of the newest materialization event of one partition."""
    record = instance.get_latest_data_version_record(dg.AssetKey(asset), False, partition)
    return record.storage_id if record else None


def rolled_event(
    ws: Workspace,
    instance: dg.DagsterInstance,
    *,
    asset: str,
    language: str,
    version: str,
    facts: dict[str, Any],
    metadata: dict[str, Any],
    run_id: str,
) -> dg.AssetMaterialization:
    """Manifest and event of a roll-up that is published by the step of one of its parents.

    Its edges are pinned to the newest event of any partition of the parent, as Dagster does it,
    because a roll-up reads all of them.
    """
    ws.manifests.put(
        Manifest(
            asset=asset,
            partition=language,
            data_version=version,
            code_version=ws.code_versions[asset],
            facts=facts,
            run_id=run_id,
        )
    )
    tags = {CODE_TAG: ws.code_versions[asset], VERSION_TAG: version}
    for parent in NODES[asset].inputs:
        record = instance.get_latest_data_version_record(dg.AssetKey(parent), False)
        pointer = record.storage_id if record else BEFORE_EVERYTHING
        tags[f"{POINTER_TAG}{parent}"] = str(pointer)
        tags[f"dagster/input_data_version/{parent}"] = "rolled"
    return dg.AssetMaterialization(
        asset_key=asset, partition=language, metadata=metadata, tags=tags
    )
