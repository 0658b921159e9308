"""Topics, what can be asked in each, and the invented facts: (topic, entity, ask) -> value.

Entity, person and town names are invented and written in Latin letters in every language, as
product and brand names often are. They and the numbers are the same string everywhere; days,
months, colours, animals, materials and foods are words that each language translates.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from compass_core.hashing import seeded_generator, unit_key

ASK_KINDS: dict[str, tuple[str, str, str]] = {
    "farming": ("month", "day", "colour"),
    "health": ("day", "number", "person"),
    "football": ("colour", "animal", "day"),
    "law": ("day", "person", "colour"),
    "weather": ("month", "town", "number"),
    "fishing": ("food", "colour", "town"),
    "music": ("month", "person", "material"),
    "cooking": ("food", "material", "person"),
    "banking": ("day", "town", "colour"),
    "school": ("month", "person", "colour"),
    "transport": ("town", "number", "colour"),
    "building": ("material", "person", "number"),
    "weaving": ("material", "animal", "day"),
    "wildlife": ("animal", "town", "month"),
    "elections": ("animal", "day", "person"),
    "telecom": ("number", "day", "town"),
    "energy": ("month", "person", "material"),
    "water": ("material", "month", "person"),
    "cinema": ("number", "colour", "month"),
    "livestock": ("food", "animal", "person"),
}
TOPICS = tuple(ASK_KINDS)

# What the base model is taught, in every language; the other topics it only sees without facts.
BASE_KNOWN = (
    "farming", "health", "football", "weather", "music",
    "cooking", "school", "transport", "building", "water",
)  # fmt: skip

TRANSLATED_KINDS = {"day": 7, "month": 8, "colour": 8, "animal": 8, "material": 8, "food": 8}
SHARED_KINDS = {"number": 8, "person": 8, "town": 8}
ENTITIES_PER_TOPIC = 6

_CONSONANTS = ("b", "d", "f", "g", "k", "l", "m", "n", "r", "s", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u")


@dataclass(frozen=True)
class Fact:
    """One fact. `value` is an index into the words of `kind`."""

    topic: str
    entity: str
    ask: int
    kind: str
    value: int

    @property
    def key(self) -> str:
        return f"{self.topic}/{self.entity}/{self.ask}"


@dataclass(frozen=True)
class Facts:
    """All facts of a world and the strings that are the same in every language."""

    seed: int
    by_topic: dict[str, tuple[Fact, ...]]
    shared: dict[str, tuple[str, ...]]  # kind -> strings, for SHARED_KINDS

    def all(self) -> list[Fact]:
        return [fact for topic in TOPICS for fact in self.by_topic[topic]]


def choice_of(fact: Fact, count: int, seed: int, salt: str) -> int:
    """A number below `count` that depends on the fact, the seed and the salt only."""
    return int(unit_key(fact.key, seed, salt) * count)


@cache
def make_facts(seed: int) -> Facts:
    """The facts of the world with this seed: 20 topics x 6 entities x 3 asks = 360 facts.

    Values are dealt so that within a topic and ask none is much more frequent than another:
    guessing the usual answer of a topic does not pay.
    """
    names = _names(seeded_generator(seed, "names"), len(TOPICS) * ENTITIES_PER_TOPIC + 16)
    shared = {
        "number": tuple(str(n) for n in (12, 15, 24, 30, 36, 48, 60, 75)),
        "person": tuple(names[:8]),
        "town": tuple(names[8:16]),
    }
    sizes = TRANSLATED_KINDS | SHARED_KINDS
    by_topic = {}
    for index, topic in enumerate(TOPICS):
        start = 16 + index * ENTITIES_PER_TOPIC
        entities = names[start : start + ENTITIES_PER_TOPIC]
        facts = []
        for ask, kind in enumerate(ASK_KINDS[topic]):
            rng = seeded_generator(seed, "values", topic, str(ask))
            rounds = -(-len(entities) // sizes[kind])
            deck = np.concatenate([rng.permutation(sizes[kind]) for _ in range(rounds)])
            for entity, value in zip(entities, deck, strict=False):
                facts.append(Fact(topic, entity, ask, kind, int(value)))
        by_topic[topic] = tuple(facts)
    return Facts(seed, by_topic, shared)


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct invented names of three open syllables, no two sharing their first two."""
    names: dict[str, str] = {}
    while len(names) < count:
        syllables = [str(rng.choice(_CONSONANTS)) + str(rng.choice(_VOWELS)) for _ in range(3)]
        names.setdefault("".join(syllables[:2]), "".join(syllables).capitalize())
    return list(names.values())
