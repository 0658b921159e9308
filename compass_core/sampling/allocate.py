"""Water-filling: the exact split of a budget that brings a mix closest to its target."""

import numpy as np


def waterfill(
    p_target: np.ndarray, held: np.ndarray, available: np.ndarray, budget: float
) -> np.ndarray:
    """How much x f64[K] to add to `held` so that held + x comes closest to `p_target`.

    x_c = clip(level * p_c - held_c, 0, available_c) with one level for all clusters, such that
    sum(x) = min(budget, what clusters with p_c > 0 have available). This is the minimiser of
    KL(p || held + x) under those bounds: its derivative -p_c / (held_c + x_c) is equal over all
    clusters that are neither empty nor full. Found exactly: by bisection over the sorted levels at
    which clusters begin and stop to take, between two of which all is linear. Cost: K log K.
    """
    asked = (p_target > 0) & (available > 0)
    x = np.zeros(len(p_target))
    p, n, a = p_target[asked], held[asked], available[asked]
    if not p.size or budget <= 0:
        return x
    if budget >= a.sum():
        x[asked] = a
        return x
    begins, stops = n / p, (n + a) / p
    levels = np.sort(np.concatenate([begins, stops]))
    # Sums are made anew at each level that is tried: differences of shares would leave rounding
    # errors in the slope, and a cluster of a tiny share is reached at levels that multiply them.
    low, high = 0, len(levels)
    while high - low > 1:
        middle = (low + high) // 2
        if np.clip(levels[middle] * p - n, 0, a).sum() <= budget:
            low = middle
        else:
            high = middle
    level = levels[low]
    filled = np.clip(level * p - n, 0, a)
    rising = np.where((begins <= level) & (level < stops), p, 0.0)
    if rising.any():
        filled += rising / rising.sum() * (budget - filled.sum())
    x[asked] = np.clip(filled, 0, a)
    return x


def round_largest_remainder(x: np.ndarray, available: np.ndarray, total: int) -> np.ndarray:
    """Integers int64[K] that sum to `total`, never above `available`, nearest to x.

    Whole parts first, then one more for the largest remainders (the first of equals). Raises
    ValueError when `total` exceeds what is available.
    """
    limit = np.floor(available).astype(np.int64)
    if total > limit.sum():
        raise ValueError(f"total: received {total}; allowed: at most {int(limit.sum())} available")
    whole = np.minimum(np.floor(x + 1e-9).astype(np.int64), limit)
    while (short := total - int(whole.sum())) != 0:
        remainder = x - whole
        if short > 0:
            open_ = np.flatnonzero(whole < limit)
            order = open_[np.argsort(-remainder[open_], kind="stable")]
            whole[order[:short]] += 1
        else:
            open_ = np.flatnonzero(whole > 0)
            order = open_[np.argsort(remainder[open_], kind="stable")]
            whole[order[:-short]] -= 1
    return np.asarray(whole)
