"""What watches: the folders of logs, corpora and benchmark items; the in-sync check; lost runs.

A sensor only compares and requests; reading, embedding and training happen in runs. What was taken
is kept in the store, not in the cursor, so a restarted daemon, a replayed tick or a reset cursor
changes nothing. Run keys carry the content that is to be taken and the number of earlier tries,
because Dagster never starts a run key twice, not even after a failure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from compass_assets.lost_runs import end_lost_runs, started_again
from compass_assets.partitions import POOLS
from compass_assets.sync import report_sync, sync_statuses
from compass_core.config.load import LoadedProject, load_project
from compass_core.corpora.files import find_languages
from compass_core.hashing import version_of
from compass_core.stages.fetch import waiting_corpora
from compass_core.stages.logs import pending_logs
from compass_core.stages.sources import changed_sources, in_order
from compass_core.workspace import Workspace

BATCH_TAG = "compass/batch"
MAX_TRIES = 3
JOB_OF_SOURCE = {
    "auxiliary_corpus": "ingest_auxiliary",
    "training_corpus": "ingest_training",
    "benchmark_items": "ingest_benchmarks",
}
FETCH_JOB = "fetch_corpora"
ON_ITS_WAY = "its run is on its way"
UNFINISHED = {
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
}
Looked = dg.SensorResult | dg.SkipReason


def build_sensors(loaded: LoadedProject, jobs: Mapping[str, Any]) -> list[Any]:
    """All sensors of a project. They run by themselves from the first start of the daemon."""
    running = dg.DefaultSensorStatus.RUNNING

    @dg.sensor(
        name="log_files",
        job_name="ingest_logs",
        minimum_interval_seconds=15,
        default_status=running,
        description="New or changed log files: one ingest run a language takes all that wait.",
    )
    def log_files(context: dg.SensorEvaluationContext) -> Looked:
        return look_for_logs(context.instance, reopened(loaded))

    @dg.sensor(
        name="corpus_files",
        jobs=[jobs[name] for name in (FETCH_JOB, *JOB_OF_SOURCE.values())],
        minimum_interval_seconds=30,
        default_status=running,
        description="New or changed corpora and benchmark items: one run a language.",
    )
    def corpus_files(context: dg.SensorEvaluationContext) -> Looked:
        return look_for_corpora(context.instance, reopened(loaded))

    @dg.sensor(
        name="sync_watch",
        minimum_interval_seconds=60,
        default_status=running,
        asset_selection=["adapter"],
        description="Evaluates adapters_in_sync anew when its answer changed; starts nothing.",
    )
    def sync_watch(context: dg.SensorEvaluationContext) -> Looked:
        return watch_sync(context.instance, reopened(loaded), context.cursor)

    @dg.sensor(
        name="lost_runs",
        minimum_interval_seconds=60,
        default_status=running,
        asset_selection="*",
        description=(
            "Ends runs whose process was killed, so that they hold no place in a pool, and starts "
            "again what the automation had asked for."
        ),
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> Looked:
        ended = end_lost_runs(context.instance)
        requests = [request for run in ended if (request := started_again(run))]
        said = ", ".join(run.run_id for run in ended)
        return _answer(requests, [f"ended: {said}" if ended else "no run was lost"], [])

    automation = dg.AutomationConditionSensorDefinition(
        "cheap_chain",
        target=dg.AssetSelection.all(),
        default_status=running,
        minimum_interval_seconds=30,
        description="Keeps embeddings, clusters, assignments, gap and drift reports fresh.",
    )
    return [log_files, corpus_files, sync_watch, lost_runs, automation]


def reopened(loaded: LoadedProject) -> Workspace:
    """The project file read again: folders and salt may have changed since the location loaded."""
    return Workspace.open(load_project(loaded.file))


def look_for_logs(instance: dg.DagsterInstance, ws: Workspace) -> Looked:
    """One run request for each language with complete, new files."""
    requests: list[dg.RunRequest] = []
    seen: list[str] = []
    _, problems = find_languages(ws.logs_place)
    for language in ws.targets:
        pending = pending_logs(ws, language)
        waiting = [f"{path} ({state.value})" for path, state in pending.waiting.items()]
        problems = problems + list(pending.problems)
        said = f"{language}: {pending.done} files taken"
        if waiting:
            said += f", not complete yet: {', '.join(waiting[:5])}"
        if pending.has_work:
            batch = version_of([language, *sorted(file.digest for file in pending.complete)])
            request, why_not = batch_request(
                instance,
                batch,
                run_config={
                    "ops": {"ingest_logs_op": {"config": {"language": language}}},
                },
                tags={"compass/language": language},
            )
            said += f", {len(pending.complete)} new" + (f" ({why_not})" if why_not else "")
            if request:
                requests.append(request)
        seen.append(said)
    return _answer(requests, seen, problems)


def look_for_corpora(instance: dg.DagsterInstance, ws: Workspace) -> Looked:
    """One run request for each partition whose files changed; registers new pool languages.

    Corpora that compass.yaml names and that are not fetched yet are asked for in one more run.
    Where corpora are compared across partitions they are read one after the other, in order.
    """
    changed, problems = changed_sources(ws)
    requests: list[dg.RunRequest] = []
    seen = []
    waiting = waiting_corpora(ws)
    if waiting:
        batch = version_of([corpus.model_dump(mode="json") for corpus in waiting])
        request, why_not = batch_request(instance, batch, job_name=FETCH_JOB)
        seen.append(f"to fetch: {', '.join(corpus.name for corpus in waiting)} {why_not}")
        if request:
            requests.append(request)
    before = ""  # what others wait for
    for source in in_order(changed):
        if before and source.asset != "benchmark_items":
            seen.append(f"{source.asset}[{source.partition}]: waits for {before}")
            continue
        request, why_not = batch_request(
            instance,
            source.batch,
            job_name=JOB_OF_SOURCE[source.asset],
            partition_key=source.partition,
        )
        if ws.project.cleaning.across_partitions and source.asset != "benchmark_items":
            on_its_way = request is not None or why_not == ON_ITS_WAY
            before = f"{source.asset}[{source.partition}]" if on_its_way else ""
        seen.append(f"{source.asset}[{source.partition}]: {source.files} files changed {why_not}")
        if request:
            requests.append(request)
    pools = {s.partition for s in changed if s.asset == "auxiliary_corpus"}
    new = sorted(pools - set(instance.get_dynamic_partitions(POOLS)))
    registered = [_register_pools(new)] if new else []
    return _answer(requests, seen or ["no corpus changed"], problems, registered)


def _register_pools(names: Sequence[str]) -> dg.AddDynamicPartitionsRequest:
    from compass_assets.partitions import pool_partitions

    return pool_partitions.build_add_request(list(names))


def watch_sync(instance: dg.DagsterInstance, ws: Workspace, cursor: str | None) -> Looked:
    """Report the in-sync check when it would say something else than the last time."""
    statuses = sync_statuses(ws)
    digest = version_of(
        [(s.partition, s.state, [(c.asset, c.current) for c in s.causes]) for s in statuses]
    )
    text = ", ".join(f"{status.partition} {status.state}" for status in statuses)
    if digest == cursor:
        return dg.SkipReason(f"unchanged: {text}")
    report_sync(ws, instance)
    return dg.SensorResult(skip_reason=f"reported: {text}", cursor=digest)


def batch_request(
    instance: dg.DagsterInstance, batch: str, *, tags: dict[str, str] | None = None, **request: Any
) -> tuple[dg.RunRequest | None, str]:
    """A run request for a batch of input, or None and why not. Same state, same answer."""
    runs = instance.get_runs(dg.RunsFilter(tags={BATCH_TAG: batch}))
    if any(run.status in UNFINISHED for run in runs):
        return None, ON_ITS_WAY
    failed = sum(run.status != dg.DagsterRunStatus.SUCCESS for run in runs)
    if failed >= MAX_TRIES:
        return None, f"failed {failed} times, not tried again: see the runs tagged {batch}"
    # Earlier successes count as well: content that comes back after a change is to be taken again.
    key = f"{batch}:{len(runs)}"
    return dg.RunRequest(run_key=key, tags={**(tags or {}), BATCH_TAG: batch}, **request), ""


def _answer(
    requests: list[dg.RunRequest],
    seen: list[str],
    problems: Sequence[str],
    registered: Sequence[Any] = (),
) -> Looked:
    text = "; ".join([*seen, *(f"problem: {problem}" for problem in problems)])
    if not requests and not registered:
        return dg.SkipReason(text)
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=list(registered))
