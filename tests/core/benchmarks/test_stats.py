import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compass_core.benchmarks.stats import (
    accuracy,
    cohens_d,
    holm,
    mean_interval,
    paired_comparison,
    paired_effect,
    sign_flip_p,
)


def bools(ones, zeros):
    return np.array([True] * ones + [False] * zeros)


def test_wilson_by_hand():
    # p = 0.8, n = 10, z = 1.959964: centre 0.71674, half width 0.22659
    found = accuracy(bools(8, 2))
    assert found.accuracy == 0.8
    assert (found.low, found.high) == pytest.approx((0.49016, 0.94332), abs=1e-4)


def test_the_interval_stays_inside_at_the_ends():
    assert accuracy(bools(5, 0)).high == pytest.approx(1.0)
    assert accuracy(bools(0, 5)).low == pytest.approx(0.0)
    assert accuracy(bools(5, 0)).low < 1
    assert math.isnan(accuracy(bools(0, 0)).accuracy)


def test_a_pair_by_hand():
    old = np.array([1, 1, 0, 0, 0, 0, 0, 0, 1, 1], dtype=bool)
    new = np.array([1, 0, 1, 1, 1, 1, 1, 0, 1, 1], dtype=bool)
    found = paired_comparison(new, old)
    assert (found.gained, found.lost) == (5, 1)
    assert found.difference_points == pytest.approx(40.0)
    # Two-sided sign test of 5 against 1: 2 * (6 + 1) / 64
    assert found.p_value == pytest.approx(0.21875, abs=0.015)
    assert found.low_points < 40 < found.high_points


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_swapping_the_models_changes_the_sign(pairs):
    new, old = (np.array(side) for side in zip(*pairs, strict=True))
    one, two = paired_comparison(new, old), paired_comparison(old, new)
    assert one.difference_points == pytest.approx(-two.difference_points)
    assert (one.gained, one.lost) == (two.lost, two.gained)
    assert one.low_points - 1e-9 <= one.difference_points <= one.high_points + 1e-9
    assert one.p_value == pytest.approx(two.p_value, abs=0.03)  # other draws


def test_equal_models_are_no_evidence():
    same = bools(30, 20)
    found = paired_comparison(same, same)
    assert (found.difference_points, found.p_value) == (0.0, 1.0)
    assert (found.low_points, found.high_points) == (0.0, 0.0)


def test_a_clear_gain_is_found_and_seeded():
    new, old = bools(180, 20), bools(120, 80)
    found = paired_comparison(new, old, seed=5)
    assert found.p_value == pytest.approx(1 / 10_001)
    assert found.low_points > 20
    assert found == paired_comparison(new, old, seed=5)
    order = np.random.default_rng(0).permutation(200)
    assert found == paired_comparison(new[order], old[order], seed=5)


def test_the_p_value_is_honest_where_nothing_differs():
    generator = np.random.default_rng(7)
    called = 0
    for i in range(300):
        new, old = generator.random((2, 80)) < 0.6
        called += paired_comparison(new, old, seed=i).p_value < 0.05
    assert called <= 25  # 15 expected at most; the test is discrete, hence conservative


def test_other_items_cannot_be_compared():
    with pytest.raises(ValueError, match="received 3 and 2 items"):
        paired_comparison(bools(3, 0), bools(2, 0))


def test_an_effect_by_hand():
    # All positive: of 32 sign patterns only the observed one and its mirror are as far out.
    found = paired_effect(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert found.p_value == pytest.approx(2 / 32)
    assert found.exact
    assert found.difference == pytest.approx(3.0)
    assert found.cohens_d == pytest.approx(3.0 / math.sqrt(2.5))
    assert 1.0 <= found.low < 3.0 < found.high <= 5.0


def test_every_sign_pattern_is_counted():
    # |sums| of 1, 1, 3 over the eight patterns are 5, 3, 3, 1, twice each.
    assert sign_flip_p(np.array([1.0, 1.0, -3.0])) == (1.0, True)
    assert sign_flip_p(np.array([1.0, 1.0, 3.0])) == (2 / 8, True)
    assert sign_flip_p(np.array([1.0, -1.0, 3.0])) == (6 / 8, True)


def test_drawn_signs_come_near_the_exact_p():
    values = np.random.default_rng(4).normal(0.4, 1, size=12)
    exact, was_exact = sign_flip_p(values)
    drawn, was_drawn_exact = sign_flip_p(values, draws=4_000)  # 2^12 = 4096 patterns
    assert (was_exact, was_drawn_exact) == (True, False)
    assert drawn == pytest.approx(exact, abs=0.02)
    assert sign_flip_p(np.ones(40)) == (pytest.approx(1 / 10_001), False)


def test_pairs_of_one_block_are_one_witness():
    values = np.array([1.0, 1.1, 0.9, 1.0, 1.2, 0.8])
    alone = paired_effect(values)
    together = paired_effect(values, ["a", "a", "b", "b", "c", "c"])
    assert (alone.p_value, alone.blocks) == (2 / 64, 6)
    assert (together.p_value, together.blocks, together.pairs) == (2 / 8, 3, 6)
    assert together.difference == alone.difference


def test_blocks_keep_false_alarms_down_where_pairs_share_their_luck():
    generator = np.random.default_rng(11)
    blocks = [f"w{i // 4}" for i in range(32)]
    naive = honest = 0
    for i in range(200):
        shared = np.repeat(generator.normal(size=8), 4)
        values = shared + 0.3 * generator.normal(size=32)
        naive += paired_effect(values, draws=500, seed=i).p_value < 0.05
        honest += paired_effect(values, blocks, draws=500, seed=i).p_value < 0.05
    assert honest <= 18  # 10 expected
    assert naive >= 40


def test_cohens_d_by_hand():
    assert cohens_d(np.array([2.0, 4.0, 6.0])) == pytest.approx(2.0)
    assert cohens_d(-np.array([2.0, 4.0, 6.0])) == pytest.approx(-2.0)
    assert math.isnan(cohens_d(np.array([1.0])))
    assert cohens_d(np.zeros(3)) == 0.0
    assert cohens_d(np.full(3, 0.5)) == math.inf


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(9)
    inside = 0
    for i in range(200):
        _, low, high = mean_interval(generator.normal(2.0, 1.0, size=30), draws=800, seed=i)
        inside += low <= 2.0 <= high
    assert 178 <= inside <= 199


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1 gives 0.04, 0.06, 0.06, 0.04 -> 0.06
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_only_raises_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert all(0 <= p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def test_effects_of_nothing_are_refused():
    with pytest.raises(ValueError, match="0 differences"):
        paired_effect(np.array([]))
    with pytest.raises(ValueError, match="finite"):
        paired_effect(np.array([1.0, math.nan]))
    with pytest.raises(ValueError, match="1 block names"):
        paired_effect(np.array([1.0, 2.0]), ["a"])
