import numpy as np
import pytest

from compass_core.drift.design_effect import design_effects
from compass_core.drift.sample import ALONE, Sample, number_users

CELLS = 6


def test_prompts_of_unknown_users_count_one_each():
    rng = np.random.default_rng(0)
    window, anchor = (
        Sample(rng.integers(CELLS, size=n), np.full(n, ALONE), CELLS) for n in (90, 80)
    )
    overall, by_cell = design_effects(window, anchor)
    assert overall == 1.0
    assert (by_cell == 1).all()


def test_users_with_one_prompt_each_are_as_unknown_users():
    rng = np.random.default_rng(0)
    cells = rng.integers(CELLS, size=2_000)
    window = Sample(cells[:900], np.arange(900), CELLS)
    anchor = Sample(cells[900:], np.arange(900, 2_000), CELLS)
    overall, by_cell = design_effects(window, anchor)
    assert overall == pytest.approx(1.0, abs=1e-9)
    assert by_cell == pytest.approx(np.ones(CELLS), abs=1e-9)


def test_everybody_repeating_a_prompt_four_times_makes_it_four():
    rng = np.random.default_rng(1)
    once = rng.integers(CELLS, size=500)
    window = Sample(np.repeat(once[:250], 4), np.repeat(np.arange(250), 4), CELLS)
    anchor = Sample(np.repeat(once[250:], 4), np.repeat(np.arange(250, 500), 4), CELLS)
    overall, by_cell = design_effects(window, anchor)
    assert overall == pytest.approx(4.0, rel=0.02)
    assert by_cell == pytest.approx(np.full(CELLS, 4.0), rel=0.02)


def test_the_same_people_with_the_same_habits_on_both_sides_cancel_out():
    """Each of 40 users always asks in one cell, in the window as in the anchor."""
    habits = np.repeat(np.arange(40) % CELLS, 5)
    users = np.repeat(np.arange(40), 5)
    both = Sample(habits, users, CELLS)
    overall, _ = design_effects(both, both)
    assert overall == 1.0
    strangers = Sample(habits, users + 40, CELLS)
    assert design_effects(both, strangers)[0] == pytest.approx(5.0, rel=0.1)


def test_the_estimate_matches_the_variance_of_repeated_draws():
    """Users with habits of their own: the estimated effect against what 250 streams really vary."""
    rng = np.random.default_rng(2)
    p = np.array([0.4, 0.2, 0.2, 0.1, 0.1, 0.0])
    changes, estimates = [], []

    def side(first):
        cells, users = [], []
        for user in range(30):
            habit = rng.dirichlet(4 * p[:5])
            asked = rng.choice(5, size=1 + rng.poisson(5), p=habit)
            cells += asked.tolist()
            users += [first + user] * len(asked)
        return Sample(np.array(cells), np.array(users), CELLS)

    for _ in range(250):
        window, anchor = side(0), side(30)
        changes.append(window.counts / window.rows - anchor.counts / anchor.rows)
        estimates.append(design_effects(window, anchor)[0])
    sizes = 1 / 180 + 1 / 180
    true = (np.array(changes)[:, :5] ** 2 / p[:5]).sum(axis=1).mean() / (4 * sizes)
    assert true > 1.5
    assert np.mean(estimates) == pytest.approx(true, rel=0.12)


def test_users_get_one_number_in_both_samples():
    window, anchor = number_users(["b", None, "a"], ["a", "c"])
    assert window.tolist() == [1, ALONE, 0]
    assert anchor.tolist() == [0, 2]
