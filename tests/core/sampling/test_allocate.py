import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from compass_core.sampling.allocate import round_largest_remainder, waterfill


@st.composite
def problems(draw):
    """Target, held, available, budget for 2 to 8 clusters; some empty, some unasked."""
    k = draw(st.integers(2, 8))
    amounts = st.floats(0, 100, allow_nan=False).map(lambda v: round(v, 3))
    weights = np.array(draw(st.lists(amounts, min_size=k, max_size=k)))
    weights[0] += 1
    held = np.array(draw(st.lists(amounts, min_size=k, max_size=k)))
    available = np.array(draw(st.lists(amounts, min_size=k, max_size=k)))
    return weights / weights.sum(), held, available, draw(st.floats(0, 300, allow_nan=False))


def test_two_buckets_are_filled_to_one_level():
    # 10 held against 0, half and half asked, 30 to give: both end at 20.
    assert waterfill(np.array([0.5, 0.5]), np.array([10.0, 0]), np.array([99.0, 99]), 30) == (
        pytest.approx([10, 20])
    )


def test_what_is_full_passes_the_rest_on_and_what_is_not_asked_gets_nothing():
    p = np.array([0.5, 0.5, 0.0])
    x = waterfill(p, np.zeros(3), np.array([4.0, 99, 99]), 30)
    assert x == pytest.approx([4, 26, 0])


@given(problems())
def test_sums_are_exact_and_bounds_hold(problem):
    p, held, available, budget = problem
    x = waterfill(p, held, available, budget)
    assert x.sum() == pytest.approx(min(budget, available[p > 0].sum()), abs=1e-6)
    assert (x >= -1e-9).all()
    assert (x <= available + 1e-6).all()


@pytest.mark.parametrize("tiny", [1e-9, 1e-13, 1e-20])
def test_shares_next_to_nothing_do_not_spoil_the_sum(tiny):
    """A cluster of a few rows in a pool of millions has such a p_usage by the prior alone."""
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(60))
    p[::3] = tiny
    p /= p.sum()
    held, available = 1e5 * rng.random(60), 2e4 * rng.random(60)
    for share in (0.1, 0.5, 0.7, 0.9, 0.99):
        budget = share * float(available.sum())
        x = waterfill(p, held, available, budget)
        assert x.sum() == pytest.approx(budget, rel=1e-12)
        levels = (held + x) / p
        rising = (x > 1e-6) & (x < available - 1e-6)
        assert np.ptp(levels[rising]) <= 1e-9 * levels[rising].max(initial=1.0)
        assert (levels[x <= 1e-6] >= levels[x > 1e-6].min(initial=np.inf) - 1e-6).all()


@given(problems(), st.floats(0, 100, allow_nan=False))
def test_a_larger_budget_takes_from_no_cluster(problem, more):
    p, held, available, budget = problem
    less = waterfill(p, held, available, budget)
    assert (waterfill(p, held, available, budget + more) >= less - 1e-6).all()


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_clusters_does_not_count(problem, random):
    p, held, available, budget = problem
    order = list(range(len(p)))
    random.shuffle(order)
    x = waterfill(p, held, available, budget)
    assert waterfill(p[order], held[order], available[order], budget) == pytest.approx(x[order])


@settings(max_examples=40, deadline=None)
@given(problems())
def test_no_generic_solver_finds_a_better_mix(problem):
    """KL(p || held + x) under the same bounds and sum, by scipy's SLSQP."""
    p, held, available, budget = problem
    x = waterfill(p, held, available, budget)
    spent, asked = x.sum(), p > 0
    if spent < 1e-3:
        return

    def loss(values):
        return -float((p[asked] * np.log(held[asked] + values + 1e-3)).sum())

    start = available[asked] * spent / available[asked].sum()
    found = minimize(
        loss,
        start,
        bounds=[(0, a) for a in available[asked]],
        constraints=[{"type": "eq", "fun": lambda v: v.sum() - spent}],
        method="SLSQP",
    )
    assert loss(x[asked]) <= (found.fun if found.success else loss(start)) + 1e-3


@given(problems())
def test_rounding_keeps_the_sum_and_the_bounds(problem):
    p, held, available, budget = problem
    available = np.floor(available)
    x = waterfill(p, held, available, np.floor(budget))
    total = round(float(x.sum()))
    whole = round_largest_remainder(x, available, total)
    assert whole.sum() == total
    assert (whole <= available).all()
    assert (np.abs(whole - x) < 1 + 1e-6).all()


def test_more_than_there_is_cannot_be_rounded_to():
    with pytest.raises(ValueError, match="at most 3 available"):
        round_largest_remainder(np.array([2.0]), np.array([3.0]), 4)
