from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from compass_core.adapters.chat import Example
from compass_core.adapters.replay import anchored_buffer, plan_replay


def history(counts):
    rows = [
        {"row_id": f"{c}-{i}", "prompt": "p", "response": "r", "cluster_id": c}
        for c, n in counts.items()
        for i in range(n)
    ]
    schema = {
        "row_id": pl.String,
        "prompt": pl.String,
        "response": pl.String,
        "cluster_id": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def by_cluster(buffer):
    return dict(buffer.rows.group_by("cluster_id").len().iter_rows())


def test_the_buffer_is_spread_as_usage_was_and_not_as_the_history_is():
    buffer = anchored_buffer(history({0: 900, 1: 50, 2: 50}), {0: 10, 1: 45, 2: 45}, 0.05, 1)
    assert buffer.rows.height == 50
    found = by_cluster(buffer)
    assert found[0] == 5
    assert abs(found[1] - 22.5) <= 0.5


def test_every_cluster_that_is_asked_about_has_a_row_and_no_other():
    counts = dict.fromkeys(range(20), 30)
    buffer = anchored_buffer(
        history(counts), {**dict.fromkeys(range(15), 1), 15: 1000, 16: 0}, 0.01, 1
    )
    assert set(by_cluster(buffer)) == set(range(16))


def test_usage_without_any_row_is_said():
    buffer = anchored_buffer(history({0: 10}), {0: 30, 7: 10}, 0.5, 1)
    assert buffer.unserved == 0.25
    assert set(by_cluster(buffer)) == {0}


def test_a_larger_share_only_adds_and_order_does_not_count():
    rows = history({0: 60, 1: 60})
    small = anchored_buffer(rows, {0: 1, 1: 2}, 0.1, 3)
    large = anchored_buffer(rows.reverse(), {0: 1, 1: 2}, 0.3, 3)
    assert set(small.rows["row_id"]) < set(large.rows["row_id"])
    again = anchored_buffer(rows.sample(fraction=1, shuffle=True, seed=1), {0: 1, 1: 2}, 0.1, 3)
    assert again.rows.equals(small.rows)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8),
    st.lists(st.integers(0, 20), min_size=8, max_size=8),
    st.floats(0, 1),
)
def test_it_never_takes_more_than_there_is(counts, usage, share):
    rows = history(dict(enumerate(counts)))
    buffer = anchored_buffer(rows, dict(enumerate(usage)), share, 0)
    for cluster, n in by_cluster(buffer).items():
        assert n <= counts[cluster]
        assert usage[cluster] > 0
    assert buffer.rows["row_id"].n_unique() == buffer.rows.height


def test_each_round_of_replay_has_every_row_once():
    buffer = [Example(f"r{i}", [1, 2], 1, False) for i in range(6)]
    steps = plan_replay(buffer, 6, 3, 0)
    flat = [i for step in steps for i in step]
    assert all(len(step) == 3 for step in steps)
    assert all(set(flat[k * 6 : (k + 1) * 6]) == set(range(6)) for k in range(3))
    assert flat[:6] != flat[6:12]
    assert plan_replay([], 2, 3, 0) == [[], []]
    assert Counter(map(len, plan_replay(buffer[:2], 4, 3, 0))) == {2: 4}
