"""Who asks about what: the topic shares of usage, training corpora and the auxiliary pool.

Everything here is a table to be read and changed; `generate` draws from it. Shares are relative
weights and need not sum to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from compass_core.world.facts import BASE_KNOWN, TOPICS
from compass_core.world.lexicon import LANGUAGES

SEED = 17
FIRST_DAY = date(2026, 1, 1)
LOG_DAYS = 30
SHIFT_DAY = date(2026, 1, 21)  # the first day on which users ask as in `late`

POOL_ROWS = 8000
TRAINING_ROWS = 400
PROMPTS_A_DAY = 40
DEV_ITEMS = 285  # the size of a Global-MMLU dev split
TEST_ITEMS = 400

# The pool is mostly English and Portuguese, and has little in the target languages themselves.
POOL_LANGUAGES: Mapping[str, float] = {
    "en": 26, "pt": 18, "id": 16, "ja": 12, "bn": 10, "ar": 6, "hi": 5, "th": 4, "sw": 3,
}  # fmt: skip
# Nine in eleven pool rows are about topics that the base model knows anyway.
POOL_TOPICS: Mapping[str, float] = {
    topic: (4.5 if topic in BASE_KNOWN else 1.0) for topic in TOPICS
}

Shape = Literal["messages", "alpaca"]


@dataclass(frozen=True)
class TargetPlan:
    """What one target language's users ask before and after the shift, and what it has."""

    training: Mapping[str, float]
    early: Mapping[str, float]
    late: Mapping[str, float]
    shape: Shape = "messages"


TARGETS: Mapping[str, TargetPlan] = {
    "sw": TargetPlan(
        training={"farming": 3, "health": 3, "football": 2, "school": 2, "weather": 1,
                  "fishing": 1},
        early={"farming": 24, "health": 20, "football": 14, "school": 14, "weather": 8,
               "fishing": 10, "telecom": 6, "banking": 4},
        late={"farming": 12, "health": 11, "football": 6, "school": 7, "weather": 3, "fishing": 5,
              "telecom": 13, "banking": 14, "law": 11, "elections": 10, "energy": 8},
    ),
    "hi": TargetPlan(
        training={"cooking": 3, "health": 3, "transport": 2, "music": 2, "farming": 1,
                  "weaving": 1},
        early={"cooking": 22, "health": 20, "transport": 14, "music": 14, "farming": 10,
               "weaving": 10, "cinema": 6, "energy": 4},
        late={"cooking": 11, "health": 10, "transport": 7, "music": 7, "farming": 5, "weaving": 5,
              "cinema": 13, "energy": 12, "banking": 11, "livestock": 10, "elections": 9},
        shape="alpaca",
    ),
    "ar": TargetPlan(
        training={"building": 3, "school": 3, "water": 2, "football": 2, "cooking": 1,
                  "wildlife": 1},
        early={"building": 20, "school": 20, "water": 14, "football": 16, "cooking": 10,
               "wildlife": 10, "law": 6, "fishing": 4},
        late={"building": 10, "school": 11, "water": 7, "football": 7, "cooking": 5, "wildlife": 5,
              "law": 13, "fishing": 9, "banking": 12, "telecom": 11, "cinema": 10},
    ),
    "th": TargetPlan(
        training={"weather": 2, "farming": 3, "cooking": 3, "transport": 2, "water": 1, "law": 1},
        early={"weather": 16, "farming": 20, "cooking": 20, "transport": 16, "water": 8, "law": 10,
               "wildlife": 6, "livestock": 4},
        late={"weather": 7, "farming": 10, "cooking": 11, "transport": 8, "water": 4, "law": 5,
              "wildlife": 12, "livestock": 11, "weaving": 12, "fishing": 11, "energy": 9},
    ),
}  # fmt: skip


def log_days() -> list[date]:
    """The days that the sample project has logs for."""
    return [FIRST_DAY + timedelta(days=n) for n in range(LOG_DAYS)]


def usage_on(language: str, day: date) -> Mapping[str, float]:
    """Topic weights of what users of a target language ask on a day."""
    plan = target(language)
    return plan.early if day < SHIFT_DAY else plan.late


def target(language: str) -> TargetPlan:
    """Plan of a target language. Raises ValueError, naming the targets, for any other."""
    if language not in TARGETS:
        raise ValueError(f"{language!r} is no target of the sample world: {', '.join(TARGETS)}")
    return TARGETS[language]


def pool_languages() -> tuple[str, ...]:
    """Languages of the auxiliary pool: all that the world has words for."""
    return LANGUAGES
