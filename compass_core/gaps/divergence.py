"""Distributions over clusters: smoothing, intervals, Jensen-Shannon divergence."""

import numpy as np


def jsd_bits(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon divergence of two distributions f64[K], in bits: 0 (equal) to 1 (disjoint).

    An all-zero distribution (nothing there yet) counts as disjoint from everything: 1.
    Source: Lin 1991, eq. 3.1 with equal weights.
    """
    if p.sum() <= 0 or q.sum() <= 0:
        return 1.0
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2

    def half(r: np.ndarray) -> float:
        inside = r > 0
        return float((r[inside] * np.log2(r[inside] / middle[inside])).sum())

    return min(1.0, max(0.0, (half(p) + half(q)) / 2))


def shrunk(counts: np.ndarray, prior: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean f64[K] and Dirichlet parameters f64[K] of counts under a prior.

    `prior` f64[K] is a distribution (or all zero: uniform), `strength` its weight in rows.
    """
    total = prior.sum()
    shares = prior / total if total > 0 else np.full(len(counts), 1 / max(1, len(counts)))
    parameters = counts + strength * shares
    mass = parameters.sum()
    return (parameters / mass if mass > 0 else parameters), parameters


def interval(parameters: np.ndarray, mass: float) -> tuple[np.ndarray, np.ndarray]:
    """Equal-tailed credible interval (low, high f64[K]) of each share of a Dirichlet.

    The marginals are Beta(a_c, sum(a) - a_c).
    """
    from scipy.stats import beta

    rest = parameters.sum() - parameters
    tail = (1 - mass) / 2
    sure = (parameters <= 0) | (rest <= 0)
    safe = np.where(sure, 1.0, parameters), np.where(sure, 1.0, rest)
    low, high = beta.ppf(tail, *safe), beta.ppf(1 - tail, *safe)
    point = np.where(parameters > 0, 1.0, 0.0)
    return np.where(sure, point, low), np.where(sure, point, high)
