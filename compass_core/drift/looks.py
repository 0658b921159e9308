"""What looking every day costs: the chance that a quiet month alarms at least once.

Thirty looks are not thirty independent tests: the windows of consecutive days overlap and all are
compared with one anchor. Dividing alpha by thirty (Bonferroni) pays for more than there is. Here
quiet months are simulated, and the chance of a month's smallest p-value is read off them.
"""

from functools import lru_cache

import numpy as np

from compass_core.hashing import seeded_generator

LOOKS = 30  # days in a month, one look a day
MONTHS = 8_000
MOST_CELLS = 48  # with more cells the looks depend on each other in the same way


def month_chance(p_value: float, cells: int, window_days: int, window_per_anchor: float) -> float:
    """Chance that the smallest p-value of 30 daily looks of a quiet month is p_value or less.

    `p_value` is that of one look (of the two tests together), `window_per_anchor` the ratio of rows
    in the window to rows in the anchor. Quiet months are 8,000 paths of independent normal days
    with the anchor's own noise, one dimension a cell, on which the two statistics are the sum of
    squares and the largest |z|. Which p-values come together depends on the overlap of the windows
    and hardly on the clusters, so the coarse steps of the arguments below do no harm. About a
    second the first time, then kept.
    """
    dimensions = min(MOST_CELLS, max(2, cells))
    ratio = float(2.0 ** np.clip(np.round(2 * np.log2(max(window_per_anchor, 1e-9))) / 2, -4, 3))
    smallest = _month_minima(dimensions, window_days, ratio)
    found = np.searchsorted(smallest, p_value * (1 + 1e-9), side="right")
    # A month's chance is never below a single look's, and never above thirty of them.
    return float(np.clip(found / MONTHS, p_value, min(1.0, LOOKS * p_value)))


@lru_cache(maxsize=32)
def _month_minima(cells: int, window_days: int, window_per_anchor: float) -> np.ndarray:
    """Smallest p of each simulated month, f64[8000], sorted."""
    generator = seeded_generator(0, "drift-looks")
    sums, largest = [], []
    for _ in range(0, MONTHS, 500):
        days = generator.standard_normal((500, LOOKS + window_days - 1, cells), dtype=np.float32)
        total = np.cumsum(days, axis=1)
        total[:, window_days:] -= total[:, :-window_days].copy()
        window = total[:, window_days - 1 :] / np.sqrt(window_days)  # unit variance
        # Difference to the anchor, whose variance is window_per_anchor times the window's.
        anchor = generator.standard_normal((500, 1, cells), dtype=np.float32)
        z = (window - anchor * np.sqrt(window_per_anchor)) / np.sqrt(1 + window_per_anchor)
        sums.append((z**2).sum(axis=2))
        largest.append(np.abs(z).max(axis=2))
    smaller = np.minimum(_ranks(np.concatenate(sums)), _ranks(np.concatenate(largest)))
    # The p-value of the two tests together: the rank of the smaller one among all looks.
    together = _ranks(-smaller)
    return np.sort(together.min(axis=1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Share of all looks with a value at least as large, same shape."""
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    shares = np.empty(flat.size)
    shares[order] = np.arange(flat.size, 0, -1) / flat.size
    return shares.reshape(values.shape)
