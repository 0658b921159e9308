import numpy as np
import pytest

from compass_core.drift.performance import Side, performance
from compass_core.drift.prompt_loss import PromptLosses


def losses(window_adapter, window_base, n=200, seed=0):
    """n prompts of 10 tokens on each side; the anchor costs 2.0 with the adapter, 3.0 without."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.3, size=2 * n)
    adapter = np.concatenate([np.full(n, window_adapter), np.full(n, 2.0)]) + noise
    base = np.concatenate([np.full(n, window_base), np.full(n, 3.0)]) + noise
    tokens = np.full(2 * n, 10)
    return PromptLosses(10 * adapter, 10 * base, tokens), np.arange(2 * n) < n


def test_harm_is_what_the_adapter_lost_of_its_advantage():
    made, window = losses(2.6, 3.2)
    found = performance(made, Side(window, np.full(400, -1)), seed=1)
    assert found.change == pytest.approx(0.6, abs=0.1)
    assert found.harm == pytest.approx(0.4, abs=1e-9)
    assert found.harm_low <= found.harm <= found.harm_high
    assert found.harm_low > 0.3
    assert (found.window_prompts, found.window_tokens) == (200, 2_000)


def test_prompts_that_are_harder_for_any_model_do_no_harm():
    made, window = losses(2.5, 3.5)
    found = performance(made, Side(window, np.full(400, -1)), seed=1)
    assert found.change_low > 0.3
    assert found.harm == pytest.approx(0.0, abs=1e-9)


def test_users_who_write_much_widen_the_interval():
    made, window = losses(2.6, 3.2)
    bad_user = made.adapter_nats.copy()
    bad_user[:40] += 20.0  # one user's 40 prompts
    heavy = PromptLosses(bad_user, made.base_nats, made.tokens)
    alone = np.full(400, -1)
    together = alone.copy()
    together[:40] = 7
    wide = performance(heavy, Side(window, together), seed=1)
    narrow = performance(heavy, Side(window, alone), seed=1)
    assert wide.harm == narrow.harm
    assert wide.harm_high - wide.harm_low > 1.5 * (narrow.harm_high - narrow.harm_low)


def test_a_side_without_tokens_gives_no_figure():
    made, window = losses(2.6, 3.2, n=3)
    assert performance(made, Side(np.zeros(6, dtype=bool), np.full(6, -1)), seed=1) is None
    assert window.any()
