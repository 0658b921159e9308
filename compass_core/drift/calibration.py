"""Does the drift test keep its promise on these prompts? Looks at halves of one and the same usage.

The prompts that an adapter was trained for are dealt into two halves; nothing moved between them,
so looks at level 5 % may alarm in 5 % of cases and no more. They alarm more often where prompts
come in bursts that the test cannot know of: logs without users, or one script under many names.
"""

from dataclasses import dataclass

import numpy as np

from compass_core.config.schema import Drift
from compass_core.drift.sample import Sample
from compass_core.drift.verdict import one_look
from compass_core.hashing import seeded_generator

LOOKS = 60
LEVEL = 0.05
DRAWS = 512  # of the null a look; enough to know 5 %
LEAST_ROWS = 20  # of a half
LEAST_UNITS = 8  # fewer can be dealt out in too few ways
SURE = 0.001  # chance that a test which keeps its level is called uncalibrated


@dataclass(frozen=True)
class Calibration:
    """`alarms` of `looks` had p below LEVEL; `allowed` is the most that chance gives."""

    looks: int
    alarms: int
    allowed: int

    @property
    def share(self) -> float:
        return self.alarms / self.looks

    @property
    def allowed_share(self) -> float:
        return self.allowed / self.looks

    @property
    def passed(self) -> bool:
        return self.alarms <= self.allowed


def self_looks(
    sample: Sample, units: np.ndarray, settings: Drift, seed: int, looks: int = LOOKS
) -> Calibration | None:
    """Looks at random halves of a sample; None where there is too little to say anything.

    `units` int64[n]: prompts that may hang together are dealt out together. Cost at 100 clusters:
    about 30 ms a look.
    """
    from scipy.stats import binom

    names = np.unique(units)
    if len(names) < LEAST_UNITS:
        return None
    alarms = taken = 0
    for look in range(looks):
        generator = seeded_generator(seed, "drift-calibration", str(look))
        first = np.isin(units, generator.permutation(names)[: len(names) // 2])
        if min(first.sum(), (~first).sum()) < LEAST_ROWS:
            continue
        one, two = (
            Sample(sample.cells[half], sample.users[half], sample.cell_count)
            for half in (first, ~first)
        )
        taken += 1
        alarms += one_look(one, two, settings, seed + look, (DRAWS,)).p_value < LEVEL
    if taken < looks // 2:
        return None
    return Calibration(taken, int(alarms), int(binom.ppf(1 - SURE, taken, LEVEL)))
