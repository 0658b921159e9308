"""The verdict on a window of usage against the usage that an adapter was trained for."""

from dataclasses import dataclass, field

import numpy as np

from compass_core.config.schema import Drift
from compass_core.drift.design_effect import design_effects
from compass_core.drift.looks import month_chance
from compass_core.drift.permutation import STAGES, Null, permutation_null, scores
from compass_core.drift.sample import Sample
from compass_core.gaps.divergence import jsd_bits

NAMED_AT = 0.05  # chance that a cluster is named although none moved


@dataclass(frozen=True)
class Moved:
    """A cell whose share changed. `p_value` allows for looking at all cells."""

    cell: int
    anchor_share: float
    window_share: float
    p_value: float

    @property
    def change(self) -> float:
        return self.window_share - self.anchor_share


@dataclass(frozen=True)
class DriftVerdict:
    """Divergences are in bits. The null's figures are for these users (times `design_effect`)."""

    verdict: str  # drift | no_drift | insufficient_data
    reason: str
    jsd_bits: float | None = None
    null_mean_bits: float | None = None
    null_95_bits: float | None = None
    excess_bits: float | None = None
    p_value: float | None = None  # of this look
    p_month: float | None = None  # that a quiet month has a look like this or a rarer one
    design_effect: float | None = None
    novel_share: float | None = None
    novel_anchor_share: float | None = None
    novel_p_value: float | None = None
    moved: list[Moved] = field(default_factory=list)


def drift_verdict(
    window: Sample,
    anchor: Sample,
    settings: Drift,
    seed: int,
    stages: tuple[int, ...] = STAGES,
) -> DriftVerdict:
    """Judge a window against the anchor, two samples without a common row, in the same cells.

    Two statistics: the Jensen-Shannon divergence, for changes spread over many clusters, and the
    largest |z| of a single cell, for one topic that grows; the last cell is what lies outside all
    clusters. Both are divided by the design effect of the users and judged by a permutation null
    (`permutation.py`), together and over a month of daily looks (`looks.py`).
    `drift` needs the month's chance below alpha and a smallest effect: an excess of the divergence
    over its null mean of `min_effect_bits`, or a cell whose share moved by `min_cluster_shift`.
    Only cells that could move that far are tested.
    """
    n, m = window.rows, anchor.rows
    if n < settings.min_rows or m < settings.min_rows:
        which, rows = ("window", n) if n < settings.min_rows else ("anchor", m)
        return DriftVerdict(
            "insufficient_data",
            f"{rows} prompts in the {which}, drift.min_rows is {settings.min_rows}",
        )
    seen = one_look(window, anchor, settings, seed, stages)
    p, q, null, overall, distance = seen.p, seen.q, seen.null, seen.design_effect, seen.bits
    cells, days = int(((p > 0) | (q > 0)).sum()), settings.window_days
    month = [month_chance(p, cells, days, n / m) for p in (null.p_distribution, null.p_cluster)]
    mean_bits = overall * float(null.divergence_bits.mean())
    spread = month[0] < settings.alpha and distance - mean_bits >= settings.min_effect_bits
    single = month[1] < settings.alpha and seen.any_far
    found = spread or single
    return DriftVerdict(
        "drift" if found else "no_drift",
        _reason(spread, single, min(month), settings),
        distance,
        mean_bits,
        overall * float(np.quantile(null.divergence_bits, 0.95)),
        distance - mean_bits,
        seen.p_value,
        min(month),
        overall,
        float(p[-1]),
        float(q[-1]),
        _chance(null, float(seen.z[-1])) if seen.tested[-1] else 1.0,
        _moved(p, q, seen.z, seen.tested, null) if found else [],
    )


@dataclass(frozen=True)
class Look:
    """What one look sees, before the month's other looks are allowed for. Cells are C."""

    p: np.ndarray  # window shares f64[C]
    q: np.ndarray  # anchor shares f64[C]
    z: np.ndarray  # f64[C], of the users' design effect
    tested: np.ndarray  # bool[C]: cells that could move by the smallest shift
    any_far: bool  # whether one did
    bits: float
    design_effect: float
    null: Null

    @property
    def p_value(self) -> float:
        """Of both statistics together; under no change uniform."""
        return min(self.null.p_distribution, self.null.p_cluster)


def one_look(
    window: Sample, anchor: Sample, settings: Drift, seed: int, stages: tuple[int, ...] = STAGES
) -> Look:
    """Both statistics of two samples of at least one row each, against their permutation null."""
    n, m = window.rows, anchor.rows
    overall, by_cell = design_effects(window, anchor)
    p, q = window.counts / n, anchor.counts / m
    pooled = window.counts + anchor.counts
    share = pooled / (n + m)
    tested = share >= settings.min_cluster_shift * min(n, m) / (n + m)
    z = scores(p - q, share, n, m) / np.sqrt(np.maximum(overall, by_cell))
    far = tested & (np.abs(p - q) >= settings.min_cluster_shift)
    largest = float(z[far].max()) if far.any() else 0.0
    distance = jsd_bits(window.counts.astype(float), anchor.counts.astype(float))
    null = permutation_null(pooled, n, tested, distance / overall, largest, seed, stages)
    return Look(p, q, z, tested, bool(far.any()), distance, overall, null)


def _moved(
    p: np.ndarray, q: np.ndarray, z: np.ndarray, tested: np.ndarray, null: Null
) -> list[Moved]:
    """Cells that moved more than any cell does in most quiet looks, largest change first."""
    cells = [
        Moved(int(c), float(q[c]), float(p[c]), _chance(null, float(z[c])))
        for c in np.flatnonzero(tested)
    ]
    named = [cell for cell in cells if cell.p_value < NAMED_AT]
    return sorted(named, key=lambda cell: (-abs(cell.change), cell.cell))


def _chance(null: Null, z: float) -> float:
    """Chance that the most extreme of all cells reaches z in one look when none moved."""
    return float((1 + (null.largest_z >= z).sum()) / (len(null.largest_z) + 1))


def _reason(spread: bool, single: bool, p_month: float, settings: Drift) -> str:
    chance = f"a quiet month shows this with chance {p_month:.2g}"
    if spread or single:
        what = {
            (True, True): "the distribution changed, one cluster most of all",
            (True, False): "the distribution changed",
            (False, True): "one cluster changed",
        }[spread, single]
        return f"{what}; {chance}"
    if p_month < settings.alpha:
        return f"not chance ({p_month:.2g} a month), but smaller than the smallest effect set"
    return f"{chance}, drift.alpha is {settings.alpha:g}"
