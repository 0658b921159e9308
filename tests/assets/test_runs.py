"""Several runs at once: in worker processes, each outcome told, no failure hides another."""

import dagster as dg

from compass_assets import step
from compass_assets.runs import Job, RunPool


def test_two_at_once_with_progress_and_what_follows(empty_bench) -> None:
    bench = empty_bench
    lines: list[tuple[str, str]] = []
    step.listeners.append(hear := lambda asset, partition, text: lines.append((asset, partition)))
    pool = RunPool(bench.loaded.file, bench.defs, bench.instance, {}, 2)
    followed: list[str | None] = []

    def then(job: Job) -> list[Job]:
        followed.append(job.partition)
        return [Job("ingest_benchmarks", "sw")] if job.name == "ingest_training" else []

    try:
        jobs = [
            Job("ingest_training", "sw"),
            # The gap report has no assignments to read yet.
            Job("refresh_gaps", "hi", ("gap_report",)),
        ]
        done = {d.job.name: d for d in pool.run(jobs, then)}
    finally:
        pool.close()
        step.listeners.remove(hear)

    assert done["ingest_training"].materialized == ["training_corpus[sw]"]
    assert done["ingest_benchmarks"].materialized == ["benchmark_items[sw]"]
    assert "cluster_assignments[hi] is not materialized yet" in str(done["refresh_gaps"].error)
    assert followed == ["sw", "sw"]  # nothing follows the one that failed
    assert ("training_corpus", "sw") in lines
    assert bench.ws.manifests.get("training_corpus", "sw") is not None
    processes = {
        entry.dagster_event.engine_event_data.metadata["pid"].value
        for run in bench.instance.get_runs()
        for entry in bench.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    }
    assert len(processes) == 2


def test_one_run_needs_no_second_process(empty_bench) -> None:
    bench = empty_bench
    pool = RunPool(bench.loaded.file, bench.defs, bench.instance, {}, 2)
    (done,) = pool.run([Job("ingest_training", "sw")])
    assert done.error is None
    assert pool._executor is None
