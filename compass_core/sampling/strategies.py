"""Strategies, behind one interface: groups of rows, their order, and the level at which they enter.

A strategy sorts the pool into groups, orders the rows inside each, and gives every group a curve:
the level at which the group has taken a given amount. Rows are taken in the order of their levels
until the budget is spent. Strategies differ in nothing but these three, so comparing them compares
them and not their code, and a larger budget takes the same rows and then more.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np


class Curve(ABC):
    """The level of a group that has taken some amount, in the budget's unit; infinite: never."""

    @abstractmethod
    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """Levels f64[m] of groups int64[m] that have taken f64[m]."""

    def one(self, group: int, taken: float) -> float:
        """The same for one group, to the last bit."""
        return float(self(np.array([group]), np.array([taken]))[0])


@dataclass(frozen=True)
class View:
    """What a strategy may look at: K clusters, L pool languages. Nothing of the budget."""

    p_usage: np.ndarray  # f64[K]
    gap: np.ndarray  # f64[K]
    held: np.ndarray  # f64[K], training data in the budget's unit
    training_rows: np.ndarray  # f64[K]
    pool_amount: float  # all of the pool, in the budget's unit
    match_share: float
    similarity: Callable[[], np.ndarray]  # f64[L], URIEL, 0 to 1
    language_ranks: Callable[[], np.ndarray]  # int64[L], 0 first


@dataclass(frozen=True)
class Strategy:
    """`order` inside a group: `target` best answer to a usage point first, in turns; `mean` nearest
    to the mean usage vector first; `key` at random."""

    text: str
    curve: Callable[[View], Curve]
    group: Literal["cluster", "language", "pool"]
    order: Literal["target", "mean", "key"]
    unlimited: bool = False  # the budget does not count

    @property
    def anywhere(self) -> bool:
        """Whether off-target rows are taken as well: it knows of no clusters."""
        return self.group != "cluster" and self.order == "key"


class Weighted(Curve):
    """level = (held + taken) / weight: all groups rise to one level, as water does."""

    def __init__(self, weight: np.ndarray, held: np.ndarray | None = None) -> None:
        self._weight = weight
        self._held = np.zeros(len(weight)) if held is None else held
        self._each = list(zip(self._held.tolist(), weight.tolist(), strict=True))

    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        w = self._weight[group]
        levels = np.full(len(w), np.inf)
        np.divide(self._held[group] + taken, w, out=levels, where=w > 0)
        return levels

    def one(self, group: int, taken: float) -> float:
        held, weight = self._each[group]
        return (held + taken) / weight if weight > 0 else float("inf")


class OneByOne(Curve):
    """A single group: the amount taken is the level."""

    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        return taken.astype(np.float64)


class Never(Curve):
    """Nothing is taken."""

    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        return np.full(len(group), np.inf)


class GapsThenMatch(Curve):
    """Of every amount added, `match_share` (below 1) goes by p_usage and the rest fills gaps.

    At water level v the filling part is f(v) = sum_c max(0, v p_c - held_c), and cluster c has
    taken max(0, v p_c - held_c) + p_c f(v) s / (1 - s). That is piecewise linear and rising in v;
    the level of a row is its inverse.
    """

    def __init__(self, view: View) -> None:
        p, held, share = view.p_usage, view.held, view.match_share
        self._asked = p > 0
        self._knots = np.unique(np.concatenate([[0.0], held[self._asked] / p[self._asked]]))
        filled = np.clip(self._knots[None, :] * p[:, None] - held[:, None], 0, None)
        more = p[:, None] * filled.sum(axis=0)[None, :] * share / (1 - share)
        self._taken_at = filled + more
        # Beyond the last knot all clusters rise: d taken_c / dv = p_c + p_c * sum(p) * s / (1 - s).
        self._slope = p + p * p.sum() * share / (1 - share)

    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        levels = np.full(len(group), np.inf)
        for cluster in np.unique(group):
            if not self._asked[cluster]:
                continue
            mine = group == cluster
            line, amount = self._taken_at[cluster], taken[mine]
            inside = np.interp(amount, line, self._knots)
            beyond = self._knots[-1] + (amount - line[-1]) / self._slope[cluster]
            levels[mine] = np.where(amount > line[-1], beyond, inside)
        return levels


class BestLanguagesFirst(Curve):
    """The three best languages share equally until they are empty, then the next three."""

    def __init__(self, view: View) -> None:
        self._tier = view.language_ranks() // LANGUAGES_AT_ONCE
        self._step = view.pool_amount + 1.0

    def __call__(self, group: np.ndarray, taken: np.ndarray) -> np.ndarray:
        return np.asarray(self._tier[group] * self._step + taken)


LANGUAGES_AT_ONCE = 3

STRATEGIES: dict[str, Strategy] = {
    "gap_waterfill": Strategy(
        "fills gaps so that training data and sample together match usage as closely as possible",
        lambda view: Weighted(view.p_usage, view.held),
        "cluster",
        "target",
    ),
    "gap_then_match": Strategy(
        "a share of the budget by usage, the rest into the gaps",
        lambda view: GapsThenMatch(view) if view.match_share < 1 else Weighted(view.p_usage),
        "cluster",
        "target",
    ),
    "usage_match": Strategy(
        "the sample alone matches usage, whatever the training data covers",
        lambda view: Weighted(view.p_usage),
        "cluster",
        "target",
    ),
    "gap_proportional": Strategy(
        "each cluster gets a share of the budget proportional to its gap",
        lambda view: Weighted(view.gap),
        "cluster",
        "target",
    ),
    "inverse_count": Strategy(
        "each cluster weighs 1 / (1 + its training rows), whatever is asked",
        lambda view: Weighted(1 / (1 + view.training_rows)),
        "cluster",
        "target",
    ),
    "nearest_mean": Strategy(
        "rows nearest to the mean of what is asked",
        lambda view: OneByOne(),
        "pool",
        "mean",
    ),
    "langsim": Strategy(
        "pool languages weighted by URIEL similarity to the target, at random inside",
        lambda view: Weighted(view.similarity()),
        "language",
        "key",
    ),
    "langrank": Strategy(
        "the pool languages that LangRank's features rank best, at random inside",
        BestLanguagesFirst,
        "language",
        "key",
    ),
    "random": Strategy("every row is as likely as any other", lambda v: OneByOne(), "pool", "key"),
    "all_data": Strategy(
        "all of the pool; the budget does not count",
        lambda view: OneByOne(),
        "pool",
        "key",
        unlimited=True,
    ),
    "none": Strategy("target data alone", lambda view: Never(), "pool", "key"),
}
