"""The best mix within language limits, against a generic convex solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from compass_core.sampling.allocate import waterfill
from compass_core.sampling.allocate_limits import waterfill_within_limits
from compass_core.sampling.take import Limits


def problem(seed):
    """2 to 6 clusters, 1 to 4 languages; cells and holdings are often empty, limits often bind."""
    rng = np.random.default_rng(seed)
    clusters, languages = rng.integers(2, 7), rng.integers(1, 5)
    p = rng.dirichlet(np.ones(clusters)) * (rng.random(clusters) < 0.9)
    p = p / p.sum() if p.sum() else np.full(clusters, 1 / clusters)
    held = rng.integers(0, 30, clusters) * (rng.random(clusters) < 0.6)
    cells = rng.integers(0, 30, (clusters, languages)) * (rng.random((clusters, languages)) < 0.6)
    least = rng.dirichlet(np.ones(languages + 1))[:languages] * (rng.random(languages) < 0.5)
    most = np.maximum(least, rng.choice([0.2, 0.4, 1.0], languages))
    budget = float(rng.integers(1, 80))
    return p, held.astype(float), cells.astype(float), budget, Limits(most, least)


def bounds(p, cells, budget, limits):
    there = cells[p > 0].sum(axis=0)
    low = np.minimum(limits.least * budget, there)
    high = np.minimum(np.maximum(limits.most * budget, low), there)
    return low, high, min(budget, high.sum())


def test_a_cap_sends_the_budget_where_another_language_has_rows():
    # Both clusters want 15; cluster 0 has English only, which may give 10 of 30.
    p, cells = np.array([0.5, 0.5]), np.array([[99.0, 0.0], [99.0, 99.0]])
    limits = Limits(np.array([1 / 3, 1.0]), np.zeros(2))
    x = waterfill_within_limits(p, np.zeros(2), cells, 30, limits)
    assert x == pytest.approx([10, 20])


def test_a_minimum_share_takes_rows_where_fewer_are_wanted():
    # Swahili is owed 18 of 20 and has rows in cluster 1 only.
    p, cells = np.array([0.5, 0.5]), np.array([[99.0, 0.0], [99.0, 99.0]])
    limits = Limits(np.ones(2), np.array([0.0, 0.9]))
    x = waterfill_within_limits(p, np.zeros(2), cells, 20, limits)
    assert x == pytest.approx([2, 18])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_without_limits_it_is_plain_water(seed):
    p, held, cells, budget, _ = problem(seed)
    free = Limits(np.ones(cells.shape[1]), np.zeros(cells.shape[1]))
    x = waterfill_within_limits(p, held, cells, budget, free)
    assert x == pytest.approx(waterfill(p, held, cells.sum(axis=1), budget), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.randoms(use_true_random=False))
def test_the_sum_is_what_the_limits_allow_and_the_order_does_not_count(seed, random):
    p, held, cells, budget, limits = problem(seed)
    x = waterfill_within_limits(p, held, cells, budget, limits)
    assert x.sum() == pytest.approx(bounds(p, cells, budget, limits)[2], abs=1e-5)
    assert (x >= -1e-9).all()
    assert (x <= cells.sum(axis=1) + 1e-6).all()
    rows, columns = list(range(len(p))), list(range(cells.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    turned = Limits(limits.most[columns], limits.least[columns])
    again = waterfill_within_limits(p[rows], held[rows], cells[rows][:, columns], budget, turned)
    assert again == pytest.approx(x[rows], abs=1e-5)


def kl(p, mix):
    return -float((p * np.log(mix / mix.sum() + 1e-6)).sum())


def jsd(p, mix):
    q = mix / max(mix.sum(), 1e-9)
    middle = (p + q) / 2 + 1e-12
    logs = [r * np.log2(np.maximum(r, 1e-12) / middle) for r in (p, q)]
    return float(np.sum(logs)) / 2


@pytest.mark.parametrize("loss", [kl, jsd])
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_no_generic_solver_finds_a_better_mix(loss, seed):
    """Cells x[cluster, language] under the same sums, from three starts, by scipy's SLSQP."""
    p, held, cells, budget, limits = problem(seed)
    cells = cells * (p > 0)[:, None]  # what nobody asks for is never taken
    low, high, total = bounds(p, cells, budget, limits)
    if total < 1:
        return
    shape = cells.shape
    mine = loss(p, held + waterfill_within_limits(p, held, cells, budget, limits))
    constraints = [
        {"type": "eq", "fun": lambda x: x.sum() - total},
        {"type": "ineq", "fun": lambda x: high - x.reshape(shape).sum(axis=0)},
        {"type": "ineq", "fun": lambda x: x.reshape(shape).sum(axis=0) - low},
    ]
    rng = np.random.default_rng(seed)
    for _ in range(3):
        start = (cells * rng.random(shape)).ravel()
        found = minimize(
            lambda x: loss(p, held + x.reshape(shape).sum(axis=1)),
            start * total / max(start.sum(), 1e-9),
            bounds=[(0, n) for n in cells.ravel()],
            constraints=constraints,
            method="SLSQP",
            options={"maxiter": 200},
        )
        if found.success:
            assert mine <= found.fun + 1e-5
