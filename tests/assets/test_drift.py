"""From log file to verdict to a run request, for the language that drifted and no other."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from compass_assets.drift_sensor import REPORT_TAG, look_for_drift
from compass_assets.jobs import UPDATE_JOB
from compass_assets.sensors import MAX_TRIES, look_for_logs
from compass_core import layout
from compass_core.adapters import registry
from compass_core.stages.drift import measure_drift, read_history
from compass_core.warehouse import catalogue_path, ensure_catalogue, query
from compass_core.world.generate import write_log_day
from tests.assets.test_automation import evaluate, requested
from tests.assets.test_sensors import reason, requests, take

NEW_TOPICS = {"weaving": 3, "cinema": 3, "music": 2, "building": 2}
TRAINING = {"sampled_training_set", "adapter", "benchmark_scores", "promoted_adapter"}


@pytest.fixture
def watched(bench):
    """The tiny project with a drift section that its few prompts can satisfy."""
    bench.reload(**{"execution: {threads: 1}": "execution: {threads: 1}\ndrift: {min_rows: 40}"})
    return bench


def add_logs(bench, language, days, usage=None, prompts=50.0):
    for number in range(days):
        day = date(2026, 1, 31) + timedelta(days=number)
        write_log_day(bench.directory / "data", language, day, seed=5, prompts=prompts, usage=usage)


def follow(bench, cursor):
    """Take the waiting logs, let automation speak, run what it asks for; returns what it was."""
    assert all(done.success for done in take(bench, look_for_logs(bench.instance, bench.ws)))
    asked = requested(evaluate(bench, cursor))
    for language in sorted({partition for _, partition in asked}):
        chain = [name for name, partition in asked if partition == language]
        assert bench.run("__ASSET_JOB", language, chain).success
    return asked


def report(bench, language="sw", **changed):
    """Put a drift report into the store as if its step had run."""
    from dataclasses import replace

    found = bench.ws.manifests.require("drift_report", language)
    facts = {"verdict": "drift", "excess_bits": 0.1, "reason": "made up"}
    serving = registry.serving(bench.ws.store, language)
    facts |= {"adapter_version": serving, "window_last_day": "2026-02-02", **changed}
    bench.ws.manifests.put(replace(found, facts=facts, data_version=f"made-{changed}"))


def start(bench, request, status):
    return bench.instance.create_run_for_job(
        bench.defs.resolve_job_def(request.job_name),
        tags={**request.tags, "dagster/partition": request.partition_key},
        status=status,
    )


def test_shifted_logs_lead_from_file_to_verdict_to_one_request(watched):
    cursor = evaluate(watched).cursor
    quiet = look_for_drift(watched.instance, watched.ws)
    assert not requests(quiet)
    assert "sw: insufficient_data" in reason(quiet)
    add_logs(watched, "sw", 3, NEW_TOPICS)
    asked = follow(watched, cursor)
    assert ("drift_report", "sw") in asked
    assert {partition for _, partition in asked} == {"sw"}
    assert not {name for name, _ in asked} & TRAINING
    facts = watched.ws.manifests.require("drift_report", "sw").facts
    assert facts["verdict"] == "drift", facts
    assert facts["window_last_day"] == "2026-02-02"

    answer = look_for_drift(watched.instance, watched.ws)
    assert requests(answer), reason(answer)
    (request,) = requests(answer)
    assert (request.job_name, request.partition_key) == (UPDATE_JOB, "sw")
    # The report compares new logs with an old adapter; that alone does not make it stale.
    for asset in ("drift_report", "performance_signal"):
        assert watched.ws.staleness().status(asset, "sw").state == "fresh"
        assert watched.dagster_state(asset, "sw") == "fresh"
    replayed = look_for_drift(watched.instance, watched.ws)
    assert [r.run_key for r in requests(replayed)] == [request.run_key]

    history = read_history(watched.ws, "sw").filter(pl.col("jsd_bits").is_not_null())
    assert history["window_last_day"].to_list() == [
        date(2026, 1, 31 + n) if n == 0 else date(2026, 2, n) for n in range(3)
    ]
    path = ensure_catalogue(
        watched.ws.store, catalogue_path(watched.ws.store, watched.ws.directory)
    )
    moved = query(
        path,
        "SELECT c.* FROM drift_clusters c JOIN drift d USING (report_version) "
        "WHERE d.verdict = 'drift' AND d.window_last_day = '2026-02-02'",
    )
    assert moved.height
    assert moved["examples"].list.len().min() > 0
    event = watched.instance.get_latest_materialization_event(dg.AssetKey("drift_report"))
    metadata = event.asset_materialization.metadata
    assert "data:image/png" in metadata["history"].value
    assert "examples" in metadata["moved_clusters"].value


def test_logs_like_the_anchor_are_no_drift_and_request_nothing(watched):
    cursor = evaluate(watched).cursor
    add_logs(watched, "sw", 2)
    follow(watched, cursor)
    facts = watched.ws.manifests.require("drift_report", "sw").facts
    assert facts["verdict"] == "no_drift", facts
    assert "sw: no_drift on the days to 2026-02-01" in reason(
        look_for_drift(watched.instance, watched.ws)
    )


def test_days_that_the_adapter_was_trained_for_are_no_evidence(watched):
    found, moved, version = measure_drift(watched.ws, "sw")
    assert found["verdict"] == "insufficient_data"
    assert "was not trained for since 2026-01-30" in found["reason"]
    assert not moved.height
    assert measure_drift(watched.ws, "sw")[2] == version  # the same content, the same version


def test_the_report_says_so_when_the_embedder_is_another(watched, monkeypatch):
    monkeypatch.setattr("compass_core.stages.drift_rows.embedder_fingerprint", lambda *_: "other")
    found, _, _ = measure_drift(watched.ws, "sw")
    assert found["verdict"] == "insufficient_data"
    assert "another embedder" in found["reason"]


def test_a_history_written_by_an_earlier_version_is_kept(watched):
    store, key = watched.ws.store, layout.drift("sw")
    old = pl.DataFrame(
        {
            "language": ["sw"],
            "adapter_version": ["v0001"],
            "window_last_day": [date(2026, 1, 29)],
            "measured_at": [datetime(2026, 1, 29, tzinfo=UTC)],
            "verdict": ["no_drift"],
        }
    )
    store.write_parquet(key, old)
    measure_drift(watched.ws, "sw")
    assert read_history(watched.ws, "sw")["window_last_day"].to_list() == [None, date(2026, 1, 29)]


def test_one_update_at_a_time_and_the_strongest_drift_first(watched):
    report(watched, "sw", excess_bits=0.05)
    report(watched, "hi", excess_bits=0.2)
    answer = look_for_drift(watched.instance, watched.ws)
    (request,) = requests(answer)
    assert request.partition_key == "hi"
    start(watched, request, dg.DagsterRunStatus.STARTED)
    waiting = look_for_drift(watched.instance, watched.ws)
    assert not requests(waiting)
    assert "hi: drift on the days to 2026-02-02, but its run update_adapter" in reason(waiting)
    assert "update_adapter of hi is on its way, and training is one at a time" in reason(waiting)


def test_a_run_of_the_language_or_a_training_by_hand_comes_first(watched):
    report(watched, "sw")
    run = watched.instance.create_run_for_job(
        watched.defs.resolve_job_def("refresh_gaps"),
        tags={"dagster/partition": "sw"},
        status=dg.DagsterRunStatus.NOT_STARTED,
    )
    assert "its run refresh_gaps" in reason(look_for_drift(watched.instance, watched.ws))
    watched.instance.report_run_canceled(run)
    assert requests(look_for_drift(watched.instance, watched.ws))
    watched.instance.create_run_for_job(
        watched.defs.resolve_job_def("retrain"),
        tags={"dagster/partition": "ar"},
        status=dg.DagsterRunStatus.NOT_STARTED,
    )
    assert "retrain of ar is on its way" in reason(look_for_drift(watched.instance, watched.ws))


def test_a_backfill_that_trains_comes_first(watched):
    report(watched, "sw")
    graph = watched.defs.resolve_asset_graph()
    for name, held in (("gap_report", False), ("adapter", True)):
        keys = [dg.AssetKey(name)]
        from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

        watched.instance.add_backfill(
            PartitionBackfill.from_asset_partitions(
                backfill_id=f"by-hand-{name}",
                asset_graph=graph,
                partition_names=["sw", "hi"],
                asset_selection=keys,
                backfill_timestamp=0.0,
                tags={},
                dynamic_partitions_store=watched.instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        )
        answer = look_for_drift(watched.instance, watched.ws)
        assert bool(requests(answer)) is not held
    assert "backfill by-hand-adapter is under way" in reason(answer)
    done = watched.instance.get_backfill("by-hand-adapter")
    watched.instance.update_backfill(done.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    assert requests(look_for_drift(watched.instance, watched.ws))


def test_the_same_report_is_answered_once_and_failures_are_tried_again(watched):
    report(watched, "sw")
    keys = set()
    for _ in range(MAX_TRIES):
        (request,) = requests(look_for_drift(watched.instance, watched.ws))
        keys.add(request.run_key)
        run = start(watched, request, dg.DagsterRunStatus.STARTED)
        watched.instance.report_run_failed(run)
    assert len(keys) == MAX_TRIES
    answer = look_for_drift(watched.instance, watched.ws)
    assert f"{MAX_TRIES} runs failed: no new try before" in reason(answer)
    later = datetime.now(UTC) + timedelta(days=8)
    (request,) = requests(look_for_drift(watched.instance, watched.ws, later))
    assert request.run_key not in keys
    run = start(watched, request, dg.DagsterRunStatus.SUCCESS)
    answer = look_for_drift(watched.instance, watched.ws, later + timedelta(days=30))
    assert f"run {run.run_id[:8]} answered this report already" in reason(answer)


def test_an_update_that_was_not_promoted_cools_down_even_for_newer_reports(watched, tmp_path):
    report(watched, "sw")
    record = {"weights_version": "w", "training_set_version": "t", "rows": 1}
    folder = tmp_path / "candidate"
    folder.mkdir()
    registry.publish(watched.ws.store, "sw", folder, record)
    answer = look_for_drift(watched.instance, watched.ws)
    assert "v0002 was not promoted: no new try before" in reason(answer)
    report(watched, "sw", window_last_day="2026-02-03")
    assert not requests(look_for_drift(watched.instance, watched.ws))
    later = datetime.now(UTC) + timedelta(days=7, minutes=1)
    assert requests(look_for_drift(watched.instance, watched.ws, later))


def test_a_rollback_is_respected_for_the_same_time(watched, tmp_path):
    store = watched.ws.store
    folder = tmp_path / "second"
    folder.mkdir()
    registry.publish(store, "sw", folder, {"weights_version": "w", "training_set_version": "t"})
    registry.promote(store, "sw", "v0002", "test")
    registry.rollback(store, "sw")
    report(watched, "sw")
    answer = look_for_drift(watched.instance, watched.ws)
    assert "v0001 was rolled back to: no new try before" in reason(answer)
    later = datetime.now(UTC) + timedelta(days=7, minutes=1)
    assert requests(look_for_drift(watched.instance, watched.ws, later))


def test_a_report_about_another_version_or_older_logs_is_not_acted_on(watched):
    report(watched, "sw", adapter_version="v0000")
    assert "about v0000, but v0001 serves" in reason(look_for_drift(watched.instance, watched.ws))
    report(watched, "sw")
    write_log_day(watched.directory / "data", "sw", date(2026, 1, 31), seed=5, prompts=5)
    assert watched.ingest_logs("sw").success
    answer = look_for_drift(watched.instance, watched.ws)
    assert "newer logs wait for their report" in reason(answer)


def test_the_switch_is_respected_and_staleness_alone_trains_nothing(watched):
    report(watched, "sw")
    watched.reload(**{"min_rows: 40": "min_rows: 40, auto_update: false"})
    answer = look_for_drift(watched.instance, watched.ws)
    assert "sw: drift on the days to 2026-02-02, but drift.auto_update is false" in reason(answer)
    watched.reload(**{"auto_update: false": "auto_update: true", "rank: 4": "rank: 8"})
    report(watched, "sw", verdict="no_drift")
    assert watched.core_states()["sw"] == "stale"
    assert not requests(look_for_drift(watched.instance, watched.ws))


def test_the_request_carries_what_makes_it_unique(watched):
    report(watched, "sw")
    (request,) = requests(look_for_drift(watched.instance, watched.ws))
    version = watched.ws.manifests.require("drift_report", "sw").data_version
    assert request.run_key == f"sw:{version}:v0001:0"
    assert request.tags[REPORT_TAG] == f"sw:{version}:v0001"


def test_the_performance_signal_follows_the_report_and_is_kept_beside_it(watched):
    cursor = evaluate(watched).cursor
    add_logs(watched, "sw", 2, {"cinema": 1})  # one cluster grows, whatever the clusters are
    asked = follow(watched, cursor)
    assert ("performance_signal", "sw") in asked
    assert watched.pipes.tasks[-1] == "performance"
    kept = watched.ws.store.read_parquet(layout.performance("sw"))
    report = watched.ws.manifests.require("drift_report", "sw")
    assert kept["report_version"].unique().to_list() == [report.data_version]
    overall = kept.filter(pl.col("cluster_id").is_null()).row(0, named=True)
    assert overall["harm_low"] <= overall["harm"] <= overall["harm_high"]
    assert overall["harm"] == pytest.approx(
        overall["window_loss"]
        - overall["anchor_loss"]
        - overall["window_base_loss"]
        + overall["anchor_base_loss"],
        abs=1e-6,
    )
    moved = set(kept["cluster_id"].drop_nulls())
    assert moved <= set(report.facts["moved_clusters"])
    assert moved
    watched.reload(**{"min_rows: 40": "min_rows: 40, loss_rows: 0"})
    assert watched.run("__ASSET_JOB", "sw", ["performance_signal"]).success
    facts = watched.ws.manifests.require("performance_signal", "sw").facts
    assert facts["summary"] == "not measured: drift.loss_rows is 0"
