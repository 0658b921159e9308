"""Halves of one usage: the test keeps its level, or says that it cannot."""

import numpy as np

from compass_core.config.schema import Drift
from compass_core.drift.calibration import LEAST_UNITS, self_looks
from compass_core.drift.sample import ALONE, Sample

SETTINGS = Drift()


def bursts(named: bool) -> tuple[Sample, np.ndarray]:
    """Thirty users of twenty prompts, each with one subject; `named`: whether the logs say so."""
    generator = np.random.default_rng(3)
    users = np.repeat(np.arange(30), 20)
    cells = np.repeat(generator.integers(10, size=30), 20)
    return Sample(cells, users if named else np.full(600, ALONE), 11), users


def test_independent_prompts_alarm_as_often_as_they_may():
    generator = np.random.default_rng(1)
    alone = Sample(generator.integers(12, size=400), np.full(400, ALONE), 13)
    found = self_looks(alone, np.arange(400), SETTINGS, 5)
    assert found.passed
    assert found.looks == 60
    assert found.alarms <= 8


def test_bursts_of_named_users_are_allowed_for():
    sample, users = bursts(named=True)
    assert self_looks(sample, users, SETTINGS, 5).passed


def test_bursts_that_the_logs_do_not_name_are_found_out():
    sample, users = bursts(named=False)
    found = self_looks(sample, users, SETTINGS, 5)
    assert not found.passed
    assert found.share > 0.5


def test_the_same_prompts_give_the_same_answer_and_too_few_none():
    sample, users = bursts(named=True)
    assert self_looks(sample, users, SETTINGS, 5) == self_looks(sample, users, SETTINGS, 5)
    assert self_looks(sample, users % (LEAST_UNITS - 1), SETTINGS, 5) is None
    small = Sample(sample.cells[:30], sample.users[:30], 11)
    assert self_looks(small, np.arange(30), SETTINGS, 5) is None
