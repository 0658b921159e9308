"""Rows in turns, against the rule written down plainly, and against rows that say the same."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core.sampling.pool import read_pool
from compass_core.sampling.rank import ByTarget, InOrder, Ranked
from compass_core.sampling.strategies import OneByOne, Weighted
from compass_core.sampling.take import Limits, take_by_level
from compass_core.sampling.turns import take_in_turns
from tests.core.sampling.plain_take import take_plainly

GROUPS, LANGUAGES = 5, 4


def random_pool(seed, n=160, largest=9):
    rng = np.random.default_rng(seed)
    tags = [f"l{i}" for i in range(LANGUAGES)]
    frame = pl.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(n)],
            "row_language": [tags[i] for i in rng.choice(LANGUAGES, n, p=[0.6, 0.25, 0.1, 0.05])],
            "cluster_id": rng.integers(0, GROUPS, n),
            "similarity": rng.random(n).astype(np.float32),
            "supervised_tokens": rng.integers(1, largest + 1, n),
            "content_hash": [f"h{i}" for i in range(n)],
        }
    )
    return read_pool(frame, {i: i for i in range(GROUPS)}, "tokens", seed)


def ranked_of(pool, tier):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("compass_core.sampling.rank.TIER_ROWS", tier)
        bonus = np.zeros(len(pool), dtype=np.float32)
        ranked = ByTarget(pool, GROUPS, bonus, None, lambda group: None, 0.995)
        ranked.extend(range(GROUPS))
    return ranked


@st.composite
def problems(draw):
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    least = rng.dirichlet(np.ones(LANGUAGES + 1))[:LANGUAGES] * (rng.random(LANGUAGES) < 0.4)
    most = np.maximum(least, rng.choice([0.05, 0.2, 0.4, 1.0], LANGUAGES))
    weight = rng.dirichlet(np.ones(GROUPS)) * (rng.random(GROUPS) < 0.8)
    held = rng.integers(0, 60, GROUPS) * (rng.random(GROUPS) < 0.6)
    return seed, Limits(most, least), Weighted(weight, held.astype(float))


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 600), st.sampled_from([3, 17, 1000]))
def test_the_same_rows_in_the_same_order_as_the_rule_written_down_plainly(problem, budget, tier):
    seed, limits, curve = problem
    pool = random_pool(seed)
    plain = take_plainly(pool, ranked_of(pool, 1000), curve, budget, limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("compass_core.sampling.rank.TIER_ROWS", tier)
        taken = take_in_turns(pool, ranked_of(pool, tier), curve, budget, limits, {})
    assert taken.rows.tolist() == plain


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(0, 600))
def test_one_group_by_one_follows_the_plain_rule_too(problem, budget):
    seed, limits, _ = problem
    pool = random_pool(seed)
    one = np.zeros(len(pool), dtype=np.int8)
    plain = take_plainly(pool, InOrder(pool, one, 1, None), OneByOne(), budget, limits)
    taken = take_in_turns(pool, InOrder(pool, one, 1, None), OneByOne(), budget, limits, {})
    assert taken.rows.tolist() == plain


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 600))
def test_without_limits_rows_come_by_level(problem, budget):
    seed, _, curve = problem
    pool = random_pool(seed)
    free = Limits(np.ones(LANGUAGES), np.zeros(LANGUAGES))
    plain = take_by_level(pool, ranked_of(pool, 1000), curve, budget)
    taken = take_in_turns(pool, ranked_of(pool, 1000), curve, budget, free, {})
    assert taken.rows.tolist() == plain.rows.tolist()


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 400), st.integers(0, 200), st.booleans())
def test_of_rows_that_are_alike_the_first_stays_whatever_the_budget(problem, budget, more, bound):
    seed, limits, curve = problem
    if not bound:
        limits = Limits(np.ones(LANGUAGES), np.zeros(LANGUAGES))
    pool = random_pool(seed)
    rng = np.random.default_rng(seed + 1)
    alike: dict[int, list[int]] = {}
    for one, two in rng.integers(0, len(pool), (80, 2)).tolist():
        if pool.cluster[one] != pool.cluster[two]:
            alike.setdefault(one, []).append(two)
            alike.setdefault(two, []).append(one)
    small = take_in_turns(pool, ranked_of(pool, 1000), curve, budget, limits, alike)
    large = take_in_turns(pool, ranked_of(pool, 1000), curve, budget + more, limits, alike)
    assert large.rows[: len(small.rows)].tolist() == small.rows.tolist()
    order = {row: i for i, row in enumerate(large.rows.tolist())}
    for row in order:
        assert not any(other in order for other in alike.get(row, ()))
    for row, twin in large.repeats.items():
        assert row not in order
        assert twin in alike[row]
        assert twin in order


class Counting(Ranked):
    """Notes which groups are asked for more."""

    def __init__(self, pool, tier):
        super().__init__(GROUPS)
        self.inner, self.asked, self.tier = ranked_of(pool, tier), [], tier
        self.rows, self.waiting = self.inner.rows, self.inner.waiting

    def extend(self, groups):
        self.asked += list(groups)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("compass_core.sampling.rank.TIER_ROWS", self.tier)
            self.inner.extend(groups)


def test_no_more_rows_are_ranked_than_are_needed():
    """A rare language that has no row among the best of its cluster does not matter while others
    may be taken: its rows come after theirs."""
    pool = random_pool(5, n=400)
    curve = Weighted(np.full(GROUPS, 0.2))
    counting = Counting(pool, 40)
    unseen = [
        set(pool.language[waiting]) - set(pool.language[rows])
        for rows, waiting in zip(counting.rows, counting.waiting, strict=True)
    ]
    assert any(unseen)
    limits = Limits(np.array([0.5, 1.0, 1.0, 1.0]), np.zeros(LANGUAGES))
    taken = take_in_turns(pool, counting, curve, 100, limits, {})
    assert len(taken.rows) > 10
    spent = pool.by_language(pool.amount[taken.rows], taken.rows)
    assert 40 <= spent[0] <= 50 < spent.sum()
    assert counting.asked == []
