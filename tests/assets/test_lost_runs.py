"""A run whose process was killed is ended, and no other."""

import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg

from compass_assets.lost_runs import end_lost_runs, limit_models

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

        assert end_lost_runs(instance) == [run.run_id]

        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
        assert not instance.event_log_storage.get_concurrency_info("models").active_run_ids
        told = [entry.message for entry in instance.all_logs(run.run_id)]
        assert any("is gone" in text for text in told)
        assert end_lost_runs(instance) == []


def test_a_living_run_is_left_alone(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        found: list[list[str]] = []

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
