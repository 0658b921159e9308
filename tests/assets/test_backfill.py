"""Backfills as the daemon runs them: any number of days in one run, one language a run."""

import logging
import time
from datetime import date

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from compass_assets.partitions import DAYS, usage_key
from compass_core import layout

PATIENCE_S = 600.0  # a machine that others use as well


def backfill(bench, asset: str, partitions: list[str]) -> list[dg.DagsterRun]:
    """Ask for partitions of an asset as the UI does, and let the daemon work until it is done."""
    graph = bench.defs.resolve_asset_graph()
    with partition_loading_context(dynamic_partitions_store=bench.instance):
        asked = PartitionBackfill.from_asset_partitions(
            backfill_id=f"all-{asset}",
            asset_graph=graph,
            partition_names=partitions,
            asset_selection=[dg.AssetKey(asset)],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=bench.instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    bench.instance.add_backfill(asked)
    module = "compass_assets.definitions"
    target = ModuleTarget(module, None, str(bench.directory), module)
    end = time.monotonic() + PATIENCE_S
    starter = QueuedRunCoordinatorDaemon(interval_seconds=1)
    with create_test_daemon_workspace_context(target, bench.instance) as context:
        while time.monotonic() < end:
            for error in execute_backfill_iteration(context, logging.getLogger("backfill")):
                assert error is None, error
            list(starter.run_iteration(context))
            state = bench.instance.get_backfill(asked.backfill_id)
            if state.status != BulkActionStatus.REQUESTED:
                break
            time.sleep(1)
    runs = bench.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": asked.backfill_id}))
    assert state.status == BulkActionStatus.COMPLETED_SUCCESS, (state, runs)
    return runs


def day_event(bench, day: str, language: str) -> dg.AssetMaterialization:
    key = str(usage_key(day, language))
    record = bench.instance.get_latest_data_version_record(dg.AssetKey("usage_logs"), False, key)
    return record.event_log_entry.asset_materialization


@pytest.mark.slow
def test_many_days_are_one_run_a_language_and_keep_a_version_each(bench, monkeypatch):
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.directory))
    days = sorted(bench.instance.get_dynamic_partitions(DAYS))
    assert len(days) >= 30
    before = {day: day_event(bench, day, "hi").tags["dagster/data_version"] for day in days}
    asked = [str(usage_key(day, language)) for language in ("hi", "sw") for day in days]
    runs = backfill(bench, "usage_logs", asked)

    assert len(runs) == 2
    after = {day: day_event(bench, day, "hi") for day in days}
    assert {event.tags["dagster/data_version"] for event in after.values()} == set(before.values())
    assert {day: event.tags["dagster/data_version"] for day, event in after.items()} == before
    book = bench.ws.store.read_json(layout.usage_days("hi"))
    for day, event in after.items():
        assert event.metadata["dagster/row_count"].value == book[day]["rows"]
        assert date.fromisoformat(event.tags["dagster/partition/day"]) == date.fromisoformat(day)
    assert bench.core_states() == {"sw": "fresh", "hi": "fresh", "ar": "fresh"}
    assert bench.dagster_state("usage_window", "hi") == "fresh"


@pytest.mark.slow
def test_languages_are_backfilled_one_a_run(bench, monkeypatch):
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.directory))
    runs = backfill(bench, "training_corpus", ["sw", "hi", "ar"])
    assert sorted(run.tags["dagster/partition"] for run in runs) == ["ar", "hi", "sw"]
    assert bench.core_states() == {"sw": "fresh", "hi": "fresh", "ar": "fresh"}


def test_a_single_day_can_be_materialized_alone(bench):
    defs, key = bench.defs, usage_key("2026-01-30", "sw")
    days = next(asset for asset in defs.assets if asset.key == dg.AssetKey("usage_logs"))
    done = dg.materialize(
        [days], instance=bench.instance, partition_key=key, resources=defs.resources
    )
    assert done.success
    events = done.get_asset_materialization_events()
    assert [e.partition for e in events if e.asset_key == dg.AssetKey("usage_logs")] == [str(key)]
