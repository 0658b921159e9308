"""Strategies side by side: what is measured, and what the asset's page shows of it."""

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
