"""The verdict on a window of usage against the usage that an adapter was trained for."""

from dataclasses import dataclass

import numpy as np

from compass_core.config.schema import Drift
from compass_core.gaps.divergence import jsd_bits
from compass_core.hashing import seeded_generator

DRAWS = 2_000
LOOKS_PER_MONTH = 30
MOVED_SIGMAS = 3.0


@dataclass(frozen=True)
class DriftVerdict:
    """`moved_clusters`: (position, change of share) of clusters that moved, largest first."""

    verdict: str  # drift | no_drift | insufficient_data
    jsd_bits: float
    null_mean_bits: float
    null_95_bits: float
    p_value: float
    novel_share: float
    novel_p_value: float
    moved_clusters: list[tuple[int, float]]


def drift_verdict(
    window: np.ndarray,
    anchor: np.ndarray,
    novel_window: int,
    novel_anchor: int,
    settings: Drift,
    seed: int,
) -> DriftVerdict:
    """Compare counts int64[K] of a window with those of the anchor, in the same clusters.

    The null is that both are drawn from one distribution: the pooled counts are dealt out again
    (multivariate hypergeometric, 2,000 draws), so clusters, sample sizes and sparsity are those of
    the data. Far tails are read off a gamma with the null's mean and variance. Novelty (rows
    outside every cluster, already among the counts) has Fisher's exact test of its own.
    `drift` needs p < alpha / (30 looks a month × 2 tests) and, for the distribution, an excess over
    the null's mean of at least `min_effect_bits`.
    """
    rows, anchor_rows = int(window.sum()), int(anchor.sum())
    novel_share = novel_window / rows if rows else 0.0
    if rows < settings.min_rows or anchor_rows < settings.min_rows:
        return DriftVerdict("insufficient_data", 0.0, 0.0, 0.0, 1.0, novel_share, 1.0, [])
    distance = jsd_bits(window.astype(float), anchor.astype(float))
    null = _null(window, anchor, seed)
    p_value = _upper_tail(null, distance)
    novel_p = _novelty(novel_window, rows, novel_anchor, anchor_rows)
    limit = settings.alpha / (LOOKS_PER_MONTH * 2)
    moved = distance - float(null.mean()) >= settings.min_effect_bits
    found = (p_value < limit and moved) or novel_p < limit
    return DriftVerdict(
        "drift" if found else "no_drift",
        distance,
        float(null.mean()),
        float(np.quantile(null, 0.95)),
        p_value,
        novel_share,
        novel_p,
        _moved(window, anchor) if found else [],
    )


def _null(window: np.ndarray, anchor: np.ndarray, seed: int) -> np.ndarray:
    """Divergences f64[2000] between two groups of these sizes when nothing moved."""
    pooled = (window + anchor).astype(np.int64)
    pooled = pooled[pooled > 0]
    generator = seeded_generator(seed, "drift-null")
    drawn = generator.multivariate_hypergeometric(
        pooled, int(window.sum()), size=DRAWS, method="marginals"
    )
    p = drawn / window.sum()
    q = (pooled - drawn) / anchor.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.where(r > 0, r * np.log2(r / middle), 0.0).sum(axis=1) for r in (p, q)]
    return np.asarray((halves[0] + halves[1]) / 2)


def _upper_tail(null: np.ndarray, observed: float) -> float:
    from scipy.stats import gamma

    exceeded = int((null >= observed).sum())
    if exceeded >= 10:
        return (exceeded + 1) / (DRAWS + 1)
    mean, variance = float(null.mean()), float(null.var())
    if variance <= 0:
        return 1.0 if observed <= mean else 0.0
    return float(gamma.sf(observed, mean**2 / variance, scale=variance / mean))


def _novelty(novel_window: int, rows: int, novel_anchor: int, anchor_rows: int) -> float:
    from scipy.stats import fisher_exact

    table = [
        [novel_window, rows - novel_window],
        [novel_anchor, anchor_rows - novel_anchor],
    ]
    return float(fisher_exact(table, alternative="greater").pvalue)


def _moved(window: np.ndarray, anchor: np.ndarray) -> list[tuple[int, float]]:
    """Clusters whose share differs by more than three standard errors."""
    n, m = window.sum(), anchor.sum()
    pooled = (window + anchor) / (n + m)
    change = window / n - anchor / m
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    far = np.flatnonzero(np.abs(change) > MOVED_SIGMAS * np.maximum(error, 1e-12))
    far = far[(window + anchor)[far] > 0]
    order = far[np.argsort(-np.abs(change[far]), kind="stable")]
    return [(int(c), float(change[c])) for c in order]
