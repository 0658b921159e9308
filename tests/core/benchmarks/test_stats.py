import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compass_core.benchmarks.stats import accuracy, paired_comparison


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
