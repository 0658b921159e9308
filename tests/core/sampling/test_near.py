"""Rows that say what a row of the training corpus says."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core.sampling.near import Held, largest_distance, pairs_within
from tests.core.sampling.test_select import choose, chosen, pool_table, unit_vectors

LIMIT = 0.995


def copies_of(vectors, rows, seed=0):
    noise = np.random.default_rng(seed).normal(size=(len(rows), vectors.shape[1])) * 0.005
    near = (vectors[rows] + noise).astype(np.float32)
    return near / np.linalg.norm(near, axis=1, keepdims=True)


def corpus(n):
    ids = [f"t{i}" for i in range(n)]
    return pl.DataFrame({"row_id": ids, "content_hash": ids})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 700), st.integers(1, 2_500), st.integers(1, 12))
def test_projections_miss_no_pair(seed, n, m, sketch):
    one, two = unit_vectors(n, seed=seed), unit_vectors(m, seed=seed + 1)
    shared = min(n, m) // 2
    two[:shared] = copies_of(one, np.arange(shared), seed)
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(one.shape[1], one.shape[1])))[0]
    axes = axes[:, :sketch].astype(np.float32)
    rows, others = pairs_within(one @ axes, two @ axes, largest_distance(LIMIT))
    found = set(zip(rows.tolist(), others.tolist(), strict=True))
    alike = {(int(a), int(b)) for a, b in np.argwhere(np.round(one @ two.T, 5) > LIMIT)}
    assert alike <= found
    twins = Held.of(two, axes, LIMIT).twins(one, one @ axes)
    assert set(np.flatnonzero(twins >= 0).tolist()) == {a for a, _ in alike}
    for a in np.flatnonzero(twins >= 0):
        assert (int(a), int(twins[a])) in alike


def test_rows_like_the_corpus_are_not_taken_whatever_their_cluster_and_say_which():
    vectors = unit_vectors(200)
    held = copies_of(vectors, np.array([3, 10, 77]))
    result = choose(pool_table(), 9999, vectors=vectors, training=corpus(3), training_vectors=held)
    found = result.dropped.filter(pl.col("reason") == "near_training_corpus")
    assert dict(found.select("row_id", "detail").iter_rows()) == {
        "r0003": "t0",
        "r0010": "t1",
        "r0077": "t2",
    }
    plain = choose(pool_table(), 9999, vectors=vectors)
    assert chosen(plain) - chosen(result) == {"r0003", "r0010", "r0077"}
    assert chosen(result) <= chosen(plain)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 300), st.integers(0, 200), st.randoms(use_true_random=False))
def test_with_a_corpus_a_larger_budget_only_adds_rows_and_order_does_not_count(
    budget, more, random
):
    pool, vectors = pool_table(), unit_vectors(200)
    held = copies_of(vectors, np.arange(0, 200, 5))
    given_ = {"training": corpus(len(held)), "training_vectors": held}
    small = choose(pool, budget, vectors=vectors, **given_)
    large = choose(pool, budget + more, vectors=vectors, **given_)
    assert chosen(small) <= chosen(large)
    order = list(range(200))
    random.shuffle(order)
    shuffled = choose(pool[order], budget, vectors=vectors[order], **given_)
    assert chosen(shuffled) == chosen(small)
