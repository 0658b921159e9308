"""Materializing from the command line: the same jobs as in the UI, run by this command.

Runs, events and data versions go to the project's own Dagster instance, so the UI shows them; what
is fresh is skipped. `execution.parallel` languages are worked on at once.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Any

import dagster as dg

from compass_assets.build import build_defs
from compass_assets.lost_runs import end_lost_runs, limit_models
from compass_assets.partitions import POOLS
from compass_assets.runs import Job, RunPool
from compass_core.config.load import LoadedProject, with_overrides
from compass_core.errors import CompassError
from compass_core.stages.fetch import waiting_corpora
from compass_core.stages.logs import pending_logs
from compass_core.stages.plan import (
    BY_LANGUAGE,
    COMPARISON,
    ON_DEMAND,
    older_than_comparison,
    plan_language,
    plan_pool,
    split_at_comparison,
)
from compass_core.stages.sources import changed_sources
from compass_core.workspace import Workspace


class RunFailed(CompassError):
    """Runs of the graph failed; the message holds their steps and errors."""


@dataclass
class Outcome:
    """What `materialize` did: runs by job, assets by partition, seconds."""

    runs: int = 0
    assets: list[str] = field(default_factory=list)
    wall_s: float = 0.0


class Runner:
    """One project, one instance. `override` is nested as the project file.

    A context manager: the worker processes of several runs at once end with it.
    """

    def __init__(
        self,
        loaded: LoadedProject,
        instance: dg.DagsterInstance,
        override: dict[str, Any] | None = None,
        say: Callable[[str], None] = lambda text: None,
        defs: dg.Definitions | None = None,
    ) -> None:
        self._loaded = loaded
        self._instance = instance
        self.outcome = Outcome()
        override = override or {}
        project = with_overrides(loaded.project, override)
        execution = project.execution
        # Then what a corpus is compared with has to be there: one after the other, in order.
        self._in_order = project.cleaning.across_partitions
        limit_models(instance, execution.parallel)
        for run in end_lost_runs(instance):
            say(f"run {run.run_id} was cut off: its process is gone; what it finished is kept")
        self._pool = RunPool(
            loaded.file, defs or build_defs(loaded), instance, override, execution.parallel
        )

    def __enter__(self) -> "Runner":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._pool.close()

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self._loaded)

    def materialize(
        self,
        languages: Sequence[str] | None = None,
        select: Collection[str] | None = None,
        *,
        compare: bool = False,
    ) -> Outcome:
        """Bring languages (default: all targets) up to date; `select` limits it to some assets.

        With `select` the named assets are materialized even when they are fresh. `compare` runs
        the comparison of strategies of each language, unless it is fresh, before the adapter: so
        that the scores and the page have its figures beside the adapter's. Where it fails, the
        adapter waits for the next call.
        Raises RunFailed when a step fails, after everything that does not hang from it has run.
        """
        started = time.monotonic()
        targets = list(languages or self.workspace.targets)
        if select:
            self._selected(targets, select)
        else:
            if self._in_order:
                changed = self._changed()
                behind = [t for t in targets if "training_corpus" in self._plan(t, changed)]
                self._training(behind)
            self._auxiliary()
            self._logs(targets)
            changed = self._changed()
            roots = ("training_corpus", "benchmark_items")
            plans = {language: self._plan(language, changed) for language in targets}
            self._run(
                [
                    _chain(language, tuple(name for name in roots if name in plan))
                    for language, plan in plans.items()
                    if any(name in plan for name in roots)
                ]
            )
            self._encode_waiting()
            self._chains(targets, compare)
        self.outcome.wall_s = time.monotonic() - started
        return self.outcome

    def _selected(self, targets: Sequence[str], select: Collection[str]) -> None:
        """The named assets, inputs first, whether they are fresh or not."""
        read = tuple(
            name for name in ("auxiliary_corpus", "auxiliary_embeddings") if name in select
        )
        names = tuple(n for n in BY_LANGUAGE if n in select and n not in ON_DEMAND)
        asked = tuple(name for name in ON_DEMAND if name in select)
        pools = self._pools() if read else []
        if self._in_order and "training_corpus" in names:
            self._training(targets)
            names = tuple(name for name in names if name != "training_corpus")
        self._read([Job("ingest_auxiliary", pool, read) for pool in pools])
        self._run([_ingest(language) for language in targets if "usage_logs" in select])
        self._run([_chain(language, names) for language in targets if names])
        self._run([_comparison(language) for language in targets if asked])

    def _chains(self, targets: Sequence[str], compare: bool) -> None:
        """Everything of a language after its inputs: one run, or three with the comparison."""
        changed = self._changed()
        chains = {
            language: self._chain_of(language, self._plan(language, changed), compare)
            for language in targets
        }

        def following(language: str | None) -> list[Job]:
            return list(islice(chains[str(language)], 1))

        first = [job for language in targets for job in following(language)]
        self._run(first, lambda done: following(done.partition))

    def _chain_of(self, language: str, plan: list[str], compare: bool) -> Iterator[Job]:
        """Runs of a language, each to be asked for when the one before it is done."""
        before, after = split_at_comparison(plan) if compare else (plan, [])
        if before:
            yield _chain(language, tuple(before))
        if compare:
            if self.workspace.staleness().status(COMPARISON, language).state != "fresh":
                yield _comparison(language)
            shown = {*after, *older_than_comparison(self.workspace, language)}
            after = [name for name in BY_LANGUAGE if name in shown]
        if after:
            yield _chain(language, tuple(after))

    def job(
        self, name: str, partition: str | None = None, config: dict[str, Any] | None = None
    ) -> Outcome:
        """Run one job whole. Raises RunFailed when a step fails."""
        started = time.monotonic()
        self._run([Job(name, partition, None, config or {})])
        self.outcome.wall_s = time.monotonic() - started
        return self.outcome

    def _training(self, languages: Sequence[str]) -> None:
        self._read([_chain(language, ("training_corpus",)) for language in sorted(languages)])

    def _read(self, jobs: Sequence[Job]) -> None:
        """Run jobs that read corpora, one after the other where they look into each other."""
        for some in [[job] for job in jobs] if self._in_order else [jobs]:
            self._run(some)

    def _auxiliary(self) -> None:
        """Read pools whose files changed; all their vectors are made by one child afterwards."""
        ws = self.workspace
        if waiting_corpora(ws):
            self._run([Job("fetch_corpora")])
        changed = self._changed_pools()
        plans = {
            pool: plan_pool(ws, pool, changed=pool in changed, recorded=self._recorded)
            for pool in self._pools()
        }

        def reading(asset: str) -> list[Job]:
            return [
                Job("ingest_auxiliary", pool, (asset,))
                for pool, plan in plans.items()
                if asset in plan
            ]

        self._read(reading("auxiliary_corpus"))
        if any(plans.values()):
            self._run([Job("encode_backlog")])
        self._run(reading("auxiliary_embeddings"))

    def _changed_pools(self) -> set[str]:
        found = changed_sources(self.workspace)[0]
        return {change.partition for change in found if change.asset == "auxiliary_corpus"}

    def _pools(self) -> list[str]:
        """Pool languages that were read before or have files now, each a partition from here on."""
        known = self.workspace.manifests.partitions("auxiliary_corpus")
        pools = sorted(self._changed_pools() | set(known))
        self._instance.add_dynamic_partitions(POOLS, pools)
        return pools

    def _logs(self, targets: Sequence[str]) -> None:
        jobs = []
        for language in targets:
            ws = self.workspace
            fresh = ws.staleness().status("usage_window", language).state == "fresh"
            known = self._recorded("usage_window", language)
            if pending_logs(ws, language).has_work or not fresh or not known:
                jobs.append(_ingest(language))
        self._run(jobs)

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

    def _encode_waiting(self) -> None:
        """One child for the vectors of all languages, if the texts of several wait for one."""
        from compass_core.stages.models import missing_vectors

        ws = self.workspace
        ready = [
            (role, language)
            for role, asset in (("training", "training_corpus"), ("usage", "usage_window"))
            for language in ws.targets
            if ws.manifests.get(asset, language)
        ]
        if sum(missing_vectors(ws, role, language) > 0 for role, language in ready) > 1:
            self._run([Job("encode_backlog")])

    def _recorded(self, asset: str, partition: str) -> bool:
        key = dg.AssetKey(asset)
        return self._instance.get_latest_data_version_record(key, False, partition) is not None

    def _run(
        self, jobs: Sequence[Job], then: Callable[[Job], Sequence[Job]] = lambda job: ()
    ) -> None:
        failures = []
        for done in self._pool.run(jobs, then):
            self.outcome.runs += 1
            self.outcome.assets += done.materialized
            if done.error is not None:
                failures.append(done.error)
        if failures:
            raise RunFailed("\n".join(failures))


def _ingest(language: str) -> Job:
    config = {"ops": {"ingest_logs_op": {"config": {"language": language}}}}
    return Job("ingest_logs", config=config)


def _chain(language: str, assets: tuple[str, ...]) -> Job:
    return Job("bootstrap_language", language, assets)


def _comparison(language: str) -> Job:
    return Job("compare_strategies", language, ON_DEMAND)


def open_instance(loaded: LoadedProject) -> dg.DagsterInstance:
    """The project's persistent instance; its home is the project folder."""
    os.environ["DAGSTER_HOME"] = str(loaded.directory)
    return dg.DagsterInstance.get()
