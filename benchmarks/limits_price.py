"""What caps and minimum shares by language cost, and what it costs that a budget only adds rows.

    python -m benchmarks.limits_price

Random problems of 50 clusters and 8 pool languages (20,000 rows, languages by 1 / rank, usage and
training corpus skewed, budget 3,000 rows). `best, free` is the divergence of the best mix without
limits, `best` that within them (exact, see sampling/allocate_limits.py), `rule` what the rows that
are taken reach: they are taken one after the other, so that a larger budget only adds rows.
"""

from itertools import product

import numpy as np

from compass_core.gaps.divergence import jsd_bits
from compass_core.sampling.allocate import waterfill
from compass_core.sampling.allocate_limits import waterfill_within_limits
from compass_core.sampling.pool import Pool
from compass_core.sampling.rank import InOrder
from compass_core.sampling.strategies import Weighted
from compass_core.sampling.take import Limits
from compass_core.sampling.turns import take_in_turns

CLUSTERS, LANGUAGES, ROWS, BUDGET, PROBLEMS = 50, 8, 20_000, 3_000, 20


def problem(seed: int, filled: float) -> tuple[Pool, np.ndarray, np.ndarray, np.ndarray]:
    """A pool, its cells f64[K, L], p_usage and what is held; `filled` of the cells have rows."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(CLUSTERS))[:, None] / np.arange(1, LANGUAGES + 1)[None, :]
    share = share * (rng.random(share.shape) < filled)
    cell = rng.choice(share.size, ROWS, p=share.ravel() / share.sum())
    p_usage = rng.dirichlet(np.ones(CLUSTERS))
    held = np.floor(rng.dirichlet(np.full(CLUSTERS, 0.3)) * 2_000)
    pool = Pool(
        key=rng.integers(0, 2**62, ROWS).astype(np.uint64),
        text=np.arange(ROWS, dtype=np.uint64),
        cluster=(cell // LANGUAGES).astype(np.int32),
        language=(cell % LANGUAGES).astype(np.int16),
        similarity=np.zeros(ROWS, dtype=np.float32),
        amount=np.ones(ROWS, dtype=np.int64),
        languages=[f"l{i}" for i in range(LANGUAGES)],
    )
    cells = np.bincount(cell, minlength=share.size).reshape(share.shape).astype(np.float64)
    return pool, cells, p_usage, held


def main() -> None:
    heads = ("filled", "cap", "least", "best, free", "best", "rule - best", "at most")
    print("".join(f"{head:>12}" for head in heads))
    for filled, cap, least in product((1.0, 0.25, 0.1), (0.25, 0.14), (0.0, 0.1)):
        limits = Limits(np.full(LANGUAGES, cap), np.full(LANGUAGES, least))
        found = []
        for seed in range(PROBLEMS):
            pool, cells, p, held = problem(seed, filled)
            ranked = InOrder(pool, pool.cluster, CLUSTERS, None)
            taken = take_in_turns(pool, ranked, Weighted(p, held), BUDGET, limits, {}).rows
            added = np.bincount(pool.cluster[taken], minlength=CLUSTERS)
            best = waterfill_within_limits(p, held, cells, BUDGET, limits)
            free = waterfill(p, held, cells.sum(axis=1), BUDGET)
            found.append([jsd_bits(held + x, p) for x in (free, best, added)])
        free_bits, best_bits, rule_bits = np.array(found).T
        over = rule_bits - best_bits
        bits = (free_bits.mean(), best_bits.mean(), over.mean(), over.max())
        print("".join(f"{v:>12.2f}" for v in (filled, cap, least)), end="")
        print("".join(f"{v:>12.4f}" for v in bits))


if __name__ == "__main__":
    main()
