"""Water-filling where pool languages have caps and minimum shares: still exact."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from compass_core.sampling.allocate import waterfill
from compass_core.sampling.take import Limits

TOLERANCE = 1e-7  # of the budget: what a linear program may be off by


def waterfill_within_limits(
    p_target: np.ndarray, held: np.ndarray, available: np.ndarray, budget: float, limits: Limits
) -> np.ndarray:
    """How much x f64[K] to add to `held` f64[K] from cells `available` f64[K, L] of clusters and
    pool languages, so that held + x comes closest to `p_target`.

    Language l gives at most `limits.most[l]` of the budget and at least `limits.least[l]` of it, or
    all it has in clusters with p > 0 where that is less; together they give as much of the budget
    as this allows. Among all such x this is the one whose levels (held_c + x_c) / p_c are as equal
    as can be: the lexicographically optimal base of the polymatroid of attainable x (Fujishige
    1980). It is the minimiser of every convex sum of p_c f((held_c + x_c) / p_c) at once, so of
    KL(p || held + x) and of the Jensen-Shannon divergence as well.

    Found by decomposition: water-fill as if languages did not count; where they cannot deliver
    that, a minimum cut names the clusters that get less, and each side is solved by itself.
    Cost: a linear program of K·L variables for each such cut, at most 2 K.
    """
    asked = np.flatnonzero((p_target > 0) & (available.sum(axis=1) > 0))
    x = np.zeros(len(p_target))
    if not asked.size or budget <= 0:
        return x
    cells = _free_as_one(available[asked], limits)
    p, n = p_target[asked], held[asked]
    most, least = cells.most * budget, cells.least * budget
    least = np.minimum(least, cells.available.sum(axis=0))
    most = np.minimum(np.maximum(most, least), cells.available.sum(axis=0))
    total = min(budget, float(most.sum()))
    flow = _Flow(cells.available, least, most, total)
    found = np.zeros(len(asked))
    nobody = np.zeros(0, dtype=np.int64)
    waiting = [(nobody, 0.0, np.arange(len(asked)), total)]
    while waiting:
        before, before_total, mine, amount = waiting.pop()
        wanted = waterfill(p[mine], n[mine], cells.available[mine].sum(axis=1), amount)
        reached, starved = flow.most_of(wanted, mine, before, before_total)
        if reached >= amount - TOLERANCE * budget or starved.all() or not starved.any():
            found[mine] = wanted
            continue
        less = reached - float(wanted[~starved].sum())
        waiting.append((before, before_total, mine[starved], less))
        upto = np.concatenate([before, mine[starved]])
        waiting.append((upto, before_total + less, mine[~starved], amount - less))
    x[asked] = found
    return x


class _Cells:
    def __init__(self, available: np.ndarray, most: np.ndarray, least: np.ndarray) -> None:
        self.available, self.most, self.least = available, most, least


def _free_as_one(available: np.ndarray, limits: Limits) -> _Cells:
    """Languages without cap or minimum share count as one: it makes the programs small."""
    free = (limits.most >= 1) & (limits.least <= 0)
    bound = available[:, ~free]
    if not free.any():
        return _Cells(bound, limits.most, limits.least)
    together = available[:, free].sum(axis=1, keepdims=True)
    return _Cells(
        np.hstack([bound, together]),
        np.append(limits.most[~free], 1.0),
        np.append(limits.least[~free], 0.0),
    )


class _Flow:
    """What languages can deliver to clusters: sources l with least_l <= sum_c y[c, l] <= most_l,
    `total` in all, cells y[c, l] <= available[c, l]."""

    def __init__(
        self, available: np.ndarray, least: np.ndarray, most: np.ndarray, total: float
    ) -> None:
        self.available, self.least, self.most, self.total = available, least, most, total

    def most_of(
        self, wanted: np.ndarray, mine: np.ndarray, before: np.ndarray, before_total: float
    ) -> tuple[float, np.ndarray]:
        """The most of wanted f64[m] that clusters `mine` int64[m] can get when clusters `before`
        get `before_total` together; and bool[m] which of them are short of supply in a minimum
        cut.

        A language's first least_l units are its own; what it gives beyond comes out of what the
        minimum shares of all languages leave of the total.
        """
        clusters = np.concatenate([mine, before])
        row, language = np.nonzero(self.available[clusters] > 0)
        count, m, groups = len(row), len(mine), len(self.least)
        extra = count + np.arange(groups)  # variables after the cells: what exceeds least_l
        place = np.minimum(row, m)  # row m of the table: all of `before` together
        entries = [
            (place, np.arange(count), np.ones(count)),
            (m + 1 + language, np.arange(count), np.ones(count)),
            (m + 1 + np.arange(groups), extra, -np.ones(groups)),
            (np.full(groups, m + 1 + groups), extra, np.ones(groups)),
        ]
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        shape = (m + groups + 2, count + groups)
        table = coo_matrix((values, (rows, columns)), shape=shape).tocsr()
        left = self.total - float(self.least.sum())
        right = [wanted, np.array([before_total]), self.least, np.array([left])]
        upper = np.concatenate([self.available[clusters][row, language], self.most - self.least])
        # What `before` gets is worth twice as much: it is filled first, and to the brim.
        worth = np.concatenate([np.where(row < m, -1.0, -2.0), np.zeros(groups)])
        result = linprog(
            worth,
            A_ub=table,
            b_ub=np.concatenate(right),
            bounds=np.column_stack([np.zeros(len(upper)), upper]),
            method="highs",
        )
        if not result.success:
            raise RuntimeError(f"the linear program of the best mix failed: {result.message}")
        given = float(result.x[:count][row < m].sum())
        return given, np.abs(np.asarray(result.ineqlin.marginals)[:m]) < 0.5
