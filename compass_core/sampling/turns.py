"""Taking rows one after the other, where what was taken decides what may come next: caps and
minimum shares by language, and rows of other clusters that say the same."""

from bisect import insort
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

import numpy as np

from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import Ranked
from compass_core.sampling.strategies import Curve
from compass_core.sampling.take import ROUNDING, Limits, Taken

Head = tuple[int, int]  # place among the group's ranked rows, language
Next = tuple[int, int, int, float]  # group, language, place, amount
Alike = Mapping[int, Sequence[int]]  # rows of other clusters that say the same, by row


def take_in_turns(
    pool: Pool, ranked: Ranked, curve: Curve, budget: float, limits: Limits, alike: Alike
) -> Taken:
    """As `take_by_level`, with caps and minimum shares by language, and no row twice.

    A clock runs from 0 to the budget. At each step it is the turn of the group whose best ranked
    row has the lowest level, among the groups with a row of an open language: one whose share,
    with the row, stays within its cap at the clock. The group gives the best ranked such row. A
    language that is owed rows at the clock goes first. When no language is open, the clock moves to
    where one is. A row whose like (`alike`) was taken before it is passed over. Which row comes
    next depends on the rows before it and not on the budget, so a larger budget takes the same rows
    and then more; caps hold exactly, minimum shares to within one row as long as the language has
    rows.

    More rows of a group are ranked when none of those that are may be taken, and not before.
    Cost: a few heap operations for each row that is taken, and a pass over the groups for each
    that a language was owed.
    """
    return _Turns(pool, ranked, curve, limits, alike).take(budget)


