"""Taking rows one after the other, where what was taken decides what may come next: caps and
minimum shares by language, and rows of other clusters that say the same."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import Ranked
from compass_core.sampling.strategies import Curve
from compass_core.sampling.take import ROUNDING, Limits, Taken

Turn = tuple[float, int, int]  # level, key and number of a group; the lowest comes first
Alike = Mapping[int, Sequence[int]]  # rows of other clusters that say the same, by row
LAST = 2**62  # a place behind all that are ranked


class _Offer(NamedTuple):
    """A language's next row. `place` is LAST where its rows of the group are not ranked yet, and
    `amount` then the least that it can be."""

    turn: Turn
    place: int
    language: int
    amount: float


def take_in_turns(
    pool: Pool, ranked: Ranked, curve: Curve, budget: float, limits: Limits, alike: Alike
) -> Taken:
    """As `take_by_level`, with caps and minimum shares by language, and no row twice.

    It is a group's turn by the level of its best ranked row. Each language offers one row: the best
    ranked that it has in the group whose turn is first among those with rows of it. A clock runs
    from 0 to the budget. Of the offers, the first by turn and rank is taken whose language stays,
    with the row, within its cap at the clock; offers of languages that are owed the row by their
    minimum share at the clock go first. When no offer may be taken, the clock moves to where one
    may. A row whose like (`alike`) was taken before it is passed over.

    Which row comes next depends on the rows before it and not on the budget, so a larger budget
    takes the same rows and then more. Caps hold exactly, minimum shares to within two rows as long
    as the language has rows. More rows of a group are ranked only where those that are ranked are
    used up or may not be taken. Cost: for each row, a look at the offers before it, most often
    one, and at those of languages with a minimum share.
    """
    return _Turns(pool, ranked, curve, limits, alike).take(budget)


class _Turns:
    def __init__(
        self, pool: Pool, ranked: Ranked, curve: Curve, limits: Limits, alike: Alike
    ) -> None:
        self.pool, self.ranked, self.curve, self.alike = pool, ranked, curve, alike
        self.code, most, least = _codes(limits)
        self.most, self.least = most.tolist(), least.tolist()
        self.owing = [i for i, share in enumerate(self.least) if share > 0]
        self.smallest = self._smallest()
        self.spent = [0.0] * len(self.most)
        self.clock = self.total = 0.0
        count = len(ranked.rows)
        everyone = np.arange(count)
        self.asked: list[int] = everyone[np.isfinite(curve(everyone, np.zeros(count)))].tolist()
        self.filled = [0.0] * count
        self.queues: list[dict[int, np.ndarray]] = [{} for _ in everyone]  # places, by language
        self.heads: list[list[tuple[int, int]]] = [[] for _ in everyone]  # place, language; sorted
        self.waiting: list[set[int]] = [set() for _ in everyone]  # languages of unranked rows
        self.known = [0] * count  # ranked rows that are in the queues
        self.turns: list[Turn | None] = [None] * count
        self.order: list[Turn] = []  # the groups that have rows left, sorted

    def take(self, budget: float) -> Taken:
        for group in self.asked:
            self._read(group)
            self._set_turn(group)
        taken: dict[int, None] = {}
        repeats: dict[int, int] = {}
        while (offer := self._next(budget)) is not None:
            group = offer.turn[2]
            if offer.place == LAST:
                self._rank_more(group)
                continue
            at = max(self.clock, self.total + offer.amount)
            if at > budget:
                break
            self._pass(group, offer.language)
            row = int(self.ranked.rows[group][offer.place])
            twin = next((r for r in self.alike.get(row, ()) if r in taken), None)
            if twin is not None:
                repeats[row] = twin
            else:
                self.clock, self.total = at, self.total + offer.amount
                self.spent[offer.language] += offer.amount
                self.filled[group] += offer.amount
                taken[row] = None
            self._set_turn(group)
        rows = np.array(list(taken), dtype=np.int64)
        return Taken(rows, self._closed(budget), [], repeats)

    # Offers

    def _next(self, budget: float) -> _Offer | None:
        """The offer that is taken next, the clock moved to where it may be; None where there is
        none within the budget."""
        while True:
            owed = self._owed() if self.owing else None
            if owed is not None:
                return owed
            passed: list[_Offer] = []
            for offer in self._offers():
                if self._may(offer.language, offer.amount, self.most):
                    return offer
                passed.append(offer)
            opens = [
                (self.spent[o.language] + o.amount) / self.most[o.language]
                for o in passed
                if self.most[o.language] > 0
            ]
            if min(opens, default=float("inf")) > budget:
                return None
            self.clock = max(self.clock, min(opens))

    def _offers(self) -> Iterator[_Offer]:
        """The offers of all languages, the first by turn and rank first."""
        seen: set[int] = set()
        for turn in self.order:
            group = turn[2]
            for place, language in self.heads[group]:
                if language not in seen:
                    seen.add(language)
                    yield _Offer(turn, place, language, self._amount(group, place))
            for language in self.waiting[group] - seen:
                seen.add(language)
                yield _Offer(turn, LAST, language, self.smallest[language])
            if len(seen) == len(self.most):
                return

    def _owed(self) -> _Offer | None:
        """The first offer of a language that is owed it."""
        best: _Offer | None = None
        for language in self.owing:
            if not self._may(language, self.smallest[language], self.least):
                continue
            offer = self._offer(language)
            if offer is None:
                self.owing = [i for i in self.owing if i != language]
            elif self._may(language, offer.amount, self.least):
                best = offer if best is None else min(best, offer)
        return best

    def _offer(self, language: int) -> _Offer | None:
        for turn in self.order:
            group = turn[2]
            queue = self.queues[group].get(language)
            if queue is not None and queue.size:
                place = int(queue[0])
                return _Offer(turn, place, language, self._amount(group, place))
            if language in self.waiting[group]:
                return _Offer(turn, LAST, language, self.smallest[language])
        return None

    def _may(self, language: int, amount: float, shares: list[float]) -> bool:
        """Whether a language stays within its share at the clock, with a row of this amount. Where
        it does not, it would not with a larger one."""
        at = max(self.clock, self.total + amount)
        return self.spent[language] + amount <= shares[language] * at * (1 + ROUNDING)

    def _closed(self, budget: float) -> np.ndarray:
        """bool[L]: languages that have rows left and are at their cap."""
        shut = np.zeros(len(self.most), dtype=bool)
        for offer in self._offers():
            share = self.most[offer.language]
            within = self.spent[offer.language] + offer.amount
            shut[offer.language] = share < 1 and within > share * budget * (1 + ROUNDING)
        return np.asarray(shut[self.code])

    # Groups

    def _set_turn(self, group: int) -> None:
        """The group's turn, by its best ranked row: so what opens or closes a language changes no
        turn. Ranks more where nothing ranked is left."""
        if (old := self.turns[group]) is not None:
            del self.order[bisect_left(self.order, old)]
        while not self.heads[group] and self.ranked.has_more(group):
            self.ranked.extend([group])
            self._read(group)
        self.turns[group] = None
        if self.heads[group]:
            place = self.heads[group][0][0]
            level = self.curve.one(group, self.filled[group] + self._amount(group, place) / 2)
            turn = (level, int(self.pool.key[self.ranked.rows[group][place]]), group)
            self.turns[group] = turn
            insort(self.order, turn)

    def _rank_more(self, group: int) -> None:
        """A language that has no ranked row of the group left may be given one of it."""
        self.ranked.extend([group])
        self._read(group)

    # Rows

    def _amount(self, group: int, place: int) -> float:
        return float(self.pool.amount[self.ranked.rows[group][place]])

    def _pass(self, group: int, language: int) -> None:
        """The first row of a language in this group has had its turn."""
        queue = self.queues[group][language]
        self.heads[group].remove((int(queue[0]), language))
        self.queues[group][language] = queue = queue[1:]
        if queue.size:
            insort(self.heads[group], (int(queue[0]), language))

    def _read(self, group: int) -> None:
        """Put rows that were ranked since into the queues of their languages."""
        rows, queues = self.ranked.rows[group], self.queues[group]
        first, self.known[group] = self.known[group], len(rows)
        codes = self.code[self.pool.language[rows[first:]]]
        order = np.argsort(codes, kind="stable")
        languages, starts = np.unique(codes[order], return_index=True)
        parts = np.split(first + order, starts[1:])
        for language, places in zip(languages.tolist(), parts, strict=False):
            earlier = queues.get(language)
            if earlier is not None and earlier.size:
                queues[language] = np.concatenate([earlier, places])
            else:
                queues[language] = places
                insort(self.heads[group], (int(places[0]), language))
        codes = self.code[self.pool.language[self.ranked.waiting[group]]]
        self.waiting[group] = set(np.unique(codes).tolist())

    def _smallest(self) -> list[float]:
        """The smallest amount of each language's open rows; infinite where there are none."""
        rows = self.pool.open()
        found = np.full(len(self.most), np.inf)
        amounts = self.pool.amount[rows].astype(np.float64)
        np.minimum.at(found, self.code[self.pool.language[rows]], amounts)
        return [float(amount) for amount in found]


def _codes(limits: Limits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number int64[L] by which each language is counted, and caps and minimum shares of the
    numbers. Languages that have neither count as one: theirs is the first of all their rows."""
    free = (limits.most >= 1) & (limits.least <= 0)
    code = np.where(free, 0, np.cumsum(~free) - (0 if free.any() else 1))
    most, least = limits.most[~free], limits.least[~free]
    if free.any():
        most, least = np.append(1.0, most), np.append(0.0, least)
    return code, most, least
