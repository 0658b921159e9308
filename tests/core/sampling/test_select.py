import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core import records
from compass_core.config.schema import Sampling
from compass_core.sampling.scene import Target
from compass_core.sampling.select import select_rows
from compass_core.sampling.strategies import STRATEGIES

K = 4
P_USAGE = [0.4, 0.3, 0.2, 0.1]
HELD = [40, 0, 0, 10]


def gap_table(p_usage=P_USAGE, held=HELD, merged=None):
    p = np.array(p_usage)
    share = np.array(held) / max(1, sum(held))
    rows = [
        dict.fromkeys(records.GAPS)
        | {
            "language": "sw",
            "cluster_id": i,
            "p_usage": p[i],
            "p_training": share[i],
            "gap": max(0.0, p[i] - share[i]),
            "training_tokens": held[i],
            "training_rows": held[i] // 2,
            "merged_into": None if merged is None else merged[i],
        }
        for i in range(len(p))
    ]
    return pl.DataFrame(rows, schema=records.GAPS)


def pool_table(n=200, languages=("en", "sw", "hi"), clusters=K):
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "row_id": [f"r{i:04d}" for i in range(n)],
            "row_language": [languages[i % len(languages)] for i in range(n)],
            "cluster_id": [i % clusters for i in range(n)],
            "similarity": rng.random(n).astype(np.float32),
            "off_target": [i % 50 == 7 for i in range(n)],
            "supervised_tokens": rng.integers(1, 6, n),
            "prompt": [f"swali {i}" for i in range(n)],
            "response": [f"jibu {i}" for i in range(n)],
            "content_hash": [f"h{i}" for i in range(n)],
        }
    )


NOTHING = pl.DataFrame(schema={"row_id": pl.String, "content_hash": pl.String})


def choose(pool=None, budget=120, strategy="gap_waterfill", seed=3, gaps=None, **more):
    settings_ = Sampling(
        budget=budget,
        strategy=strategy,
        **{k: more.pop(k) for k in list(more) if k in Sampling.model_fields},
    )
    frame = pool_table() if pool is None else pool
    if strategy in ("nearest_mean", "langrank") and "vectors" not in more:
        more["vectors"] = unit_vectors(frame.height)
        more["target"] = Target(np.zeros(2, np.int64), unit_vectors(2, seed=9), ["swali 3", "leo"])
        more["texts"] = lambda rows: frame["prompt"].gather(rows).to_list()
    return select_rows(
        "sw",
        frame,
        gap_table() if gaps is None else gaps,
        more.pop("training", NOTHING),
        settings_,
        seed,
        **more,
    )


def chosen(selection):
    return set(selection.selected["row_id"])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_row_is_chosen_or_has_a_reason(strategy):
    result = choose(strategy=strategy)
    assert result.selected.height + result.dropped.height == 200
    assert set(result.dropped["reason"]) <= {
        "off_target",
        "beyond_budget",
        "no_demand",
    }
    assert not chosen(result) & set(result.dropped["row_id"])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_an_empty_pool_gives_nothing(strategy):
    result = choose(pool_table().clear(), strategy=strategy)
    assert (result.selected.height, result.dropped.height, result.summary["spent"]) == (0, 0, 0)
    assert result.summary["jsd_bits_after"] == result.summary["jsd_bits_before"]


def test_the_budget_is_spent_to_within_one_row():
    for budget in (0, 1, 17, 120, 400):
        spent = int(choose(budget=budget).selected["supervised_tokens"].sum())
        assert budget - 6 < spent <= budget


def test_rows_can_be_the_unit():
    assert choose(budget=33, unit="rows").selected.height == 33


def test_waterfill_brings_the_mix_to_usage():
    """40 tokens are held in cluster 0 and 10 in 3: the others are filled first."""
    result = choose(budget=150)
    tokens = dict(
        result.selected.group_by("cluster_id").agg(pl.col("supervised_tokens").sum()).iter_rows()
    )
    mix = np.array([HELD[c] + tokens.get(c, 0) for c in range(K)], dtype=float)
    assert mix / mix.sum() == pytest.approx(P_USAGE, abs=0.02)
    assert result.summary["jsd_bits_after"] < 0.001 < result.summary["jsd_bits_before"]


def test_gap_proportional_takes_from_gaps_only():
    assert set(choose(strategy="gap_proportional").selected["cluster_id"]) == {1, 2}


def test_random_takes_from_everywhere_and_none_from_nowhere():
    assert set(choose(strategy="random").selected["cluster_id"]) == {0, 1, 2, 3}
    assert choose(strategy="none").selected.height == 0
    assert choose(strategy="all_data", budget=5).selected.height == 200


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 300))
def test_the_order_of_the_pool_does_not_count(random, budget):
    pool = pool_table()
    order = list(range(pool.height))
    random.shuffle(order)
    vectors = unit_vectors(pool.height)
    one = choose(pool, budget, vectors=vectors)
    two = choose(pool[order], budget, vectors=vectors[order])
    assert one.selected["row_id"].to_list() == two.selected["row_id"].to_list()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 400),
    st.integers(0, 200),
    st.sampled_from(["gap_waterfill", "gap_proportional", "inverse_count", "random"]),
    st.sampled_from(["tokens", "rows"]),
)
def test_a_larger_budget_only_adds_rows(budget, more, strategy, unit):
    small = choose(budget=budget, strategy=strategy, unit=unit)
    large = choose(budget=budget + more, strategy=strategy, unit=unit)
    assert chosen(small) <= chosen(large)


