"""What the daemon would start by itself: the cheap chain, one run a language, nothing else."""

from datetime import date

import dagster as dg

from compass_assets.rolls import window_event
from compass_core import layout
from compass_core.graph import NODES
from compass_core.world.generate import write_log_day


def evaluate(bench, cursor=None):
    return dg.evaluate_automation_conditions(
        defs=bench.defs, instance=bench.instance, cursor=cursor
    )


def requested(result):
    return {
        (key.to_user_string(), partition)
        for key in [dg.AssetKey(name) for name in NODES]
        for partition in result.get_requested_partitions(key)
    }


def move_window(bench, language):
    book = bench.ws.store.read_json(layout.usage_days(language))
    book["2026-01-30"]["version"] += "-changed"
    bench.ws.store.write_json(layout.usage_days(language), book)
    event = window_event(bench.ws, bench.instance, language, "")
    bench.instance.report_runless_asset_event(event)


def test_new_logs_of_a_language_request_its_chain_and_no_training(bench):
    cursor = evaluate(bench).cursor
    assert not requested(evaluate(bench, cursor))
    move_window(bench, "sw")
    chain = ("usage_embeddings", "semantic_clusters", "cluster_assignments", "gap_report")
    asked = requested(evaluate(bench, cursor))
    assert {(name, "sw") for name in chain} <= asked
    assert {partition for _, partition in asked} == {"sw"}
    assert not {name for name, _ in asked} & {
        "sampled_training_set",
        "adapter",
        "benchmark_scores",
        "promoted_adapter",
        "strategy_comparison",
    }


def test_an_event_without_a_change_requests_nothing(bench):
    cursor = evaluate(bench).cursor
    bench.instance.report_runless_asset_event(window_event(bench.ws, bench.instance, "sw", ""))
    assert not requested(evaluate(bench, cursor))


def test_a_new_pool_text_requests_its_vectors(bench):
    cursor = evaluate(bench).cursor
    bench.instance.report_runless_asset_event(
        dg.AssetMaterialization(
            "auxiliary_corpus",
            partition="en",
            tags={"dagster/data_version": "other", "dagster/code_version": "x"},
        )
    )
    assert ("auxiliary_embeddings", "en") in requested(evaluate(bench, cursor))


def test_what_a_person_materialized_is_not_run_again(bench):
    cursor = evaluate(bench).cursor
    write_log_day(bench.directory / "data", "sw", date(2026, 1, 31), seed=5, prompts=9)
    assert bench.ingest_logs("sw").success
    waiting = requested(evaluate(bench, cursor))
    chain = {"usage_embeddings", "semantic_clusters", "cluster_assignments", "gap_report"}
    assert {(name, "sw") for name in chain} <= waiting
    assert bench.run("refresh_gaps", "sw").success
    assert not {name for name, _ in requested(evaluate(bench, cursor))} & chain
