"""How much less n prompts say when the same users write many of them.

A test of drift that takes prompts for independent alarms on nothing when users write in bursts and
have their own subjects: forty prompts of one user are not forty votes. Survey statistics call the
ratio of the true variance to that of independent rows the design effect; dividing a chi-square-like
statistic by its mean over the cells is the first-order correction of Rao and Scott (1981, JASA 76).
"""

import numpy as np

from compass_core.drift.sample import ALONE, Sample


def design_effects(window: Sample, anchor: Sample) -> tuple[float, np.ndarray]:
    """Mean design effect over the cells, and that of each cell f64[C]; at least 1.

    The difference of shares is a sum over users of r_u = x_u - s_u p, with x_u the user's rows by
    cell as shares of the window minus those of the anchor, s_u its sum and p the pooled shares. Its
    variance is estimated by sum r_u^2 over users (who are independent; their own rows need not be),
    about the mean, since under drift r_u has one. A user who is in both samples with the same
    habits cancels out. Below 1 it is set to 1: so little is known of rare cells that a smaller
    variance than that of independent rows is not believed.
    """
    n, m = window.rows, anchor.rows
    pooled = (window.counts + anchor.counts) / (n + m)
    change = window.counts / n - anchor.counts / m
    alone = window.counts / n**2 + anchor.counts / m**2
    if (window.users == ALONE).all() and (anchor.users == ALONE).all():
        return 1.0, np.ones(window.cell_count)
    independent = _centred(alone, alone, 1 / n + 1 / m, pooled, change, n + m)
    clustered = _centred(*_sums(window, anchor), pooled, change, _units(window, anchor))
    seen = pooled > 0
    ratio = np.ones(window.cell_count)
    ratio[seen] = clustered[seen] / np.maximum(independent[seen], 1e-300)
    weight = 1 / pooled[seen]
    mean = (clustered[seen] * weight).sum() / max((independent[seen] * weight).sum(), 1e-300)
    return max(1.0, float(mean)), np.maximum(1.0, ratio)


def _centred(
    squares: np.ndarray,
    products: np.ndarray,
    sizes: float,
    pooled: np.ndarray,
    change: np.ndarray,
    units: int,
) -> np.ndarray:
    """Sum over units of (r_u - mean)^2 by cell, from sums of x^2, of s x and of s^2."""
    total = squares - 2 * pooled * products + pooled**2 * sizes
    return np.asarray(np.maximum(total - change**2 / units, 0.0) * units / max(units - 1, 1))


def _sums(window: Sample, anchor: Sample) -> tuple[np.ndarray, np.ndarray, float]:
    """Sums over users of x_uc^2 f64[C], of s_u x_uc f64[C] and of s_u^2."""
    users = np.concatenate([window.users, anchor.users])
    cells = np.concatenate([window.cells, anchor.cells])
    weights = np.concatenate(
        [np.full(window.rows, 1 / window.rows), np.full(anchor.rows, -1 / anchor.rows)]
    )
    lone = users == ALONE
    users = users.copy()
    users[lone] = users.max(initial=0) + 1 + np.arange(lone.sum())
    size = np.bincount(users, weights=weights)
    pairs, place = np.unique(users * window.cell_count + cells, return_inverse=True)
    x = np.bincount(place, weights=weights)
    who, where = np.divmod(pairs, window.cell_count)
    squares = np.bincount(where, weights=x**2, minlength=window.cell_count)
    products = np.bincount(where, weights=x * size[who], minlength=window.cell_count)
    return squares, products, float((size**2).sum())


def _units(window: Sample, anchor: Sample) -> int:
    users = np.concatenate([window.users, anchor.users])
    known = users != ALONE
    return int((~known).sum() + len(np.unique(users[known])))
