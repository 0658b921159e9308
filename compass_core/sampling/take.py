"""Taking rows: in the order of their levels until the budget is spent, within language limits."""

from dataclasses import dataclass

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
    `hungry`: groups that ran out of ranked rows, so that more of theirs must be ranked."""

    rows: np.ndarray
    closed: np.ndarray
    hungry: list[int]


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
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
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


def take_within_limits(
    pool: Pool, ranked: Ranked, curve: Curve, budget: float, limits: Limits
) -> Taken:
    """As `take_by_level`, with caps and minimum shares by language.

    A clock runs from 0 to the budget. At each step the next row is that of the group with the
    lowest level, the best ranked of a language that is open: one whose share, with the row, stays
    within its cap at the clock. A language that is owed rows at the clock goes first. When no
    language is open, the clock moves to where one is. Which row comes next depends on the rows
    before it and not on the budget, so a larger budget takes the same rows and then more; caps hold
    exactly, minimum shares to within one row as long as the language has rows.
    Cost: groups x languages for each row that is taken.
    """
    cells = _Cells(pool, ranked)
    groups = np.arange(cells.groups)
    asked = np.isfinite(curve(groups, np.zeros(cells.groups)))
    spent, filled = np.zeros(cells.languages), np.zeros(cells.groups)
    clock = total = 0.0
    taken: list[int] = []
    while True:
        there = cells.there & asked[:, None]
        at = np.maximum(clock, total + cells.amount)
        within = spent + cells.amount
        owed = there & (within <= limits.least * at * (1 + ROUNDING))
        allowed = owed if owed.any() else there & (within <= limits.most * at * (1 + ROUNDING))
        if not allowed.any():
            opens = np.full(there.shape, np.inf)
            np.divide(within, limits.most, out=opens, where=there & (limits.most > 0))
            if opens.min() > budget:
                break
            clock = float(opens.min())
            continue
        best = np.where(allowed, cells.rank, np.iinfo(np.int64).max).argmin(axis=1)
        amounts = cells.amount[groups, best]
        levels = np.where(allowed.any(axis=1), curve(groups, filled + amounts / 2), np.inf)
        group = int(np.lexsort((cells.key[groups, best], levels))[0])
        amount = amounts[group]
        if max(clock, total + amount) > budget:
            break
        clock = max(clock, total + amount)
        total += amount
        spent[best[group]] += amount
        filled[group] += amount
        taken.append(cells.pop(group, int(best[group])))
    offered = np.where(cells.there, cells.amount, np.inf).min(axis=0)
    closed = (limits.most < 1) & (spent + offered > limits.most * budget * (1 + ROUNDING))
    hungry = [g for g in range(cells.groups) if asked[g] and cells.missing(g)]
    return Taken(np.array(taken, dtype=np.int64), closed, hungry)


class _Cells:
    """The next row of every group and language: its rank, amount and key, [G, L]."""

    def __init__(self, pool: Pool, ranked: Ranked) -> None:
        self.pool, self.ranked = pool, ranked
        self.groups, self.languages = len(ranked.rows), len(pool.languages)
        shape = (self.groups, self.languages)
        self.there = np.zeros(shape, dtype=bool)
        self.rank = np.full(shape, np.iinfo(np.int64).max)
        self.amount = np.zeros(shape)
        self.key = np.zeros(shape, dtype=np.uint64)
        self.queues: dict[tuple[int, int], np.ndarray] = {}
        self.next: dict[tuple[int, int], int] = {}
        for group, rows in enumerate(ranked.rows):
            for language in np.unique(pool.language[rows]):
                at = np.flatnonzero(pool.language[rows] == language)
                self.queues[group, int(language)] = at
                self.next[group, int(language)] = 0
                self._show(group, int(language))

    def pop(self, group: int, language: int) -> int:
        at = self.queues[group, language][self.next[group, language]]
        self.next[group, language] += 1
        self._show(group, language)
        return int(self.ranked.rows[group][at])

    def _show(self, group: int, language: int) -> None:
        queue, place = self.queues[group, language], self.next[group, language]
        there = place < len(queue)
        self.there[group, language] = there
        if there:
            row = self.ranked.rows[group][queue[place]]
            self.rank[group, language] = queue[place]
            self.amount[group, language] = self.pool.amount[row]
            self.key[group, language] = self.pool.key[row]

    def missing(self, group: int) -> bool:
        """Whether a language ran out of ranked rows of this group while others wait."""
        waiting = np.unique(self.pool.language[self.ranked.waiting[group]])
        return bool((~self.there[group, waiting]).any())
