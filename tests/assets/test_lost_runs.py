"""A run whose process was killed is ended, and no other."""

import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg

from compass_assets import sensors
from compass_assets.lost_runs import end_lost_runs, limit_models, started_again

KILLED = """
import os, signal, sys
import dagster as dg

@dg.op(pool="models")
def train():
    os.kill(os.getpid(), signal.SIGKILL)

@dg.job(executor_def=dg.in_process_executor)
def retrain():
    train()

with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    retrain.execute_in_process(instance=instance)
"""


def test_a_killed_run_is_ended_and_gives_its_place_back(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        limit_models(instance, 1)
        done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True)
        assert done.returncode == -signal.SIGKILL
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.STARTED
        slots = instance.event_log_storage.get_concurrency_info("models")
        assert slots.active_run_ids == {run.run_id}

        assert [lost.run_id for lost in end_lost_runs(instance)] == [run.run_id]

        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
        assert not instance.event_log_storage.get_concurrency_info("models").active_run_ids
        told = [entry.message for entry in instance.all_logs(run.run_id)]
        assert any("is gone" in text for text in told)
        assert end_lost_runs(instance) == []


def test_a_living_run_is_left_alone(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        found: list[list[dg.DagsterRun]] = []

        @dg.op
        def look() -> None:
            found.append(end_lost_runs(instance))

        @dg.job(executor_def=dg.in_process_executor)
        def looking() -> None:
            look()

        assert looking.execute_in_process(instance=instance).success
        assert found == [[]]


def test_the_limit_of_the_pool_follows_the_setting(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for runs in (1, 3, 2):
            limit_models(instance, runs)
            assert instance.event_log_storage.get_concurrency_info("models").slot_count == runs


def test_what_the_automation_asked_for_is_started_again_and_nothing_else() -> None:
    assets = frozenset({dg.AssetKey("gap_report"), dg.AssetKey("semantic_clusters")})
    tags = {"dagster/partition": "sw", "dagster/from_automation_condition": "true"}
    run = dg.DagsterRun(job_name="__ASSET_JOB", run_id="one", asset_selection=assets, tags=tags)
    request = started_again(run)
    assert request is not None
    assert request.partition_key == "sw"
    assert set(request.asset_selection or ()) == assets
    assert started_again(run).run_key == request.run_key  # type: ignore[union-attr]
    by_a_person = dg.DagsterRun(
        job_name="retrain", run_id="two", asset_selection=assets, tags={"dagster/partition": "sw"}
    )
    assert started_again(by_a_person) is None


def test_the_sensor_requests_it_in_a_form_that_dagster_takes(empty_bench, monkeypatch) -> None:
    assets = frozenset({dg.AssetKey("gap_report"), dg.AssetKey("semantic_clusters")})
    tags = {"dagster/partition": "sw", "compass/started_again_for": "zero"}
    run = dg.DagsterRun(job_name="__ASSET_JOB", run_id="one", asset_selection=assets, tags=tags)
    monkeypatch.setattr(sensors, "end_lost_runs", lambda instance: [run])
    repository = empty_bench.defs.get_repository_def()
    sensor = repository.get_sensor_def("lost_runs")
    with dg.build_sensor_context(empty_bench.instance, repository_def=repository) as context:
        data = sensor.evaluate_tick(context)
    (request,) = data.run_requests or ()
    assert (request.run_key, request.partition_key) == ("one again", "sw")
    assert set(request.asset_selection or ()) == assets
