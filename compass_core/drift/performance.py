"""Whether the serving model does worse on new prompts than on those it was trained for.

A test of the distribution is blind to harm: usage may move to what the model handles well, or get
harder inside one cluster. The signal is the change of the mean loss per token from the anchor to
the window. New prompts may simply be harder text, for any model; so the same change of the base
model is the baseline, and the difference of the two is what the adapter lost of its advantage.
"""

from dataclasses import dataclass

import numpy as np

from compass_core.drift.prompt_loss import PromptLosses
from compass_core.hashing import seeded_generator

DRAWS = 1_000
MASS = 0.95


@dataclass(frozen=True)
class Side:
    """Which of the prompts are in the window bool[n], and who wrote each int64[n]."""

    window: np.ndarray
    users: np.ndarray


@dataclass(frozen=True)
class Performance:
    """Losses in nats per token; `harm` = change with the adapter minus change without.

    Above zero: the adapter helps less on the new prompts than on the old ones.
    """

    anchor_loss: float
    window_loss: float
    anchor_base_loss: float
    window_base_loss: float
    change: float
    change_low: float
    change_high: float
    harm: float
    harm_low: float
    harm_high: float
    anchor_prompts: int
    window_prompts: int
    anchor_tokens: int
    window_tokens: int


def performance(losses: PromptLosses, side: Side, seed: int) -> Performance | None:
    """Figures with 95 % intervals from 1,000 bootstrap draws of users (of prompts without one).

    None where a side has no token.
    """
    sums = np.stack([losses.adapter_nats, losses.base_nats, losses.tokens.astype(float)])
    if not losses.tokens[side.window].sum() or not losses.tokens[~side.window].sum():
        return None
    means = {flag: _means(sums[:, side.window == flag].sum(axis=1)) for flag in (True, False)}
    drawn = {flag: _bootstrap(sums, side, flag, seed) for flag in (True, False)}
    change = drawn[True][0] - drawn[False][0]
    harm = change - (drawn[True][1] - drawn[False][1])
    low, high = (1 - MASS) / 2, (1 + MASS) / 2
    plain = means[True][1] - means[False][1]
    return Performance(
        means[False][0],
        means[True][0],
        means[False][1],
        means[True][1],
        means[True][0] - means[False][0],
        float(np.quantile(change, low)),
        float(np.quantile(change, high)),
        means[True][0] - means[False][0] - plain,
        float(np.quantile(harm, low)),
        float(np.quantile(harm, high)),
        int((~side.window).sum()),
        int(side.window.sum()),
        int(losses.tokens[~side.window].sum()),
        int(losses.tokens[side.window].sum()),
    )


def _means(sums: np.ndarray) -> tuple[float, float]:
    return float(sums[0] / sums[2]), float(sums[1] / sums[2])


def _bootstrap(sums: np.ndarray, side: Side, window: bool, seed: int) -> tuple[np.ndarray, ...]:
    """Mean losses per token f64[DRAWS] with the adapter and without, users drawn anew."""
    chosen = side.window == window
    users = side.users[chosen].copy()
    alone = users < 0
    users[alone] = users.max(initial=0) + 1 + np.arange(alone.sum())
    _, place = np.unique(users, return_inverse=True)
    people = int(place.max()) + 1
    by_user = np.stack(
        [np.bincount(place, weights=row, minlength=people) for row in sums[:, chosen]]
    )
    generator = seeded_generator(seed, "performance", str(window))
    draws = generator.multinomial(people, np.full(people, 1 / people), size=DRAWS)
    totals = draws @ by_user.T
    tokens = np.maximum(totals[:, 2], 1.0)
    return totals[:, 0] / tokens, totals[:, 1] / tokens
