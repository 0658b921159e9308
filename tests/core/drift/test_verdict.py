import numpy as np
import pytest

from compass_core.config.schema import Drift
from compass_core.drift.sample import ALONE, Sample
from compass_core.drift.verdict import drift_verdict

K = 40  # clusters; one more cell is what lies outside them
SETTINGS = Drift()


def shares(seed=0):
    return np.append(0.98 * np.random.default_rng(seed).dirichlet(np.ones(K)), 0.02)


def draw(p, n, seed):
    return Sample.from_counts(np.random.default_rng(seed).multinomial(n, p / p.sum()))


def test_quiet_streams_stay_quiet_where_a_fixed_threshold_fires():
    """80 windows of 300 rows against 285 anchor rows, nothing moved."""
    p, alarms, naive, common = shares(), 0, 0, 0
    for seed in range(80):
        found = drift_verdict(
            draw(p, 300, seed), draw(p, 285, 10_000 + seed), SETTINGS, 1, stages=(128, 20_000)
        )
        alarms += found.verdict == "drift"
        common += found.p_value < 0.2
        naive += found.jsd_bits**0.5 > 0.1  # the distance that other monitors alarm at
    assert alarms == 0  # 0.04 expected
    assert 7 <= common <= 27  # 16 expected: the p-values are neither timid nor bold
    assert naive == 80


def test_a_real_shift_is_found_and_the_clusters_that_moved_are_named():
    p = np.append(np.full(K, 1 / K), 0.0)
    moved = p.copy()
    moved[3], moved[7] = 5 / K, 0
    found = drift_verdict(draw(moved, 2000, 1), draw(p, 2000, 2), SETTINGS, seed=1)
    assert found.verdict == "drift"
    assert found.p_month < SETTINGS.alpha
    assert found.moved[0].cell == 3
    assert found.moved[0].change == pytest.approx(0.1 - 1 / K + 0.01, abs=0.03)
    assert {entry.cell for entry in found.moved} >= {3}
    assert found.jsd_bits > found.null_95_bits > found.null_mean_bits
    assert found.excess_bits == pytest.approx(found.jsd_bits - found.null_mean_bits)


def test_one_growing_cluster_is_found_where_the_whole_distribution_hides_it():
    """8 points more in one of 200 clusters: the divergence alone does not stand out."""
    p = np.append(np.full(200, 1 / 200), 0.0)
    grown = 0.92 * p
    grown[11] += 0.08
    found = drift_verdict(draw(grown, 250, 3), draw(p, 400, 4), SETTINGS, seed=1)
    assert found.verdict == "drift"
    assert found.jsd_bits < found.null_mean_bits + 0.05
    assert [entry.cell for entry in found.moved] == [11]


def test_a_shift_below_the_smallest_effect_is_no_drift_and_says_so():
    p = shares()
    q = 0.97 * p + 0.03 / (K + 1)
    window, anchor = (Sample.from_counts(np.round(200_000 * x).astype(int)) for x in (q, p))
    found = drift_verdict(window, anchor, SETTINGS, seed=1)
    assert found.p_month < SETTINGS.alpha
    assert found.jsd_bits < SETTINGS.min_effect_bits
    assert found.verdict == "no_drift"
    assert "smallest effect" in found.reason


def test_novelty_alone_is_drift_but_less_of_it_is_not():
    p = shares()
    more = p.copy()
    more[-1] = 0.12
    found = drift_verdict(draw(more, 600, 1), draw(p, 600, 2), SETTINGS, seed=1)
    assert found.verdict == "drift"
    assert found.moved[0].cell == K
    assert found.novel_share == pytest.approx(0.12, abs=0.04)
    assert found.novel_p_value < 0.01
    back = drift_verdict(draw(p, 600, 2), draw(more, 600, 1), SETTINGS, seed=1)
    assert back.novel_p_value == 1.0
    assert K not in [entry.cell for entry in back.moved]


def test_one_user_who_repeats_himself_is_no_drift():
    """60 of 300 prompts in one cluster: by 60 users it is drift, by one user it is not."""
    p = shares(3)
    window = draw(p, 240, 1)
    cells = np.concatenate([window.cells, np.full(60, 5)])
    names = np.concatenate([np.full(240, ALONE), np.full(60, 0)])
    anchor = draw(p, 400, 2)
    one = drift_verdict(Sample(cells, names, K + 1), anchor, SETTINGS, seed=1)
    many = Sample(cells, np.full(300, ALONE), K + 1)
    assert drift_verdict(many, anchor, SETTINGS, seed=1).verdict == "drift"
    assert one.verdict == "no_drift"
    assert one.design_effect > 1.5


@pytest.mark.parametrize(("window", "anchor", "said"), [(99, 500, "window"), (500, 99, "anchor")])
def test_few_rows_are_insufficient(window, anchor, said):
    p = shares()
    found = drift_verdict(draw(p, window, 1), draw(p, anchor, 2), SETTINGS, seed=1)
    assert found.verdict == "insufficient_data"
    assert f"99 prompts in the {said}" in found.reason


def test_the_same_samples_give_the_same_figures_in_any_order():
    p = shares()
    window, anchor = draw(p, 300, 1), draw(p, 400, 2)
    order = np.random.default_rng(0).permutation(300)
    again = Sample(window.cells[order], window.users[order], K + 1)
    assert drift_verdict(window, anchor, SETTINGS, 1) == drift_verdict(again, anchor, SETTINGS, 1)
