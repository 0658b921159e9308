"""Runs whose process is gone: SIGKILL, a lost terminal, a machine that was switched off.

Nobody reports the end of such a run. Dagster would show it as running until the maximum runtime,
and it would keep its place in the pool `models`, so that no other run gets one. Every run writes
the id of its process into its log; a run is lost when no such process exists, or when the one that
has this id now was started later.
"""

import dagster as dg
import psutil

from compass_assets.describe import MODELS_POOL

MESSAGE = (
    "The process of this run (pid {pids}) is gone: killed, or its machine was restarted. What it "
    "finished is kept; run it again and it goes on from there."
)
AUTOMATION_TAG = "dagster/from_automation_condition"
AGAIN_TAG = "compass/started_again_for"
PARTITION_TAG = "dagster/partition"
CLOCK_S = 2.0  # process start times are rounded differently from event times


def end_lost_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Report lost runs as failed and free their places in the pools; returns them.

    Only for an instance on SQLite, which is one machine: elsewhere a process id says nothing.
    """
    if not _on_this_machine(instance):
        return []
    lost: list[dg.DagsterRun] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pids = _processes(instance, run.run_id)
        if pids and not any(_alive(pid, since) for pid, since in pids.items()):
            named = ", ".join(str(pid) for pid in pids)
            instance.report_run_failed(run, MESSAGE.format(pids=named))
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            lost.append(run)
    return lost


def started_again(run: dg.DagsterRun) -> dg.RunRequest | None:
    """A request for what a lost run was to make, if the automation had asked for it.

    The automation takes a request for handled, whatever became of it, and would leave the rest
    stale until something else changes. A file's run is asked for again by its own sensor, and what
    a person started is theirs to start again.
    """
    asked = AUTOMATION_TAG in run.tags or AGAIN_TAG in run.tags
    if not asked or not run.asset_selection:
        return None
    return dg.RunRequest(
        run_key=f"{run.run_id} again",
        asset_selection=sorted(run.asset_selection),
        partition_key=run.tags.get(PARTITION_TAG),
        tags={AGAIN_TAG: run.run_id},
    )


def limit_models(instance: dg.DagsterInstance, runs: int) -> None:
    """Set how many steps may hold a model at once: the limit of the pool `models`."""
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        limits = {pool.name: pool.limit for pool in storage.get_pool_limits()}
        if limits.get(MODELS_POOL) != runs:
            storage.set_concurrency_slots(MODELS_POOL, runs)


def _processes(instance: dg.DagsterInstance, run_id: str) -> dict[int, float]:
    """Process ids that the run's log names, and when (Unix seconds)."""
    found: dict[int, float] = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        metadata = event.engine_event_data.metadata if event else {}
        if "pid" in metadata:
            found[int(str(metadata["pid"].value))] = entry.timestamp
    return found


def _alive(pid: int, since_s: float) -> bool:
    try:
        process = psutil.Process(pid)
        started_s = float(process.create_time())
        return process.status() != psutil.STATUS_ZOMBIE and started_s <= since_s + CLOCK_S
    except psutil.NoSuchProcess:
        return False


def _on_this_machine(instance: dg.DagsterInstance) -> bool:
    return "sqlite" in type(instance.run_storage).__name__.lower()
