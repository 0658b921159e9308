"""The rule of `turns.take_in_turns` written down plainly: everything is looked at for every row."""

import numpy as np

from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import Ranked
from compass_core.sampling.strategies import Curve
from compass_core.sampling.take import ROUNDING, Limits


def take_plainly(
    pool: Pool, ranked: Ranked, curve: Curve, budget: float, limits: Limits
) -> list[int]:
    """Rows in the order in which they come. Every row must have been ranked."""
    groups = range(len(ranked.rows))
    left = [[int(row) for row in rows] for rows in ranked.rows]
    filled, spent = [0.0] * len(left), [0.0] * len(pool.languages)
    clock = total = 0.0
    taken: list[int] = []

    def turn(group):
        first = left[group][0]
        taken_at = np.array([filled[group] + float(pool.amount[first]) / 2])
        return float(curve(np.array([group]), taken_at)[0]), int(pool.key[first]), group

    def may(offer, shares, clock, total):
        amount = float(pool.amount[offer[3]])
        at = max(clock, total + amount)
        return spent[offer[2]] + amount <= shares[offer[2]] * at * (1 + ROUNDING)

    while True:
        turns = sorted(turn(group) for group in groups if left[group])
        turns = [one for one in turns if np.isfinite(one[0])]
        offers = []
        for language in range(len(pool.languages)):
            for one in turns:
                mine = [row for row in left[one[2]] if pool.language[row] == language]
                if mine:
                    offers.append((one, left[one[2]].index(mine[0]), language, mine[0]))
                    break
        owing = [offer for offer in offers if limits.least[offer[2]] > 0]
        allowed = [offer for offer in owing if may(offer, limits.least, clock, total)]
        allowed = allowed or [o for o in offers if may(o, limits.most, clock, total)]
        if not allowed:
            opens = [
                (spent[language] + float(pool.amount[row])) / limits.most[language]
                for _, _, language, row in offers
                if limits.most[language] > 0
            ]
            if min(opens, default=np.inf) > budget:
                return taken
            clock = float(min(opens))
            continue
        (_, _, group), _, language, row = min(allowed)
        amount = float(pool.amount[row])
        at = max(clock, total + amount)
        if at > budget:
            return taken
        clock, total = at, total + amount
        spent[language] += amount
        filled[group] += amount
        left[group].remove(row)
        taken.append(row)
