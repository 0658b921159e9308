"""Promotion by people: promote, roll back and compare as jobs, with what the asset page shows.

A person's decision is published like a materialization of `promoted_adapter`: manifest, event and
views say the same thing the moment the job ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import Field

from compass_assets.child import run_child
from compass_assets.describe import MODELS_POOL
from compass_assets.language_choice import op_of_a_target
from compass_assets.resources import ProjectResource
from compass_assets.step import CODE_TAG, VERSION_TAG, pointer_tags, tell
from compass_core.config.schema import Project
from compass_core.errors import CompassError, StoreError
from compass_core.graph import NODES
from compass_core.manifests import Manifest
from compass_core.workspace import Workspace

ASSET = "promoted_adapter"


class PromoteConfig(dg.Config):
    """Which version is to serve, and why."""

    language: str = Field(description="Target language (BCP-47).")
    version: str = Field(description="Adapter version, as v0003.")
    force: bool = Field(False, description="Promote although the gate does not let it pass.")
    reason: str = Field("", description="Kept in the history; needed with force.")


class RollbackConfig(dg.Config):
    """Which language goes back to what served before."""

    language: str = Field(description="Target language (BCP-47).")
    reason: str = Field("", description="Kept in the history.")


class CompareConfig(dg.Config):
    """Two versions of one language."""

    language: str = Field(description="Target language (BCP-47).")
    one: str = Field(description="The earlier version, as v0003.")
    two: str = Field(description="The later version, as v0004.")


def update_metadata(figures: dict[str, Any]) -> dict[str, Any]:
    """What an adapter's page says of an update; empty for a training from zero."""
    if figures["training_mode"] != "ecda":
        return {}
    names = (
        "replay_rows",
        "replay_tokens",
        "penalty_per_task_loss",
        "fisher_scale",
        "old_loss_rise",
        "final_rise",
        "final_surrogate",
        "history_rows",
    )
    rise = figures["old_loss_rise"]
    off = figures["fisher_scale"] == 0 and rise is not None and rise <= 0
    return {
        **{name: figures[name] for name in names if figures[name] is not None},
        **({"penalty": "penalty off: the old loss had not risen"} if off else {}),
        "continual": dg.MetadataValue.json(figures["continual"]),
    }


def decided(ws: Workspace, language: str, serving: str, reason: str, run_id: str) -> Any:
    """Manifest and event of `promoted_adapter` after a person's decision.

    It is made with the present adapter and scores in view, so those are what it consumed.
    """
    before = ws.manifests.require(ASSET, language)
    ws.manifests.put(
        Manifest(
            asset=ASSET,
            partition=language,
            data_version=serving,
            code_version=ws.code_versions[ASSET],
            consumed=before.consumed,
            facts={**before.facts, "serving": serving, "summary": f"{serving} serves; {reason}"},
            run_id=run_id,
        )
    )
    tags = {CODE_TAG: ws.code_versions[ASSET], VERSION_TAG: serving}
    tags |= pointer_tags(ASSET, before.consumed)
    for parent in NODES[ASSET].edges:
        tags[f"dagster/input_data_version/{parent}"] = before.consumed[parent].version
    return dg.AssetMaterialization(
        asset_key=ASSET,
        partition=language,
        metadata={"serving": serving, "reason": reason, "decided_by": "a person"},
        tags=tags,
    )


def _known(ws: Workspace, language: str) -> str:
    if language not in ws.targets:
        raise StoreError(f"language: received {language!r}; allowed are {', '.join(ws.targets)}")
    return language


def _ready(
    context: dg.OpExecutionContext,
    project: ProjectResource,
    pipes: Any,
    language: str,
    versions: list[str],
) -> None:
    """Score those that were not asked today's items yet, in the child process."""
    from compass_core.stages.promotion import unscored

    for version in unscored(project.workspace(), _known(project.workspace(), language), versions):
        run_child(context, project, pipes, "score", {"language": language, "version": version})


def promote_adapter_op(
    context: dg.OpExecutionContext,
    config: PromoteConfig,
    project: ProjectResource,
    pipes: dg.PipesSubprocessClient,
) -> None:
    from compass_core.adapters.registry import serving
    from compass_core.stages.promotion import promote_by_hand

    ws = project.workspace()
    with _said():
        compared = (serving(ws.store, _known(ws, config.language)), config.version)
        _ready(context, project, pipes, config.language, [name for name in compared if name])
        gate = promote_by_hand(
            ws, config.language, config.version, force=config.force, reason=config.reason
        )
        event = decided(ws, config.language, config.version, gate.reason, context.run.run_id)
    context.log_event(event)
    tell(ASSET, config.language, f"{config.version} serves; {gate.reason}")


def rollback_adapter_op(
    context: dg.OpExecutionContext, config: RollbackConfig, project: ProjectResource
) -> None:
    from compass_core.stages.promotion import roll_back

    ws = project.workspace()
    with _said():
        version = roll_back(ws, _known(ws, config.language), config.reason)
        text = f"rolled back: {config.reason or 'no reason given'}"
        event = decided(ws, config.language, version, text, context.run.run_id)
    context.log_event(event)
    tell(ASSET, config.language, f"{version} serves; {text}")


def compare_adapters_op(
    context: dg.OpExecutionContext,
    config: CompareConfig,
    project: ProjectResource,
    pipes: dg.PipesSubprocessClient,
) -> None:
    from compass_core.stages.promotion import compare

    with _said():
        _ready(context, project, pipes, config.language, [config.one, config.two])
        found = compare(project.workspace(), config.language, config.one, config.two)
    text = (
        f"{config.two} against {config.one}: {found['difference_points']:+.1f} points "
        f"[{found['low_points']:+.1f}, {found['high_points']:+.1f}], p {found['p_value']:.3g}"
    )
    context.log.info(text)
    shown = {k: v for k, v in found.items() if isinstance(v, int | float)}
    context.log_event(
        dg.AssetObservation(
            asset_key=ASSET,
            partition=config.language,
            description=text,
            metadata={
                **shown,
                "lineage_differs": dg.MetadataValue.json(_plain(found["lineage_differs"])),
                "by_subject": dg.MetadataValue.json(found["by_subject"]),
            },
        )
    )
    tell(ASSET, config.language, text)


def _plain(value: Any) -> Any:
    """Dates and times as text, so that it can be shown as JSON."""
    import json

    return json.loads(json.dumps(value, default=str))


@contextmanager
def _said() -> Iterator[None]:
    """Errors that are meant to be read fail the step at once and are not tried again."""
    try:
        yield
    except CompassError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def promotion_jobs(project: Project) -> list[dg.JobDefinition]:
    """Promote, roll back, compare: each offers the target languages of the project."""
    promote_op = op_of_a_target(
        promote_adapter_op,
        project,
        description="Make a version serve. Past a failing gate only with force and a reason.",
        pool=MODELS_POOL,  # a version without scores is scored first
    )
    roll_back_op = op_of_a_target(
        rollback_adapter_op, project, description="Serve what served before, and keep the reason."
    )
    compare_op = op_of_a_target(
        compare_adapters_op,
        project,
        description="Two versions on the same items, and what they were made from.",
        pool=MODELS_POOL,
    )

    @dg.job(description="Make an adapter version serve; kept in the history with its reason.")
    def promote_adapter() -> None:
        promote_op()

    @dg.job(description="Go back to the adapter version that served before.")
    def rollback_adapter() -> None:
        roll_back_op()

    @dg.job(description="Compare two adapter versions on the same items.")
    def compare_adapters() -> None:
        compare_op()

    return [promote_adapter, rollback_adapter, compare_adapters]
