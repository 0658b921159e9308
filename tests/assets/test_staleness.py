"""Staleness, exactly: what the UI, the check and the command line say, and that they agree."""

import json
from datetime import date, timedelta

import dagster as dg
import pytest

from compass_assets.cli.status_cmd import status_rows
from compass_assets.partitions import DAYS, usage_key
from compass_assets.rolls import window_event
from compass_core import layout

FRESH = {"sw": "fresh", "hi": "fresh", "ar": "fresh"}


def drop_log(bench, language, day, texts):
    folder = bench.directory / "data" / "logs" / language
    lines = [
        json.dumps(
            {"id": f"{day}-{i}", "timestamp": f"{day}T10:00:0{i % 10}Z", "text": t, "user": "u1"},
            ensure_ascii=False,
        )
        for i, t in enumerate(texts)
    ]
    (folder / f"late-{day}.jsonl").write_text("\n".join(lines) + "\n")


def everywhere(bench, asset="adapter"):
    """The answer of the partition page, which must be that of check, CLI and analysts' file."""
    ui = {language: bench.dagster_state(asset, language) for language in FRESH}
    sql = f"SELECT language, state FROM staleness WHERE asset = '{asset}'"
    assert dict(bench.query(sql).rows()) == ui
    assert bench.core_states() == ui
    assert bench.check_table() == ui
    assert {row["language"]: row["adapter"] for row in status_rows(bench.ws)} == ui
    return ui


def test_after_the_first_materialization_everything_is_fresh(bench):
    assert everywhere(bench) == FRESH
    for asset in ("sampled_training_set", "gap_report", "benchmark_scores", "promoted_adapter"):
        assert {la: bench.dagster_state(asset, la) for la in FRESH} == FRESH, asset


def test_a_new_log_file_marks_its_language_and_no_other(bench):
    drop_log(bench, "sw", "2026-01-31", ["bei ya mahindi ni ngapi leo", "mvua itanyesha kesho"])
    assert bench.ingest_logs("sw").success
    expected = {"sw": "stale", "hi": "fresh", "ar": "fresh"}
    assert everywhere(bench) == expected
    assert {la: bench.dagster_state("benchmark_scores", la) for la in FRESH} == expected
    row = next(row for row in status_rows(bench.ws) if row["language"] == "sw")
    assert "usage_window" in {cause["asset"] for cause in row["causes"]}


def test_a_late_file_for_a_day_in_the_window_marks_and_one_far_before_it_does_not(bench):
    drop_log(bench, "hi", "2026-01-02", ["आज मौसम कैसा है"])
    assert bench.ingest_logs("hi").success
    assert everywhere(bench) == FRESH
    drop_log(bench, "hi", "2026-01-29", ["आज मौसम कैसा है"])
    assert bench.ingest_logs("hi").success
    assert everywhere(bench)["hi"] == "stale"


def test_changed_auxiliary_data_marks_those_that_use_it_and_only_those(bench):
    pools = bench.ws.store.read_json(layout.catalogue("sw"))["pools"]
    unused_by_ar = next(pool for pool in pools if pool not in ("ar", "en"))
    folder = bench.directory / "data" / "corpora" / "auxiliary" / unused_by_ar
    row = {"id": "new", "prompt": "abc def", "response": "ghi", "source": "t", "license": "CC0-1.0"}
    (folder / "more.jsonl").write_text(json.dumps(row) + "\n")
    assert bench.run("ingest_auxiliary", unused_by_ar, ["auxiliary_corpus"]).success
    assert everywhere(bench) == {"sw": "stale", "hi": "stale", "ar": "fresh"}
    # Dagster would mark the catalogue of ar for a pool that it does not hold.
    assert bench.dagster_state("auxiliary_catalogue", "ar") == "fresh"
    assert bench.dagster_state("semantic_clusters", "ar") == "fresh"
    assert bench.dagster_state("semantic_clusters", "sw") == "stale"


def test_materializing_the_same_data_again_marks_nothing(bench):
    for asset in ("training_corpus", "benchmark_items", "usage_window", "auxiliary_catalogue"):
        assert bench.run("bootstrap_language", "sw", [asset]).success
    assert bench.run("ingest_auxiliary", "en").success
    assert bench.ingest_logs("sw").success
    chain = ["usage_embeddings", "semantic_clusters", "cluster_assignments", "gap_report"]
    assert bench.run("bootstrap_language", "sw", chain).success
    assert everywhere(bench) == FRESH


