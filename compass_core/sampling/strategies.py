"""Strategies, behind one interface: the level at which each row of the pool comes in.

A strategy gives every row a level; rows are taken in the order of their levels until the budget is
spent. So strategies differ in nothing but this number, and a larger budget takes the same rows and
then more. Infinite means never.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PoolView:
    """What a strategy may look at. Arrays over rows: n; over clusters: K.

    `cluster` is the position of a row's cluster (-1: no cluster that is asked for); `middle` is how
    much of its cluster comes before the row, plus half of the row, in the budget's unit.
    """

    cluster: np.ndarray  # int64[n]
    middle: np.ndarray  # f64[n]
    key: np.ndarray  # f64[n], the row's random key in [0, 1)
    p_usage: np.ndarray  # f64[K]
    gap: np.ndarray  # f64[K]
    held: np.ndarray  # f64[K], training data in the budget's unit
    training_rows: np.ndarray  # f64[K]


Strategy = Callable[[PoolView], np.ndarray]


def gap_waterfill(view: PoolView) -> np.ndarray:
    """The water level of `allocate.waterfill` at which the middle of the row is reached."""
    return _by_weight(view, view.p_usage, view.held)


def gap_proportional(view: PoolView) -> np.ndarray:
    """Each cluster gets a share of the budget that is proportional to its gap."""
    return _by_weight(view, view.gap, np.zeros(len(view.gap)))


def inverse_count(view: PoolView) -> np.ndarray:
    """Each cluster is weighted by 1 / (1 + its training rows), whatever is asked."""
    return _by_weight(view, 1 / (1 + view.training_rows), np.zeros(len(view.gap)))


def drawn_at_random(view: PoolView) -> np.ndarray:
    """Every row of the pool is as likely as any other."""
    return view.key.copy()


def nothing(view: PoolView) -> np.ndarray:
    """Target data alone."""
    return np.full(len(view.key), np.inf)


def _by_weight(view: PoolView, weight: np.ndarray, held: np.ndarray) -> np.ndarray:
    levels = np.full(len(view.key), np.inf)
    inside = view.cluster >= 0
    inside[inside] &= weight[view.cluster[inside]] > 0
    cluster = view.cluster[inside]
    levels[inside] = (held[cluster] + view.middle[inside]) / weight[cluster]
    return levels


STRATEGIES: dict[str, Strategy] = {
    "gap_waterfill": gap_waterfill,
    "gap_proportional": gap_proportional,
    "inverse_count": inverse_count,
    "random": drawn_at_random,
    "all_data": drawn_at_random,  # all of the pool: the budget does not count
    "none": nothing,
}
UNLIMITED = {"all_data"}
ANYWHERE = {"random", "all_data"}  # take off-target rows as well: they know of no clusters
