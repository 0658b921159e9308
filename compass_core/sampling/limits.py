"""Shares of the budget that pool languages may fill at most, and are owed."""

from typing import Any

import numpy as np

from compass_core.config.schema import Sampling
from compass_core.errors import InputError
from compass_core.sampling.allocate import waterfill
from compass_core.sampling.allocate_limits import waterfill_within_limits
from compass_core.sampling.pool import Pool
from compass_core.sampling.take import Limits


def language_limits(sampling: Sampling, languages: list[str]) -> Limits:
    """Limits of the pool's languages. A single number holds for each of them.

    Raises InputError where the minimum shares of these languages sum to more than the budget, or
    one is above its language's cap.
    """
    most = _shares(sampling.max_share_per_language, languages, 1.0)
    least = _shares(sampling.min_share_per_language, languages, 0.0)
    if least.sum() > 1 + 1e-9:
        raise InputError(
            f"sampling.min_share_per_language: received {sampling.min_share_per_language}: "
            f"{least.sum():.3f} of the budget for the {len(languages)} languages of this pool; "
            "allowed: at most 1 in all; lower it, or name the languages that need it"
        )
    above = [tag for tag, low, high in zip(languages, least, most, strict=True) if low > high]
    if above:
        raise InputError(
            f"sampling.min_share_per_language of {', '.join(above)} is above "
            "sampling.max_share_per_language; lower the one or raise the other"
        )
    return Limits(most, least)


def _shares(setting: float | dict[str, float], languages: list[str], rest: float) -> np.ndarray:
    if isinstance(setting, dict):
        return np.array([setting.get(tag, rest) for tag in languages], dtype=np.float64)
    return np.full(len(languages), float(setting))


def best_amounts(
    p_usage: np.ndarray,
    held: np.ndarray,
    available: np.ndarray,
    languages: list[str],
    sampling: Sampling,
) -> np.ndarray:
    """The amounts f64[K] of the best mix that spends the budget: exact, within the limits.

    `available` f64[K, L] by cluster and pool language, in the budget's unit.
    """
    limits = language_limits(sampling, languages)
    if limits.bind:
        return waterfill_within_limits(p_usage, held, available, float(sampling.budget), limits)
    return waterfill(p_usage, held, available.sum(axis=1), float(sampling.budget))


def unmet_minimum(
    pool: Pool, chosen: np.ndarray, limits: Limits, sampling: Sampling
) -> dict[str, Any]:
    """Languages whose minimum share is missed by more than their largest row: by how much, and what
    they have left."""
    spent = pool.by_language(pool.amount[chosen].astype(np.float64), chosen)
    short = limits.least * sampling.budget - spent
    found: dict[str, Any] = {}
    for i in np.flatnonzero(short > 0):
        mine = pool.language == i
        if short[i] >= pool.amount[mine].max(initial=0):
            found[pool.languages[i]] = {"short": round(float(short[i]), 3)}
    named = sampling.min_share_per_language
    for tag, share in named.items() if isinstance(named, dict) else ():
        if share > 0 and tag not in pool.languages:
            found[tag] = {"short": round(share * sampling.budget, 3)}
    return found