def test_a_changed_setting_marks_what_it_concerns(bench):
    bench.reload(**{"rank: 4": "rank: 8"})
    from compass_assets.sync import report_sync

    report_sync(bench.ws, bench.instance)  # what the sync_watch sensor does at its next tick
    assert everywhere(bench) == dict.fromkeys(FRESH, "stale")
    assert bench.dagster_state("sampled_training_set", "sw") == "fresh"


def test_an_adapter_trained_on_an_outdated_set_is_not_shown_fresh(bench):
    """Dagster alone would compare with the newest window, which the set was not made from."""
    drop_log(bench, "sw", "2026-01-31", ["habari ya soko", "bei ya samaki ni ngapi"])
    assert bench.ingest_logs("sw").success
    assert bench.run("bootstrap_language", "sw", ["adapter", "benchmark_scores"]).success
    assert everywhere(bench)["sw"] == "stale"
    assert bench.dagster_state("benchmark_scores", "sw") == "stale"
    chain = ["usage_embeddings", "semantic_clusters", "cluster_assignments"]
    assert bench.run("bootstrap_language", "sw", chain).success
    assert bench.run("retrain", "sw").success
    assert everywhere(bench) == FRESH


def test_an_override_in_the_launchpad_marks_what_lies_below(bench):
    resources = {"project": {"config": {"override": {"sampling": {"budget": 120}}}}}
    done = bench.run("bootstrap_language", "sw", ["sampled_training_set"], resources=resources)
    assert done.success
    assert everywhere(bench)["sw"] == "stale"
    made = bench.ws.manifests.require("sampled_training_set", "sw")
    assert made.overrides == {"sampling": {"budget": 120}}
    assert made.facts["sampled_tokens"] <= 120


@pytest.mark.slow
def test_two_years_of_days_for_many_languages_still_mark_exactly(bench):
    """Dagster alone stops comparing at 100 mapped partitions; 2,190 days are stored here.

    The event log gets an event for each; what hangs from the window must not notice.
    """
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(730)]
    for language in FRESH:
        book = bench.ws.store.read_json(layout.usage_days(language))
        for day in days:
            book[day.isoformat()] = {"version": "v", "rows": 3, "quarantined": 0}
        bench.ws.store.write_json(layout.usage_days(language), book)
        bench.instance.add_dynamic_partitions(DAYS, [day.isoformat() for day in days])
        for day in days:
            bench.instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    "usage_logs",
                    partition=usage_key(day.isoformat(), language),
                    tags={"dagster/data_version": "v", "dagster/code_version": "1"},
                )
            )
        event = window_event(bench.ws, bench.instance, language, "")
        bench.instance.report_runless_asset_event(event)
    assert bench.dagster_state("usage_window", "sw") == "fresh"
    assert everywhere(bench) == FRESH  # the added days lie before every window
    drop_log(bench, "sw", "2026-02-01", ["bei ya mahindi", "mvua kesho"])
    assert bench.ingest_logs("sw").success
    assert everywhere(bench) == {"sw": "stale", "hi": "fresh", "ar": "fresh"}


def test_a_parent_that_had_no_event_is_seen_when_it_gets_one(bench):
    """Dagster alone: a child made before its parent's first event stays fresh for ever."""
    from compass_assets.step import pointer_tags
    from compass_core.manifests import Consumed

    tags = pointer_tags("gap_report", {"cluster_assignments": Consumed("x", None)})
    assert tags == {"dagster/input_event_pointer/cluster_assignments": "1"}
    bench.instance.report_runless_asset_event(
        dg.AssetMaterialization(
            "gap_report",
            partition="sw",
            tags={
                "dagster/data_version": "g",
                "dagster/code_version": bench.ws.code_versions["gap_report"],
                "dagster/input_data_version/cluster_assignments": "x",
                **tags,
            },
        )
    )
    assert bench.dagster_state("gap_report", "sw") == "stale"


def test_a_step_without_its_parents_fails_and_says_what_to_run(empty_bench):
    done = empty_bench.run("bootstrap_language", "sw", ["gap_report"])
    assert not done.success
    failure = done.get_step_failure_events()[0].step_failure_data.error
    assert "compass materialize --language sw" in str(failure)
