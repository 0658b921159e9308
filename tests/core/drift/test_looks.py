import numpy as np

from compass_core.drift.looks import LOOKS, month_chance


def test_a_month_costs_more_than_a_look_and_less_than_thirty():
    for p in (1e-4, 5e-4, 2e-3):
        chance = month_chance(p, 40, 7, 0.7)
        assert p < chance < LOOKS * p
    assert month_chance(1.0, 40, 7, 0.7) == 1.0


def test_windows_that_overlap_more_cost_less():
    chances = [month_chance(1e-3, 20, days, 0.5) for days in (1, 7, 28)]
    assert chances[0] > chances[1] > chances[2]
    assert chances[0] > 0.75 * (1 - (1 - 1e-3) ** LOOKS)  # one anchor for all looks


def test_the_chance_is_that_of_simulated_months():
    """Other months, made in another way: counts of clusters, and their chi-square."""
    from scipy.stats import chi2

    rng = np.random.default_rng(4)
    cells, days, anchor_days = 20, 7, 10
    minima = []
    for _ in range(150):
        counts = rng.poisson(40, size=(anchor_days + LOOKS + days - 1, cells)).astype(float)
        anchor = counts[:anchor_days].sum(axis=0)
        smallest = 1.0
        for look in range(LOOKS):
            window = counts[anchor_days + look : anchor_days + look + days].sum(axis=0)
            pooled = (window + anchor) / (days + anchor_days)
            change = window / days - anchor / anchor_days
            statistic = (change**2 / (pooled * (1 / days + 1 / anchor_days))).sum()
            smallest = min(smallest, chi2.sf(statistic, cells))
        minima.append(smallest)
    limit = float(np.quantile(minima, 0.2))
    # Here there is one test a look and not the better of two; the overlap is what is compared.
    assert 0.1 < month_chance(limit, cells, days, days / anchor_days) < 0.35
