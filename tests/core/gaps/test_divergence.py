import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from compass_core.gaps.divergence import interval, jsd_bits, shrunk

COUNTS = st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(lambda c: sum(c) > 0)


@given(COUNTS, st.randoms(use_true_random=False))
def test_it_is_scipys_distance_squared(counts, random):
    p = np.array(counts, dtype=float)
    q = np.array(random.sample(counts, len(counts)), dtype=float)
    assert jsd_bits(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)


def test_ends_of_the_scale():
    assert jsd_bits(np.array([1.0, 0]), np.array([1.0, 0])) == 0
    assert jsd_bits(np.array([1.0, 0]), np.array([0, 1.0])) == 1
    assert jsd_bits(np.zeros(2), np.array([0, 1.0])) == 1


def test_shrinking_moves_towards_the_prior_by_its_weight():
    counts, prior = np.array([9.0, 1, 0]), np.array([0.0, 0, 1])
    mean, parameters = shrunk(counts, prior, 10)
    assert mean == pytest.approx([0.45, 0.05, 0.5])
    assert parameters.sum() == 20
    assert shrunk(counts, prior, 0)[0] == pytest.approx([0.9, 0.1, 0])
    assert shrunk(counts, np.zeros(3), 3)[0] == pytest.approx([10 / 13, 2 / 13, 1 / 13])


def test_intervals_cover_and_narrow():
    low, high = interval(np.array([5.0, 15.0, 0.0]), 0.95)
    assert (low <= [0.25, 0.75, 0]).all()
    assert (high >= [0.25, 0.75, 0]).all()
    more_low, more_high = interval(np.array([500.0, 1500.0, 0.0]), 0.95)
    assert (more_high - more_low <= high - low).all()
    # Beta(5, 15): the 2.5 % and 97.5 % points from a table
    assert (low[0], high[0]) == pytest.approx((0.0915, 0.4565), abs=1e-3)


def covered(counts, prior, strength, p):
    low, high = interval(shrunk(counts, prior, strength)[1], 0.95)
    return float(((low <= p) & (p <= high)).mean())


def test_intervals_cover_as_often_as_they_say_where_the_prior_is_true():
    """Usage drawn from the prior, 285 rows over 40 clusters: what a dev split gives."""
    rng = np.random.default_rng(4)
    prior = rng.dirichlet(np.ones(40))
    hit = []
    for _ in range(300):
        p = rng.dirichlet(10 * prior)
        hit.append(covered(rng.multinomial(285, p).astype(float), prior, 10.0, p))
    assert np.mean(hit) == pytest.approx(0.95, abs=0.01)


def test_intervals_keep_most_of_their_coverage_where_the_pool_is_unlike_usage():
    rng = np.random.default_rng(5)
    hit = []
    for _ in range(200):
        prior, p = rng.dirichlet(np.ones(40)), rng.dirichlet(np.ones(40))
        hit.append(covered(rng.multinomial(285, p).astype(float), prior, 10.0, p))
    assert np.mean(hit) > 0.9


def test_shrinking_brings_small_samples_nearer_to_the_truth_where_pool_and_usage_agree():
    rng = np.random.default_rng(6)
    plain, better = [], []
    for _ in range(100):
        p = rng.dirichlet(np.ones(60))
        counts = rng.multinomial(60, p).astype(float)
        near = rng.dirichlet(200 * p)
        plain.append(np.abs(counts / 60 - p).sum())
        better.append(np.abs(shrunk(counts, near, 10.0)[0] - p).sum())
    assert np.mean(better) < np.mean(plain)
