"""Every yardstick beside a version, each with an interval."""

import polars as pl
import pytest

from compass_core import records
from compass_core.benchmarks.baselines import ALL, baselines
from compass_core.benchmarks.stats import accuracy


def scores(suite, model, version, right):
    rows = [
        dict.fromkeys(records.SCORES)
        | {"suite": suite, "item_id": f"{suite}{i}", "model": model, "adapter_version": version}
        | {"correct": correct}
        for i, correct in enumerate(right)
    ]
    return pl.DataFrame(rows, schema=records.SCORES)


def compared(*runs):
    rows = [
        dict.fromkeys(records.COMPARISONS)
        | {"strategy": strategy, "seed": seed, "items": 4, "accuracy": share}
        for strategy, seed, share in runs
    ]
    return pl.DataFrame(rows, schema=records.COMPARISONS)


NO_RUNS = records.empty(records.COMPARISONS)
FRAME = pl.concat(
    [
        scores("qa", "base", None, [False, False, False, True]),
        scores("qa", "adapter", "v0001", [False, False, True, True]),
        scores("qa", "base", None, [False, False, False, True]),  # scored again beside v0002
        scores("qa", "adapter", "v0002", [True, True, True, True]),
    ]
)


def test_the_base_model_counts_once_and_versions_keep_their_order():
    table = baselines(FRAME, NO_RUNS, ["v0001", "v0002"])
    assert table.select("suite", "model", "items", "accuracy").rows() == [
        ("qa", "base", 4, 0.25),
        ("qa", "v0001", 4, 0.5),
        ("qa", "v0002", 4, 1.0),
    ]
    half = accuracy(pl.Series([False, False, True, True]).to_numpy())
    assert table.row(1)[5:7] == (half.low, half.high)


def test_several_suites_are_shown_apart_and_together():
    both = pl.concat([FRAME, scores("other", "adapter", "v0002", [False, False])])
    table = baselines(both, compared(("random", 1, 0.5)), ["v0002"])
    assert table.filter(kind="strategy")["suite"].to_list() == [ALL]
    assert table.filter(model="v0002").select("suite", "items", "accuracy").rows() == [
        ("other", 2, 0.0),
        ("qa", 4, 1.0),
        (ALL, 6, pytest.approx(4 / 6)),
    ]


def test_strategies_have_intervals_over_items_or_over_seeds():
    table = baselines(FRAME, compared(("random", 1, 0.5), ("none", 1, 0.25), ("none", 2, 0.75)), [])
    found = {row["model"]: row for row in table.filter(kind="strategy").to_dicts()}
    half = accuracy(pl.Series([False, False, True, True]).to_numpy())
    assert (found["random, 1 seed"]["low"], found["random, 1 seed"]["high"]) == (
        half.low,
        half.high,
    )
    assert found["none, 2 seeds"]["accuracy"] == 0.5
    assert (found["none, 2 seeds"]["low"], found["none, 2 seeds"]["high"]) == (0.25, 0.75)
    assert set(table["suite"]) == {"qa"}  # there is no other to be together with
