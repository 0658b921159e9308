"""Taking rows in the order of their levels until the budget is spent."""

from dataclasses import dataclass, field

import numpy as np

from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import Ranked
from compass_core.sampling.strategies import Curve

ROUNDING = 1e-12  # relative: sums of shares in floating point


@dataclass(frozen=True)
class Limits:
    """Shares f64[L] of the budget that each pool language may fill at most, and is owed."""

    most: np.ndarray
    least: np.ndarray

    @property
    def bind(self) -> bool:
        return bool((self.most < 1).any() or (self.least > 0).any())


@dataclass(frozen=True)
class Taken:
    """`rows` int64[m] in the order in which they came in; `closed` bool[L]: languages at their cap;
    `hungry`: groups that ran out of ranked rows, so that more of theirs must be ranked; `repeats`:
    rows that were passed over, and the row taken before that says the same."""

    rows: np.ndarray
    closed: np.ndarray
    hungry: list[int]
    repeats: dict[int, int] = field(default_factory=dict)


def take_by_level(pool: Pool, ranked: Ranked, curve: Curve, budget: float) -> Taken:
    """Rows by level until the next one does not fit: at most one row short of the budget.

    A row's level is that of the middle of its own amount. Levels do not depend on the budget, so
    that a larger one takes the same rows and then more. Cost: a sort of the ranked rows.
    """
    rows = np.concatenate(ranked.rows) if ranked.rows else np.zeros(0, dtype=np.int64)
    sizes = np.array([len(part) for part in ranked.rows], dtype=np.int64)
    group = np.repeat(np.arange(len(sizes)), sizes)
    amount = pool.amount[rows].astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(amount)])
    starts = np.cumsum(sizes) - sizes
    levels = curve(group, total[1:] - np.repeat(total[starts], sizes) - amount / 2)
    finite = np.flatnonzero(np.isfinite(levels))
    order = finite[np.lexsort((pool.key[rows[finite]], levels[finite]))]
    fits = int((np.cumsum(amount[order]) <= budget).sum())
    chosen = order[:fits]
    counts = np.bincount(group[chosen], minlength=len(sizes))
    hungry = [g for g in range(len(sizes)) if counts[g] == sizes[g] and ranked.has_more(g)]
    asked = curve(np.arange(len(sizes)), np.zeros(len(sizes)))
    hungry = [g for g in hungry if np.isfinite(asked[g])]
    return Taken(rows[chosen], np.zeros(len(pool.languages), dtype=bool), hungry)
