"""Drawing rows: how many for each topic, and which wordings, each row from its own hash.

No generator is shared between rows, files or languages: a wording is taken because its own key is
small, so more rows in one place never change the rows in another, and a larger count only adds.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from compass_core.hashing import unit_key
from compass_core.world.facts import Fact, Facts
from compass_core.world.texts import (
    KINDS_PER_TOPIC,
    REMARKS_PER_TOPIC,
    Wording,
    open_phrasings,
    reserved_phrasing,
)

# The wordings that texts may use are split, so that no row of a corpus is in another as well.
_PARTS = {"auxiliary": (0.0, 0.6), "training": (0.6, 1.0), "any": (0.0, 1.0)}


def counts_of(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Integers in proportion to the shares that sum to `total` (largest remainders)."""
    weights = np.array(list(shares.values()), dtype=np.float64)
    exact = weights / weights.sum() * total
    counts = np.floor(exact).astype(int)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return dict(zip(shares, counts.tolist(), strict=True))


def text_wordings(
    facts: Facts, topic: str, language: str, part: str, count: int
) -> list[tuple[Fact, Wording]]:
    """The `count` first of the wordings that texts of this part may use, in hashed order.

    Raises ValueError where the topic has fewer: that many rows would need duplicates.
    """
    low, high = _PARTS[part]
    found = []
    for fact in facts.by_topic[topic]:
        for wording in _variants(open_phrasings(fact, facts.seed)):
            label = f"{fact.key}/{wording}"
            if low <= unit_key(label, facts.seed, f"part/{language}") < high:
                found.append((unit_key(label, facts.seed, f"order/{language}"), fact, wording))
    return _first(found, count, f"{language} {part} rows on {topic}")


def item_wordings(
    facts: Facts, topic: str, language: str, split: str, count: int
) -> list[tuple[Fact, Wording]]:
    """The `count` first of the wordings kept for benchmark items of this split.

    Raises ValueError where the topic has fewer.
    """
    found = []
    for fact in facts.by_topic[topic]:
        for wording in _variants([reserved_phrasing(fact, split, facts.seed)]):
            key = unit_key(f"{fact.key}/{wording}", facts.seed, f"{split}/{language}")
            found.append((key, fact, wording))
    return _first(found, count, f"{language} {split} items on {topic}")


def _variants(phrasings: Iterable[int]) -> list[Wording]:
    remarks: list[int | None] = [None, *range(REMARKS_PER_TOPIC)]
    return [Wording(p, k, r) for p in phrasings for k in range(KINDS_PER_TOPIC) for r in remarks]


def _first(
    found: list[tuple[float, Fact, Wording]], count: int, what: str
) -> list[tuple[Fact, Wording]]:
    if count > len(found):
        raise ValueError(f"{count} {what} are asked for, there are {len(found)} different ones")
    found.sort(key=lambda entry: entry[0])
    return [(fact, wording) for _, fact, wording in found[:count]]