def unit_vectors(n, d=16, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_seeds_change_what_is_drawn_at_random_and_nothing_else():
    assert chosen(choose(strategy="random", seed=1)) != chosen(choose(strategy="random", seed=2))
    assert chosen(choose(strategy="random", seed=1)) == chosen(choose(strategy="random", seed=1))


def test_rows_nearest_to_what_is_asked_come_first():
    pool = pool_table(60, clusters=1).with_columns(pl.lit(False).alias("off_target"))
    vectors = unit_vectors(60)
    target = Target(np.array([0, 0]), vectors[[5, 20]])
    result = choose(
        pool,
        2,
        unit="rows",
        gaps=gap_table([1.0], [0]),
        vectors=vectors,
        target=target,
    )
    assert chosen(result) == {"r0005", "r0020"}
    assert result.selected["rank"].to_list() == [0, 1]


def test_near_duplicates_are_taken_once():
    pool = pool_table(40, clusters=1).with_columns(pl.lit(False).alias("off_target"))
    vectors = np.repeat(unit_vectors(20), 2, axis=0)
    result = choose(pool, 999, unit="rows", gaps=gap_table([1.0], [0]), vectors=vectors)
    assert result.selected.height == 20
    assert dict(result.dropped.group_by("reason").len().iter_rows()) == {"near_duplicate": 20}


def test_what_is_held_already_or_said_twice_is_not_taken():
    pool = pool_table().with_columns(
        pl.when(pl.col("row_id") == "r0001")
        .then(pl.lit("h0"))
        .otherwise("content_hash")
        .alias("content_hash")
    )
    held = pl.DataFrame({"row_id": ["t5", "t6"], "content_hash": ["h5", "h6"]})
    result = choose(pool, 9999, training=held)
    reasons = dict(result.dropped.select("row_id", "reason").iter_rows())
    assert reasons["r0005"] == reasons["r0006"] == "in_training_corpus"
    assert (reasons.get("r0000"), reasons.get("r0001")).count("duplicate") == 1


def test_rows_that_repeat_a_benchmark_item_are_never_taken_and_say_which():
    found = pl.DataFrame({"row_id": ["r0003", "r0009"], "detail": ["item 7", "item 9"]})
    result = choose(pool_table(), 9999, strategy="all_data", contamination=found)
    reasons = result.dropped.select("row_id", "reason", "detail").rows()
    assert sorted(reasons) == [
        ("r0003", "in_benchmark", "item 7"),
        ("r0009", "in_benchmark", "item 9"),
    ]


def test_no_language_exceeds_its_share():
    result = choose(budget=120, max_share_per_language=0.2)
    by_language = result.selected.group_by("row_language").agg(pl.col("supervised_tokens").sum())
    assert max(by_language["supervised_tokens"]) <= 24
    assert "language_cap" in set(result.dropped["reason"])


def test_rows_of_a_merged_cluster_serve_its_host():
    gaps = gap_table([0.0, 1.0, 0.0, 0.0], [0, 0, 0, 0], merged=[1, None, None, None])
    taken = choose(gaps=gaps).selected
    assert set(taken["cluster_id"]) == {0, 1}
    said = dict(taken.select("cluster_id", "why").iter_rows())
    # The figures are those of the host: cluster 0 alone is no hundred per cent of usage.
    assert said[0].startswith("gap_waterfill: cluster 0 (merged into 1) is 100.0 % of usage")
    assert said[1].startswith("gap_waterfill: cluster 1 is 100.0 % of usage")


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 199), st.integers(1, 300), st.sampled_from(sorted(STRATEGIES)))
def test_shards_do_not_count(cut, budget, strategy):
    pool = pool_table()
    one = choose(pool, budget, strategy)
    sharded = pl.concat([pool[cut:], pool[:cut]], rechunk=False)
    if strategy != "nearest_mean":  # its vectors are aligned with the first order
        assert chosen(choose(sharded, budget, strategy)) == chosen(one)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 150), st.integers(0, 80))
def test_tiers_of_large_clusters_keep_what_a_larger_budget_only_adds(budget, more):
    pool, vectors = pool_table(), np.repeat(unit_vectors(100), 2, axis=0)
    target = Target(np.arange(K), unit_vectors(K, seed=4))
    read = []

    def source(rows):
        read.append(len(rows))
        return vectors[rows]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("compass_core.sampling.rank.TIER_ROWS", 10)
        given_ = {"vectors": source, "target": target, "unit": "rows"}
        small = choose(pool, budget, **given_)
        few = sum(read)
        large = choose(pool, budget + more, **given_)
        twice = choose(pool[::-1], budget, **given_ | {"vectors": lambda r: vectors[::-1][r]})
    assert chosen(small) <= chosen(large)
    assert chosen(small) == chosen(twice)
    assert budget > 0 or few <= 10 * K  # no vector beyond the tiers that are reached
    reasons = dict(large.dropped.select("row_id", "detail").iter_rows())
    for row_id, reason in large.dropped.select("row_id", "reason").iter_rows():
        if reason == "near_duplicate":
            mine, other = int(row_id[1:]), int(reasons[row_id][1:])
            assert mine // 2 == other // 2
