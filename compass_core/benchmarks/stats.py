"""Statistics on scored items: accuracy with an interval, and two models on the same items."""

from dataclasses import dataclass

import numpy as np

from compass_core.hashing import seeded_generator

DRAWS = 10_000


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers with Wilson's score interval (95 %)."""

    accuracy: float
    low: float
    high: float
    items: int


@dataclass(frozen=True)
class Paired:
    """Two models on the same items, in points (hundredths). `gained`: right now, wrong before."""

    difference_points: float
    low_points: float
    high_points: float
    p_value: float
    gained: int
    lost: int


def accuracy(correct: np.ndarray) -> Accuracy:
    """Accuracy of bool[n]; n = 0 gives nan."""
    from scipy.stats import binomtest

    n = len(correct)
    if n == 0:
        return Accuracy(float("nan"), float("nan"), float("nan"), 0)
    interval = binomtest(int(correct.sum()), n).proportion_ci(0.95, method="wilson")
    return Accuracy(float(correct.mean()), float(interval.low), float(interval.high), n)


def paired_comparison(new: np.ndarray, old: np.ndarray, seed: int = 0) -> Paired:
    """Difference in accuracy of bool[n] `new` and `old` on the same items.

    The interval is a bootstrap over items (10,000 draws, 95 %); p is two-sided from random sign
    flips of the items' differences (10,000 draws, the observed one counted). On differences of
    -1, 0, 1 both depend on counts alone, so they are drawn as multinomials, not item by item.
    """
    if len(new) != len(old):
        raise ValueError(f"received {len(new)} and {len(old)} items; allowed: the same items")
    n = len(new)
    if n == 0:
        return Paired(0.0, 0.0, 0.0, 1.0, 0, 0)
    gained = int(np.sum(new & ~old))
    lost = int(np.sum(old & ~new))
    generator = seeded_generator(seed, "paired-comparison")
    shares = np.array([gained, lost, n - gained - lost]) / n
    drawn = generator.multinomial(n, shares, size=DRAWS)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / n, [0.025, 0.975])
    flipped = generator.binomial(gained + lost, 0.5, size=DRAWS)
    extreme = np.abs(2 * flipped - (gained + lost)) >= abs(gained - lost)
    p_value = (1 + int(extreme.sum())) / (DRAWS + 1)
    return Paired(
        100 * (gained - lost) / n, 100 * float(low), 100 * float(high), p_value, gained, lost
    )
