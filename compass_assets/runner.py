"""Materializing from the command line: the same jobs as in the UI, run in this process.

Runs, events and data versions go to the project's own Dagster instance, so the UI shows them; what
is fresh is skipped.
"""

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from compass_assets.build import build_defs
from compass_assets.partitions import POOLS
from compass_core.config.load import LoadedProject
from compass_core.errors import CompassError
from compass_core.stages.logs import pending_logs
from compass_core.stages.plan import BY_LANGUAGE, ON_DEMAND, plan_language, plan_pool
from compass_core.stages.sources import changed_sources
from compass_core.workspace import Workspace


class RunFailed(CompassError):
    """A run of the graph failed; the message holds the step and its error."""


@dataclass
class Outcome:
    """What `materialize` did: runs by job, assets by partition, seconds."""

    runs: int = 0
    assets: list[str] = field(default_factory=list)
    wall_s: float = 0.0


class Runner:
    """One project, one instance. `override` is nested as the project file."""

    def __init__(
        self,
        loaded: LoadedProject,
        instance: dg.DagsterInstance,
        override: dict[str, Any] | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._loaded = loaded
        self._instance = instance
        self._override = override or {}
        self._say = say
        self._defs = build_defs(loaded)
        self.outcome = Outcome()

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self._loaded)

    def materialize(
        self, languages: Sequence[str] | None = None, select: Collection[str] | None = None
    ) -> Outcome:
        """Bring languages (default: all targets) up to date; `select` limits it to some assets.

        With `select` the named assets are materialized even when they are fresh.
        Raises RunFailed when a step fails.
        """
        started = time.monotonic()
        targets = list(languages or self.workspace.targets)
        if select:
            for language in targets:
                names = [n for n in BY_LANGUAGE if n in select and n not in ON_DEMAND]
                self._run("bootstrap_language", partition=language, assets=names)
                asked = [name for name in ON_DEMAND if name in select]
                self._run("compare_strategies", partition=language, assets=asked)
        else:
            self._auxiliary()
            self._logs(targets)
            changed = self._changed()
            for language in targets:
                roots = [
                    a
                    for a in ("training_corpus", "benchmark_items")
                    if a in self._plan(language, changed)
                ]
                self._run("bootstrap_language", partition=language, assets=roots)
            self._run_if_waiting()
            for language in targets:
                plan = self._plan(language, self._changed())
                self._run("bootstrap_language", partition=language, assets=plan)
        self.outcome.wall_s = time.monotonic() - started
        return self.outcome

    def _auxiliary(self) -> None:
        """Read pools whose files changed; all their vectors are made by one child afterwards."""
        ws = self.workspace
        changed = {c.partition for c in changed_sources(ws)[0] if c.asset == "auxiliary_corpus"}
        pools = sorted(changed | set(ws.manifests.partitions("auxiliary_corpus")))
        self._instance.add_dynamic_partitions(POOLS, pools)
        plans = {
            pool: plan_pool(ws, pool, changed=pool in changed, recorded=self._recorded)
            for pool in pools
        }
        for pool, plan in plans.items():
            if "auxiliary_corpus" in plan:
                self._run("ingest_auxiliary", partition=pool, assets=["auxiliary_corpus"])
        if any(plans.values()):
            self._run("encode_backlog")
        for pool, plan in plans.items():
            if "auxiliary_embeddings" in plan:
                self._run("ingest_auxiliary", partition=pool, assets=["auxiliary_embeddings"])

    def _logs(self, targets: Sequence[str]) -> None:
        for language in targets:
            ws = self.workspace
            fresh = ws.staleness().status("usage_window", language).state == "fresh"
            known = self._recorded("usage_window", language)
            if pending_logs(ws, language).has_work or not fresh or not known:
                config = {"ops": {"ingest_logs_op": {"config": {"language": language}}}}
                self._run("ingest_logs", run_config=config)

    def _changed(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for source in changed_sources(self.workspace)[0]:
            found.setdefault(source.partition, set()).add(source.asset)
        return found

    def _plan(self, language: str, changed: dict[str, set[str]]) -> list[str]:
        return plan_language(
            self.workspace,
            language,
            changed=changed.get(language, set()),
            recorded=self._recorded,
        )

    def _run_if_waiting(self) -> None:
        """One child for the vectors of all languages, if any text waits for one."""
        from compass_core.stages.models import missing_vectors

        ws = self.workspace
        ready = [
            (role, language)
            for role, asset in (("training", "training_corpus"), ("usage", "usage_window"))
            for language in ws.targets
            if ws.manifests.get(asset, language)
        ]
        if sum(missing_vectors(ws, role, language) > 0 for role, language in ready) > 1:
            self._run("encode_backlog")

    def _recorded(self, asset: str, partition: str) -> bool:
        key = dg.AssetKey(asset)
        return self._instance.get_latest_data_version_record(key, False, partition) is not None

    def _run(
        self,
        job: str,
        *,
        partition: str | None = None,
        assets: Sequence[str] | None = None,
        run_config: dict[str, Any] | None = None,
    ) -> None:
        if assets is not None and not assets:
            return
        config: dict[str, Any] = {
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            **(run_config or {}),
        }
        if self._override:
            config["resources"] = {"project": {"config": {"override": self._override}}}
        result = self._defs.resolve_job_def(job).execute_in_process(
            instance=self._instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
            run_config=config,
            raise_on_error=False,
            tags={"compass/started_by": "command line"},
        )
        self.outcome.runs += 1
        for event in result.get_asset_materialization_events():
            key = event.asset_key
            if key is not None:
                self.outcome.assets.append(f"{key.to_user_string()}[{event.partition}]")
        if not result.success:
            raise RunFailed(_failure_text(result, job, partition))


def _failure_text(result: dg.ExecuteInProcessResult, job: str, partition: str | None) -> str:
    where = f"{job}[{partition}]" if partition else job
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            text = error.message.strip() if error else "no error recorded"
            return f"{where}: step {event.step_key} failed: {text} (run {result.run_id})"
    return f"{where} failed (run {result.run_id})"


def open_instance(loaded: LoadedProject) -> dg.DagsterInstance:
    """The project's persistent instance; its home is the project folder."""
    os.environ["DAGSTER_HOME"] = str(loaded.directory)
    return dg.DagsterInstance.get()
