"""Runs of the graph's jobs, in this process or several at once in worker processes.

Dagster's in-process execution redirects the output of its whole process, so two runs at once need
two processes. A worker process lives as long as the pool and imports everything once.
"""

import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from compass_assets import step
from compass_assets.build import build_defs
from compass_core.config.load import load_project

Progress = tuple[str, str, str]  # asset, partition, text
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True)
class Job:
    """One run: a job of the graph, limited to some assets of one partition."""

    name: str
    partition: str | None = None
    assets: tuple[str, ...] | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What a run materialized, as `asset[partition]`, and how it failed if it did."""

    job: Job
    materialized: list[str]
    error: str | None = None


def run_job(
    defs: dg.Definitions, instance: dg.DagsterInstance, override: dict[str, Any], job: Job
) -> Done:
    """Execute one job here and now."""
    config: dict[str, Any] = {"loggers": QUIET, **job.config}
    if override:
        config["resources"] = {"project": {"config": {"override": override}}}
    result = defs.resolve_job_def(job.name).execute_in_process(
        instance=instance,
        partition_key=job.partition,
        asset_selection=[dg.AssetKey(name) for name in job.assets] if job.assets else None,
        run_config=config,
        raise_on_error=False,
        tags={"compass/started_by": "command line"},
    )
    materialized = [
        f"{event.asset_key.to_user_string()}[{event.partition}]"
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    ]
    return Done(job, materialized, None if result.success else _failure_text(result, job))


class RunPool:
    """Up to `size` runs at once. Worker processes start with the first batch that needs them."""

    def __init__(
        self,
        project_file: Path,
        defs: dg.Definitions,
        instance: dg.DagsterInstance,
        override: dict[str, Any],
        size: int,
    ) -> None:
        self._project_file = project_file
        self._defs = defs
        self._instance = instance
        self._override = override
        self._size = size
        self._executor: ProcessPoolExecutor | None = None

    def run(
        self, jobs: Sequence[Job], then: Callable[[Job], Sequence[Job]] = lambda job: ()
    ) -> Iterator[Done]:
        """Outcomes as they come in; `then` gives the jobs that follow one that succeeded.

        A failed run keeps no other from running.
        """
        if self._size == 1 or (len(jobs) < 2 and self._executor is None):
            waiting = list(jobs)
            while waiting:
                done = run_job(self._defs, self._instance, self._override, waiting.pop(0))
                yield done
                if done.error is None:
                    waiting[:0] = then(done.job)
            return
        executor = self._executor = self._executor or self._started()
        running: dict[Future[Done], Job] = {executor.submit(_work, job): job for job in jobs}
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                job = running.pop(future)
                try:
                    done = future.result()
                except BrokenProcessPool:
                    done = Done(job, [], f"{_name(job)}: its process was killed; run again")
                yield done
                if done.error is None:
                    running |= {executor.submit(_work, next_): next_ for next_ in then(job)}

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._progress.put(None)
            self._listener.join()
            self._executor = None

    def _started(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a forked Polars may hang
        self._progress: Any = context.Queue()
        self._listener = threading.Thread(target=_relay, args=(self._progress,), daemon=True)
        self._listener.start()
        return ProcessPoolExecutor(
            self._size,
            mp_context=context,
            initializer=_open,
            initargs=(
                self._project_file,
                self._instance.get_ref(),
                self._override,
                self._progress,
            ),
        )


_here: dict[str, Any] = {}  # of a worker process


def _open(
    project_file: Path, ref: Any, override: dict[str, Any], progress: "multiprocessing.Queue[Any]"
) -> None:
    _here["defs"] = build_defs(load_project(project_file))
    _here["instance"] = dg.DagsterInstance.from_ref(ref)
    _here["override"] = override
    step.listeners.append(lambda *line: progress.put(line))


def _work(job: Job) -> Done:
    return run_job(_here["defs"], _here["instance"], _here["override"], job)


def _relay(progress: "multiprocessing.Queue[Progress | None]") -> None:
    """Progress of the worker processes to the listeners of this one."""
    with contextlib.suppress(EOFError, OSError):
        while (line := progress.get()) is not None:
            step.tell(*line)


def _name(job: Job) -> str:
    return f"{job.name}[{job.partition}]" if job.partition else job.name


def _failure_text(result: dg.ExecuteInProcessResult, job: Job) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            text = error.message.strip() if error else "no error recorded"
            return f"{_name(job)}: step {event.step_key} failed: {text} (run {result.run_id})"
    return f"{_name(job)} failed (run {result.run_id})"
