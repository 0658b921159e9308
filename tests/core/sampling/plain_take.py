"""The rule of `turns.take_in_turns` written down plainly: every cell is looked at for every row."""

import numpy as np

from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import Ranked
from compass_core.sampling.strategies import Curve
from compass_core.sampling.take import ROUNDING, Limits, Taken


def take_within_limits(
    pool: Pool, ranked: Ranked, curve: Curve, budget: float, limits: Limits
) -> Taken:
    """What `take_in_turns` says it does. Cost: groups x languages for each row that is taken."""
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
        first = np.where(cells.there, cells.rank, np.iinfo(np.int64).max).argmin(axis=1)
        levels = curve(groups, filled + cells.amount[groups, first] / 2)
        levels = np.where(allowed.any(axis=1), levels, np.inf)
        group = int(np.lexsort((cells.key[groups, first], levels))[0])
        amount = cells.amount[group, best[group]]
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
