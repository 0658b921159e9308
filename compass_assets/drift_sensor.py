"""Drift asks for an update: the sensor that reads drift reports and requests training runs.

It decides nothing about drift (the report does) and trains nothing (the run does). The store says
whether a language wants an update (`compass_core/stages/drift_answer.py`); here the runs have their
say. One update at a time over all languages, the one that drifted most first: the others would only
fill the run queue, which the cheap chain needs. State is kept in the runs' tags and the store, so a
restarted daemon, a replayed tick or a run started by hand changes nothing.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from compass_assets.jobs import UPDATE_JOB
from compass_assets.sensors import MAX_TRIES, UNFINISHED, Looked, reopened
from compass_core.config.load import LoadedProject
from compass_core.stages.drift_answer import Standing, cooled_at, standing
from compass_core.workspace import Workspace

REPORT_TAG = "compass/drift_report"
PARTITION_TAG = "dagster/partition"
LANGUAGE_TAG = "compass/language"
TRAINS = "adapter"  # a run that materializes this asset trains
TRAINING_JOBS = ("retrain", UPDATE_JOB, "bootstrap_language", "compare_strategies")
BACKFILLS_SEEN = 50  # the newest; an older one that is still under way has runs to be seen


def build_drift_sensor(loaded: LoadedProject) -> dg.SensorDefinition:
    """The sensor of a project; it runs by itself from the first start of the daemon."""

    @dg.sensor(
        name="drift_updates",
        job_name=UPDATE_JOB,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "A report that says drift requests the update of that language's adapter, one at a "
            "time. Being stale alone requests nothing; every tick says why it acted or not."
        ),
    )
    def drift_updates(context: dg.SensorEvaluationContext) -> Looked:
        return look_for_drift(context.instance, reopened(loaded))

    return drift_updates


def look_for_drift(
    instance: dg.DagsterInstance, ws: Workspace, now: datetime | None = None
) -> Looked:
    """At most one run request, for the language that drifted most among those that may start."""
    moment = now or datetime.now(UTC)
    standings = [standing(ws, language, moment) for language in ws.targets]
    busy = _training(instance)
    said: dict[str, str] = {}
    free: list[tuple[Standing, int]] = []
    for found in standings:
        why_not, tries = "", 0
        if found.wanted:
            why_not, tries = _runs_say(instance, ws, found, busy, moment)
            if not why_not:
                free.append((found, tries))
        said[found.language] = found.why + (f", but {why_not}" if why_not else "")
    free.sort(key=lambda entry: (-entry[0].excess_bits, entry[0].language))
    for found, _ in free[1:]:
        said[found.language] += f", but waits for the update of {free[0][0].language}"
    if not free:
        return dg.SkipReason(_text(said))
    first, tries = free[0]
    said[first.language] += ": update requested"
    request = dg.RunRequest(
        run_key=f"{first.key}:{tries}",
        job_name=UPDATE_JOB,
        partition_key=first.language,
        tags={
            REPORT_TAG: first.key,
            LANGUAGE_TAG: first.language,
            "compass/why": _text(said)[:250],
        },
    )
    return dg.SensorResult(run_requests=[request])


def _runs_say(
    instance: dg.DagsterInstance, ws: Workspace, found: Standing, busy: str, now: datetime
) -> tuple[str, int]:
    """What the runs have against an update ('' for nothing), and the number of earlier tries."""
    mine = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED)))
        if found.language in (run.tags.get(PARTITION_TAG), run.tags.get(LANGUAGE_TAG))
    ]
    if mine:
        return f"its run {mine[0].job_name} {mine[0].run_id[:8]} is on its way", 0
    if busy:
        return f"{busy}, and training is one at a time", 0
    records = instance.get_run_records(dg.RunsFilter(tags={LANGUAGE_TAG: found.language}))
    asked = [
        (r.dagster_run, datetime.fromtimestamp(r.end_time or 0, UTC))
        for r in records
        if r.dagster_run.tags.get(REPORT_TAG, "").endswith(f":{found.serving}")
    ]
    tries = [run for run, _ in asked if run.tags[REPORT_TAG] == found.key]
    done = [run for run in tries if run.status == dg.DagsterRunStatus.SUCCESS]
    if done:
        return f"run {done[0].run_id[:8]} answered this report already", 0
    recent = [(run, end) for run, end in asked if now < cooled_at(ws, end)]
    failed = [end for run, end in recent if run.status != dg.DagsterRunStatus.SUCCESS]
    if len(failed) < len(recent) or len(failed) >= MAX_TRIES:
        what = (
            f"{len(failed)} runs failed"
            if len(failed) == len(recent)
            else "an earlier update left the same version serving"
        )
        until = cooled_at(ws, max(end for _, end in recent))
        return f"{what}: no new try before {until:%Y-%m-%d %H:%M}", 0
    return "", len(tries)


def _training(instance: dg.DagsterInstance) -> str:
    """The run or backfill that trains an adapter at the moment, of whatever language, or ''."""
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED))):
        if _names(run.asset_selection, run.job_name, run.tags.get(REPORT_TAG)):
            language = run.tags.get(PARTITION_TAG, "an adapter")
            return f"{run.job_name} of {language} is on its way"
    for backfill in instance.get_backfills(limit=BACKFILLS_SEEN):
        selected, job = backfill.asset_selection, backfill.partition_set_name or ""
        if backfill.status.value == "REQUESTED" and _names(selected, job, None):
            return f"backfill {backfill.backfill_id} is under way"
    return ""


def _names(selection: Collection[Any] | None, job_name: str, report: str | None) -> bool:
    """Whether a run or backfill trains: by its assets where it names some, else by its job."""
    if selection:
        return dg.AssetKey(TRAINS) in selection
    return report is not None or job_name.removesuffix("_partition_set") in TRAINING_JOBS


def _text(said: dict[str, str]) -> str:
    return "; ".join(f"{language}: {why}" for language, why in said.items())
