"""Strategies side by side: what is measured, and what the asset's page shows of it."""

import dagster as dg
import polars as pl
import pytest

from compass_core import layout
from compass_core.stages.comparison import choose, training_digest


def test_two_seeds_give_means_intervals_d_and_a_picture(bench):
    config = {"ops": {"strategy_comparison": {"config": {"strategies": ["none"], "seeds": [1, 2]}}}}
    done = bench.run("compare_strategies", "sw", **config)
    assert done.success
    frame = bench.ws.store.read_parquet(layout.comparison("sw"))
    assert sorted(frame.select("strategy", "seed").rows()) == [
        ("none", 1), ("none", 2), ("random", 1), ("random", 2),
    ]  # fmt: skip
    none = frame.filter(pl.col("strategy") == "none")
    drawn = frame.filter(pl.col("strategy") == "random")
    assert none["sampled_rows"].to_list() == [0, 0]
    assert (none["jsd_bits_after"] == none["jsd_bits_before"]).all()
    assert (drawn["jsd_bits_after"] < drawn["jsd_bits_before"]).all()
    facts = bench.ws.manifests.require("strategy_comparison", "sw").facts
    effects = {row["strategy"]: row for row in facts["effects"]}
    assert effects["none"]["mean"] == pytest.approx(none["accuracy"].mean())
    expected = (none["accuracy"].to_numpy() - drawn["accuracy"].to_numpy()).mean()
    assert effects["none"]["difference"] == pytest.approx(expected)
    metadata = done.get_asset_materialization_events()[0].materialization.metadata
    assert "Cohen's d" in metadata["strategies"].value
    assert "](data:image/png;base64,iVBOR" in metadata["picture"].value


def test_the_digest_follows_rows_seed_and_epochs(bench):
    ws = bench.ws
    chosen = choose(ws, "sw", "random", 1)
    digest = training_digest(ws, chosen)
    assert digest == training_digest(ws, choose(ws, "sw", "random", 1))
    assert digest != training_digest(ws, choose(ws, "sw", "random", 2))
    assert digest != training_digest(ws, choose(ws, "sw", "random", 1, budget=40))
    assert digest != training_digest(ws, chosen, epochs=0.5)
    # With a budget that takes the whole pool both are the same rows, so the same training.
    everything = choose(ws, "sw", "all_data", 1)
    assert training_digest(ws, everything) == training_digest(
        ws, choose(ws, "sw", "random", 1, budget=10**9)
    )


def shows_random(bench) -> bool:
    return "strategy random" in bench.ws.store.read_bytes(layout.report("sw")).decode()


def scores_show_random(bench) -> bool:
    key = dg.AssetKey("benchmark_scores")
    records = bench.instance.fetch_materializations(
        dg.AssetRecordsFilter(key, asset_partitions=["sw"]), limit=1
    ).records
    metadata = records[0].asset_materialization.metadata
    rows = metadata["against_the_baselines"].value
    return "random, 1 seed" in rows


def test_in_the_order_of_the_demo_scores_and_page_show_every_baseline(empty_bench):
    bench = empty_bench
    bench.runner().materialize(["sw"], compare=True)
    assert shows_random(bench)
    assert scores_show_random(bench)
    staleness = bench.ws.staleness()
    made = ("adapter", "strategy_comparison", "benchmark_scores", "language_report")
    assert {name: staleness.status(name, "sw").state for name in made} == dict.fromkeys(
        made, "fresh"
    )
    assert bench.runner().materialize(["sw"], compare=True).runs == 0


def test_a_comparison_that_comes_later_is_shown_and_marks_nothing(bench):
    assert not shows_random(bench)
    before = bench.ws.manifests.require("language_report", "sw").data_version
    outcome = bench.runner().materialize(["sw"], compare=True)
    assert outcome.assets == [
        "strategy_comparison[sw]", "benchmark_scores[sw]", "language_report[sw]",
    ]  # fmt: skip
    assert shows_random(bench)
    assert scores_show_random(bench)
    assert bench.ws.manifests.require("language_report", "sw").data_version != before
    for asset in ("adapter", "benchmark_scores", "promoted_adapter", "language_report"):
        assert bench.dagster_state(asset, "sw") == "fresh", asset
        assert bench.ws.staleness().status(asset, "sw").state == "fresh", asset
