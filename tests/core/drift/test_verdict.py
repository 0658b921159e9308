import numpy as np
import pytest

from compass_core.config.schema import Drift
from compass_core.drift.verdict import drift_verdict

K = 40
SETTINGS = Drift(min_rows=100)


def draw(p, n, seed):
    return np.random.default_rng(seed).multinomial(n, p)


def shares(seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(K))


def test_quiet_streams_stay_quiet_where_a_fixed_threshold_fires():
    """300 windows of 300 rows against 285 anchor rows, nothing moved."""
    p, alarms, naive = shares(), 0, 0
    for seed in range(300):
        found = drift_verdict(
            draw(p, 300, seed), draw(p, 285, 10_000 + seed), 0, 0, SETTINGS, seed=1
        )
        alarms += found.verdict == "drift"
        naive += found.jsd_bits**0.5 > 0.1  # the distance that other monitors alarm at
    assert alarms <= 1  # 0.05 expected
    assert naive == 300


def test_a_real_shift_is_found_and_the_clusters_that_moved_are_named():
    p = np.full(K, 1 / K)
    moved = p.copy()
    moved[3], moved[7] = 5 / K, 0
    moved /= moved.sum()
    found = drift_verdict(draw(moved, 2000, 1), draw(p, 2000, 2), 0, 0, SETTINGS, seed=1)
    assert found.verdict == "drift"
    assert found.moved_clusters[0][0] == 3
    assert found.moved_clusters[0][1] > 0
    assert 7 in [place for place, _ in found.moved_clusters]
    assert found.jsd_bits > found.null_95_bits > found.null_mean_bits


def test_a_shift_below_the_smallest_effect_is_no_drift():
    p = shares()
    q = 0.97 * p + 0.03 / K
    counts = (np.round(1e6 * p).astype(int), np.round(1e6 * q).astype(int))
    found = drift_verdict(*counts, 0, 0, SETTINGS, seed=1)
    assert found.p_value < 1e-6
    assert found.jsd_bits < SETTINGS.min_effect_bits
    assert found.verdict == "no_drift"


def test_novelty_alone_is_drift():
    p = shares()
    quiet = drift_verdict(draw(p, 500, 1), draw(p, 500, 2), 5, 5, SETTINGS, seed=1)
    novel = drift_verdict(draw(p, 500, 1), draw(p, 500, 2), 60, 5, SETTINGS, seed=1)
    assert (quiet.verdict, novel.verdict) == ("no_drift", "drift")
    assert novel.novel_share == pytest.approx(0.12)


def test_few_rows_are_insufficient():
    found = drift_verdict(draw(shares(), 99, 1), draw(shares(), 500, 2), 0, 0, SETTINGS, seed=1)
    assert found.verdict == "insufficient_data"