class _Turns:
    def __init__(
        self, pool: Pool, ranked: Ranked, curve: Curve, limits: Limits, alike: Alike
    ) -> None:
        self.pool, self.ranked, self.curve, self.alike = pool, ranked, curve, alike
        self.binds = limits.bind
        self.most = limits.most.tolist() if self.binds else [1.0]
        self.least = limits.least.tolist() if self.binds else [0.0]
        groups = np.arange(len(ranked.rows))
        self.asked: list[int] = groups[np.isfinite(curve(groups, np.zeros(len(groups))))].tolist()
        self.owing = [i for i, share in enumerate(self.least) if share > 0]
        self.smallest = self._smallest()
        self.spent = [0.0] * len(self.most)
        self.filled = [0.0] * len(groups)
        self.clock = self.total = 0.0
        self.queues: list[dict[int, np.ndarray]] = [{} for _ in groups]  # places, by language
        self.heads: list[list[Head]] = [[] for _ in groups]  # the next of each language, sorted
        self.waiting: list[set[int]] = [set() for _ in groups]  # languages of rows not ranked yet
        self.known = [0] * len(groups)  # ranked rows that are in the queues
        self.stamp = [0] * len(groups)
        self.heap: list[tuple[float, int, int, int, Next]] = []
        # By language: the groups that go on when it is open for a row of that amount.
        self.watchers: list[list[tuple[float, int]]] = [[] for _ in self.most]
        self.watched: set[tuple[int, int]] = set()

    def take(self, budget: float) -> Taken:
        for group in self.asked:
            self._read(group)
            self._refresh(group)
        taken: dict[int, None] = {}
        repeats: dict[int, int] = {}
        while True:
            self._open()
            following = (self._owed() if self.owing else None) or self._lowest()
            if following is None:
                opens = self._next_opening()
                if opens > budget:
                    break
                self.clock = opens
                continue
            group, language, place, amount = following
            at = max(self.clock, self.total + amount)
            if at > budget:
                break
            row = int(self.ranked.rows[group][place])
            twin = next((r for r in self.alike.get(row, ()) if r in taken), None)
            self._pass(group, language)
            if twin is not None:
                repeats[row] = twin
            else:
                self.clock, self.total = at, self.total + amount
                self.spent[language] += amount
                self.filled[group] += amount
                taken[row] = None
            self._refresh(group)
        rows = np.array(list(taken), dtype=np.int64)
        return Taken(rows, self._closed(budget), [], repeats)

    # Languages

    def _may(self, shares: list[float], language: int, amount: float) -> bool:
        """Whether a row of this amount leaves the language within its share at the clock. Once
        true it stays so until the language is given a row; a smaller row may whatever a larger
        one may."""
        at = max(self.clock, self.total + amount)
        return self.spent[language] + amount <= shares[language] * at * (1 + ROUNDING)

    def _open(self) -> None:
        """Look again at the groups that waited for a language which has come open."""
        for language, waiting in enumerate(self.watchers):
            while waiting and self._may(self.most, language, waiting[0][0]):
                _, group = heappop(waiting)
                self.watched.discard((language, group))
                self._refresh(group)

    def _watch(self, language: int, amount: float, group: int) -> None:
        if (language, group) not in self.watched:
            self.watched.add((language, group))
            heappush(self.watchers[language], (amount, group))

    def _next_opening(self) -> float:
        """The clock at which the first closed language opens; infinite where none will."""
        found = [
            (self.spent[language] + waiting[0][0]) / self.most[language]
            for language, waiting in enumerate(self.watchers)
            if waiting and self.most[language] > 0
        ]
        return min(found, default=float("inf"))

    def _closed(self, budget: float) -> np.ndarray:
        """bool[L]: languages that are at their cap and have rows left."""
        closed = np.zeros(len(self.pool.languages), dtype=bool)
        if not self.binds:
            return closed
        offered = [float("inf")] * len(self.most)
        for group in self.asked:
            for place, language in self.heads[group]:
                offered[language] = min(offered[language], self._amount(group, place))
            for language in self.waiting[group]:
                offered[language] = min(offered[language], self.smallest[language])
        for i, share in enumerate(self.most):
            closed[i] = share < 1 and self.spent[i] + offered[i] > share * budget * (1 + ROUNDING)
        return closed

    # Groups

    def _refresh(self, group: int) -> None:
        """Offer the group's best ranked row of an open language, instead of what it offered."""
        self.stamp[group] += 1
        found = self._best(group, self.most, range(len(self.most)), watch=True)
        if found is None:
            return
        place, language, amount = found
        offer = (group, language, place, amount)
        heappush(self.heap, (*self._level(group), group, self.stamp[group], offer))

    def _level(self, group: int) -> tuple[float, int]:
        """Level of the best ranked row, open or not, and its key: so what opens or closes a
        language changes no group's turn."""
        row = self.ranked.rows[group][self.heads[group][0][0]]
        amount = float(self.pool.amount[row])
        return self.curve.one(group, self.filled[group] + amount / 2), int(self.pool.key[row])

    def _best(
        self, group: int, shares: list[float], among: Sequence[int], watch: bool = False
    ) -> tuple[int, int, float] | None:
        """Place, language and amount of the best ranked row that may be taken within `shares`.

        Rows that are not ranked yet come after all that are: they are ranked when nothing else may
        be taken and a row of theirs might.
        """
        while True:
            for place, language in self.heads[group]:
                if language in among:
                    amount = self._amount(group, place)
                    if self._may(shares, language, amount):
                        return place, language, amount
                    if watch:
                        self._watch(language, amount, group)
            behind = [
                language
                for language in self.waiting[group]
                if language in among and not self.queues[group][language].size
            ]
            if not any(self._may(shares, i, self.smallest[i]) for i in behind):
                break
            self.ranked.extend([group])
            self._read(group)
        if watch:
            for language in behind:
                self._watch(language, self.smallest[language], group)
        return None

    def _lowest(self) -> Next | None:
        while self.heap:
            _, _, group, stamp, offer = self.heap[0]
            if stamp != self.stamp[group]:
                heappop(self.heap)
            elif not self._may(self.most, offer[1], offer[3]):
                heappop(self.heap)
                self._refresh(group)
            else:
                return offer
        return None

    def _owed(self) -> Next | None:
        """The row of lowest level among those of languages that are owed one."""
        short = [i for i in self.owing if self._may(self.least, i, self.smallest[i])]
        if not short:
            return None
        best: tuple[float, int, int, Next] | None = None
        for group in self.asked:
            found = self._best(group, self.least, short)
            if found is not None:
                place, language, amount = found
                offer = (*self._level(group), group, (group, language, place, amount))
                best = offer if best is None else min(best, offer)
        if best is None:
            left = {i for group in self.asked for _, i in self.heads[group]}
            left.update(*(self.waiting[group] for group in self.asked))
            self.owing = [i for i in self.owing if i in left]
            return None
        return best[3]

    # Rows

    def _amount(self, group: int, place: int) -> float:
        return float(self.pool.amount[self.ranked.rows[group][place]])

    def _codes(self, rows: np.ndarray) -> np.ndarray:
        return self.pool.language[rows] if self.binds else np.zeros(len(rows), dtype=np.int16)

    def _read(self, group: int) -> None:
        """Put rows that were ranked since into the queues of their languages."""
        rows = self.ranked.rows[group]
        first, self.known[group] = self.known[group], len(rows)
        codes = self._codes(rows[first:])
        order = np.argsort(codes, kind="stable")
        languages, starts = np.unique(codes[order], return_index=True)
        parts = np.split(first + order, starts[1:])
        for language, places in zip(languages.tolist(), parts, strict=False):
            earlier = self.queues[group].get(language)
            if earlier is None or not earlier.size:
                insort(self.heads[group], (int(places[0]), language))
                self.queues[group][language] = places
            else:
                self.queues[group][language] = np.concatenate([earlier, places])
        self.waiting[group] = set(np.unique(self._codes(self.ranked.waiting[group])).tolist())
        for language in self.waiting[group]:
            self.queues[group].setdefault(language, np.zeros(0, dtype=np.int64))

    def _pass(self, group: int, language: int) -> None:
        """The row at the head of a language has had its turn."""
        queue = self.queues[group][language]
        self.heads[group].remove((int(queue[0]), language))
        self.queues[group][language] = queue = queue[1:]
        if queue.size:
            insort(self.heads[group], (int(queue[0]), language))

    def _smallest(self) -> list[float]:
        """The smallest amount of each language's open rows; infinite where there are none."""
        rows = self.pool.open()
        found = np.full(len(self.most), np.inf)
        np.minimum.at(found, self._codes(rows), self.pool.amount[rows].astype(np.float64))
        return [float(amount) for amount in found]
