"""Checks that a person trusts: each can fail, says what to do, and some stop the run."""

from dataclasses import replace

import dagster as dg
import polars as pl
import pytest

from compass_assets.check_results import ASKED, BLOCKING
from compass_core import layout
from compass_core.adapters.registry import versions
from compass_core.errors import StoreError
from compass_core.exports.training_set import export_llamafactory
from compass_core.stages.plan import plan_language

CHAIN = ["training_corpus", "benchmark_items", "semantic_clusters", "cluster_assignments"]
REST = ["gap_report", "sampled_training_set", "adapter", "benchmark_scores", "promoted_adapter"]
UNMEASURED = ("not measured", "nothing to forget", "never rolled back", "no earlier version")


def evaluations(done) -> dict[str, object]:
    return {e.check_name: e for e in done.get_asset_check_evaluations()}


def made(done) -> set[str]:
    return {e.asset_key.path[-1] for e in done.get_asset_materialization_events()}


def test_every_check_of_a_whole_run_passes_with_figure_threshold_and_advice(bench):
    done = bench.run("bootstrap_language", "sw", [*CHAIN, *REST, "drift_report"])
    assert done.success
    found = evaluations(done)
    names = {name for checks in ASKED.values() for name in checks}
    assert names <= set(found)
    assert {name for name in names if not found[name].passed} == {"enough_usage"}  # 41 prompts
    for name in names:
        metadata, text = found[name].metadata, found[name].description
        assert {"unit", "what_to_do"} <= set(metadata), name
        if not any(words in text for words in UNMEASURED):
            assert {"figure", "threshold"} <= set(metadata), name


def test_what_blocks_is_what_would_do_harm(empty_bench):
    graph = empty_bench.defs.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get(key).blocking}
    assert blocking == BLOCKING
    harmful = {"rows_accounted_for", "no_benchmark_items", "adapter_differs_from_base"}
    assert blocking == harmful


def test_a_lost_row_stops_the_run(bench, monkeypatch):
    from compass_assets.assets import corpora

    real = corpora.ingest_corpus

    def losing(*arguments):
        made = real(*arguments)
        fewer = replace(made.result, accepted=made.result.accepted.head(-1))
        return replace(made, result=fewer)

    monkeypatch.setattr(corpora, "ingest_corpus", losing)
    done = bench.run("bootstrap_language", "sw", ["training_corpus", "training_embeddings"])
    assert not done.success
    found = evaluations(done)["rows_accounted_for"]
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert found.metadata["figure"].value == 1.0
    assert "compass quarantine list" in found.description
    assert "training_embeddings" not in made(done)

    # The next run knows it too, whoever starts it.
    after = bench.run("bootstrap_language", "sw", ["training_embeddings"])
    assert not after.success
    failure = after.get_step_failure_events()[0].step_failure_data
    assert "rows_accounted_for" in f"{failure.error} {failure.user_failure_data}"
    status = bench.ws.staleness().status("training_corpus", "sw")
    assert (status.state, status.causes[-1].kind) == ("stale", "check")
    assert status.causes[-1].text() == "training_corpus did not pass rows_accounted_for"
    assert plan_language(bench.ws, "sw")[0] == "training_corpus"

    monkeypatch.undo()
    assert bench.run("bootstrap_language", "sw", ["training_corpus", "training_embeddings"]).success
    assert bench.ws.staleness().status("training_corpus", "sw").state == "fresh"


def test_a_lost_log_row_stops_the_ingest_before_anything_is_published(bench, monkeypatch):
    from compass_core.corpora.log_ledger import Ledger

    before = bench.ws.manifests.require("usage_window", "sw")
    real = Ledger.totals
    monkeypatch.setattr(Ledger, "totals", lambda self: {**real(self), "rows_read": 10**6})
    done = bench.ingest_logs("sw")
    assert not done.success
    failure = done.get_step_failure_events()[0].step_failure_data
    assert "1000000 rows read" in f"{failure.error} {failure.user_failure_data}"
    assert bench.ws.manifests.require("usage_window", "sw") == before
    key = dg.AssetCheckKey(dg.AssetKey("usage_logs"), "rows_accounted_for")
    (record,) = bench.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert not record.event.dagster_event.event_specific_data.passed


def test_a_benchmark_item_in_the_training_set_is_not_trained_on(bench, monkeypatch):
    from compass_core.stages import sampling

    real = sampling.select_language

    def leaky(ws, language, report):
        rows, selection = real(ws, language, report)
        item = ws.store.read_parquet(layout.benchmark(language)).row(0, named=True)
        first = pl.int_range(pl.len()) == 0
        put = {"prompt": item["question"], "response": item["choices"][item["answer"]]}
        columns = [
            pl.when(first).then(pl.lit(text)).otherwise(name).alias(name)
            for name, text in put.items()
        ]
        return rows.with_columns(columns), selection

    monkeypatch.setattr(sampling, "select_language", leaky)
    bench.pipes.tasks.clear()
    done = bench.run("bootstrap_language", "sw", REST)
    assert not done.success
    found = evaluations(done)["no_benchmark_items"]
    assert not found.passed
    assert found.metadata["figure"].value == 1.0
    assert "train" not in bench.pipes.tasks

    assert not bench.run("bootstrap_language", "sw", ["adapter"]).success
    assert "train" not in bench.pipes.tasks
    with pytest.raises(StoreError, match="no_benchmark_items"):
        export_llamafactory(bench.ws, "sw", bench.directory / "out")


def test_an_adapter_that_does_nothing_is_neither_scored_nor_trained_again(bench, monkeypatch):
    from compass_core.adapters import train

    monkeypatch.setattr(train, "_largest_update", lambda model: 0.0)
    bench.reload(**{"{epochs: 1": "{learning_rate: 0.01, epochs: 1"})
    bench.pipes.tasks.clear()
    done = bench.run("bootstrap_language", "sw", REST)
    assert not done.success
    assert bench.pipes.tasks == ["train"]
    assert not evaluations(done)["adapter_differs_from_base"].passed
    assert versions(bench.ws.store, "sw")["status"].to_list() == ["serving", "candidate"]
    assert not bench.run("bootstrap_language", "sw", ["benchmark_scores"]).success


def test_a_budget_that_the_pool_cannot_fill_says_why(bench):
    resources = {"project": {"config": {"override": {"sampling": {"budget": 10**7}}}}}
    done = bench.run("bootstrap_language", "sw", ["sampled_training_set"], resources=resources)
    assert done.success  # a warning
    found = evaluations(done)["budget_spent"]
    assert not found.passed
    assert "were not taken for the reason" in found.description


@pytest.mark.parametrize("enough", [True, False])
def test_too_little_usage_is_told(bench, enough):
    needed = 10 if enough else 10_000
    resources = {"project": {"config": {"override": {"usage": {"min_rows": needed}}}}}
    done = bench.run("bootstrap_language", "sw", ["gap_report"], resources=resources)
    found = evaluations(done)["enough_usage"]
    assert found.passed is enough
    assert found.metadata["threshold"].value == needed
