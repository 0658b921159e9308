"""Statistics: accuracy with an interval, two models on the same items, many runs of two methods.

`paired_comparison` speaks of two trained models on one set of items. What it cannot see is that
another seed would have trained other models; for a statement about *methods* repeat the training
and give `paired_effect` one difference a repetition.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compass_core.hashing import seeded_generator

DRAWS = 10_000
TIE = 1e-9  # sums of the same numbers in another order are not more extreme


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


@dataclass(frozen=True)
class Effect:
    """Mean of paired differences, in their own unit, over `pairs` repetitions.

    `p_value` comes from exchanging the two sides; `exact`: all exchanges were counted, not drawn.
    `cohens_d` is the mean over the standard deviation of the differences (d_z), nan for one pair.
    """

    difference: float
    low: float
    high: float
    p_value: float
    cohens_d: float
    pairs: int
    blocks: int
    exact: bool


def accuracy(correct: np.ndarray) -> Accuracy:
    """Accuracy of bool[n]; n = 0 gives nan."""
    n = len(correct)
    if n == 0:
        return Accuracy(float("nan"), float("nan"), float("nan"), 0)
    return Accuracy(float(correct.mean()), *wilson_interval(int(correct.sum()), n), n)


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, `right` of `n` at least 1 (Wilson 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


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


def paired_effect(
    differences: np.ndarray,
    blocks: Sequence[str] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Effect:
    """Effect of one method against another from f64[n] differences, one a repetition.

    A repetition is what was made anew for both sides: a seed, or a seed in a language. `blocks`
    names what is exchanged and drawn together (by default each pair alone): pairs that share a
    model or a world are no independent witnesses, and their signs turn together. The interval is a
    bootstrap over blocks (95 %, percentiles); with few blocks it is too narrow by about
    sqrt((b - 1) / b). Raises ValueError for no differences, other lengths or numbers that are not
    finite.
    """
    values = np.asarray(differences, dtype=np.float64)
    names = [str(i) for i in range(len(values))] if blocks is None else list(blocks)
    if not len(values) or len(names) != len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"received {len(values)} differences and {len(names)} block names; allowed: one finite "
            "difference a repetition and a name for each"
        )
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    where = np.array([place[name] for name in names])
    sums = np.bincount(where, weights=values)
    sizes = np.bincount(where).astype(np.float64)
    p_value, exact = sign_flip_p(sums, draws=draws, seed=seed)
    generator = seeded_generator(seed, "paired-effect")
    drawn = generator.integers(len(sums), size=(draws, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return Effect(
        float(values.mean()),
        float(low),
        float(high),
        p_value,
        cohens_d(values),
        len(values),
        len(sums),
        exact,
    )


def sign_flip_p(sums: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> tuple[float, bool]:
    """Two-sided p of a sum of f64[b] under random signs, and whether it is exact.

    Exact over all 2^b sign patterns where these are no more than `draws`; else from `draws` random
    ones, the observed one counted (Phipson and Smyth 2010). The smallest p there can be is
    2 / 2^b or 1 / (draws + 1).
    """
    b = len(sums)
    observed = abs(float(sums.sum()))
    scale = TIE * max(1.0, float(np.abs(sums).sum()))
    if b < 63 and 2**b <= draws:
        patterns = (np.arange(2**b)[:, None] >> np.arange(b)) & 1
        extreme = np.abs((2 * patterns - 1) @ sums) >= observed - scale
        return float(extreme.mean()), True
    generator = seeded_generator(seed, "sign-flips")
    signs = 2 * generator.integers(2, size=(draws, b), dtype=np.int8) - 1
    extreme = np.abs(signs @ sums) >= observed - scale
    return (1 + int(extreme.sum())) / (draws + 1), False


def cohens_d(differences: np.ndarray) -> float:
    """Cohen's d of paired differences f64[n]: mean over standard deviation (n - 1), d_z.

    It depends on what one difference is: over runs it is far larger than over single items,
    because averaging over items has taken their noise away. nan for fewer than two.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return math.nan
    spread = float(values.std(ddof=1))
    mean = float(values.mean())
    if spread == 0.0:
        return 0.0 if mean == 0.0 else math.copysign(math.inf, mean)
    return mean / spread


def mean_interval(
    values: np.ndarray, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of f64[n], bootstrap interval (95 %, percentiles). Raises ValueError for n = 0."""
    if not len(values):
        raise ValueError("received no values; allowed: at least one")
    generator = seeded_generator(seed, "mean-interval")
    drawn = values[generator.integers(len(values), size=(draws, len(values)))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for making all of these tests, in the order given.

    Holm's step-down: the i-th smallest times (n - i), never smaller than the one before it, at
    most 1 (Holm 1979). Holds under any dependence between the tests.
    """
    n = len(p_values)
    order = sorted(range(n), key=lambda i: p_values[i])
    corrected = [0.0] * n
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (n - rank) * p_values[i]))
        corrected[i] = largest
    return corrected
