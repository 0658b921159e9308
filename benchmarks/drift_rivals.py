"""Other ways to say that usage drifted, on the same windows.

- a fixed threshold on the Jensen-Shannon divergence: 0.1 bits;
- Evidently's rule for one categorical column, re-implemented from its documentation and code
  (0.7.23; no line copied): up to 1,000 reference rows a chi-square test of the window against the
  reference shares, taken as known, at 0.05; above, a Jensen-Shannon distance (base e) of 0.1.
  `python -m benchmarks.drift_rivals` compares it with the package where that is installed;
- MMD on the embeddings with a Gaussian kernel (bandwidth: median distance) and a permutation test.
"""

from collections.abc import Callable

import numpy as np

from compass_core.drift.sample import Sample
from compass_core.gaps.divergence import jsd_bits
from compass_core.hashing import seeded_generator

FIXED_BITS = 0.1
MMD_ROWS = 400  # of each side; more are cut, seeded


def evidently_says(window: np.ndarray, reference: np.ndarray) -> bool:
    """Evidently's default verdict on counts int64[C] of one categorical column."""
    from scipy.stats import chi2, norm

    n, m = int(window.sum()), int(reference.sum())
    seen = (window + reference) > 0
    if m > 1_000:
        bits = jsd_bits(window.astype(float), reference.astype(float))
        return bool(np.sqrt(bits * np.log(2)) >= 0.1)
    if seen.sum() <= 2:
        pooled = (window[seen][0] + reference[seen][0]) / (n + m)
        error = np.sqrt(max(pooled * (1 - pooled) * (1 / n + 1 / m), 1e-300))
        change = abs(window[seen][0] / n - reference[seen][0] / m)
        return bool(2 * norm.sf(change / error) < 0.05)
    expected = reference[seen] * (n / m)
    with np.errstate(divide="ignore"):
        statistic = ((window[seen] - expected) ** 2 / expected).sum()
    return bool(chi2.sf(statistic, seen.sum() - 1) < 0.05)


def mmd_p_value(
    window: np.ndarray, reference: np.ndarray, seed: int, stages: tuple[int, ...] = (200, 4_000)
) -> float:
    """Permutation p of the squared MMD between two sets of vectors f32[n, d]."""
    rng = seeded_generator(seed, "mmd")
    window, reference = (_cut(rng, rows) for rows in (window, reference))
    n, m = len(window), len(reference)
    rows = np.concatenate([window, reference])
    squared = np.maximum(0.0, 2 - 2 * (rows @ rows.T))  # unit vectors
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(n + m, 1)])).astype(np.float32)
    labels = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)]).astype(np.float32)
    observed = labels @ kernel @ labels
    above = done = 0
    for total in stages:
        signs = rng.permuted(np.tile(labels, (total - done, 1)), axis=1)
        above += int((((signs @ kernel) * signs).sum(axis=1) >= observed - 1e-9).sum())
        done = total
        if above > 10:
            break
    return (above + 1) / (done + 1)


def rule_alarms(window: Sample, anchor: Sample) -> dict[str, bool]:
    counts = window.counts, anchor.counts
    bits = jsd_bits(counts[0].astype(float), counts[1].astype(float))
    return {"fixed_0.1_bits": bits >= FIXED_BITS, "evidently_default": evidently_says(*counts)}


def _cut(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    if len(rows) <= MMD_ROWS:
        return rows
    return np.asarray(rows[rng.choice(len(rows), MMD_ROWS, replace=False)])


TABLES = 240


def compare_with_package(report: Callable[[str], None] = print) -> bool:
    """Whether the rule above and the installed evidently agree on random tables: 2 to 120 cells,
    40 to 2,800 rows in the window, 400 to 4,000 in the reference, half of them of one distribution.
    """
    import importlib

    pd = importlib.import_module("pandas")
    tests = importlib.import_module("evidently.legacy.calculations.stattests.registry")
    core = importlib.import_module("evidently.legacy.core")
    rng = np.random.default_rng(3)
    agree = 0
    for number in range(TABLES):
        cells = int(rng.integers(2, 121))
        p = rng.dirichlet(np.ones(cells))
        q = p if number % 2 else rng.dirichlet(np.ones(cells))
        sizes = rng.choice([40, 280, 700, 2_800]), rng.choice([400, 1_000, 1_001, 4_000])
        counts = rng.multinomial(sizes[0], q), rng.multinomial(sizes[1], p)
        current, reference = (pd.Series(np.repeat(np.arange(cells), c)).astype(str) for c in counts)
        kind = core.ColumnType.Categorical
        test = tests.get_stattest(reference, current, kind, None)
        found = test(reference, current, kind, None)
        agree += bool(found.drifted) == evidently_says(*counts)
    report(f"evidently's package and the rule here agree on {agree} of {TABLES} tables")
    return agree == TABLES


if __name__ == "__main__":
    raise SystemExit(0 if compare_with_package() else 1)
