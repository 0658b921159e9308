"""Facts as sentences: questions and answers in any language, and which phrasings are held out.

Of the six phrasings every fact has one kept for `dev` items and one for `test` items, the same
in every language; only the other four ever occur in corpora, logs and the base model's lessons.
"""

from dataclasses import dataclass

from compass_core.hashing import seeded_generator
from compass_core.world.facts import Fact, Facts, choice_of
from compass_core.world.lexicon import PHRASING_COUNT, lexicon

KINDS_PER_TOPIC = 2
REMARKS_PER_TOPIC = 3


@dataclass(frozen=True)
class Wording:
    """One way to ask about a fact. `remark` is None, or the sentence said before the question."""

    phrasing: int
    kind: int
    remark: int | None


def value_word(language: str, fact: Fact, facts: Facts, value: int | None = None) -> str:
    """The answer (or, with `value`, another value of the same kind) in a language."""
    index = fact.value if value is None else value
    if fact.kind in facts.shared:
        return facts.shared[fact.kind][index]
    return lexicon(language).values[fact.kind][index]


def value_count(language: str, fact: Fact, facts: Facts) -> int:
    """How many values the fact's kind has."""
    if fact.kind in facts.shared:
        return len(facts.shared[fact.kind])
    return len(lexicon(language).values[fact.kind])


def question(language: str, fact: Fact, wording: Wording) -> str:
    """The question in a language, with the remark in front if the wording has one."""
    words = lexicon(language)
    topic = words.topics[fact.topic]
    text = words.phrasings[wording.phrasing].format(
        k=topic.kinds[wording.kind], n=fact.entity, a=topic.asks[fact.ask]
    )
    text = text[0].upper() + text[1:]
    return text if wording.remark is None else f"{topic.remarks[wording.remark]} {text}"


def reserved_phrasing(fact: Fact, split: str, seed: int) -> int:
    """The phrasing of this fact that only `dev` or only `test` items use."""
    dev = choice_of(fact, PHRASING_COUNT, seed, "dev phrasing")
    if split == "dev":
        return dev
    if split == "test":
        step = 1 + choice_of(fact, PHRASING_COUNT - 1, seed, "test phrasing")
        return (dev + step) % PHRASING_COUNT
    raise ValueError(f"split {split!r}; dev or test is what is allowed")


def open_phrasings(fact: Fact, seed: int) -> tuple[int, ...]:
    """The four phrasings of this fact that texts may use."""
    held = {reserved_phrasing(fact, split, seed) for split in ("dev", "test")}
    return tuple(p for p in range(PHRASING_COUNT) if p not in held)


def draw_wording(fact: Fact, seed: int, *labels: str) -> Wording:
    """A wording for a text, from the open phrasings; depends on the fact, seed and labels only."""
    rng = seeded_generator(seed, "wording", fact.key, *labels)
    remark = int(rng.integers(REMARKS_PER_TOPIC + 1))  # one in four says no more than it asks
    return Wording(
        phrasing=int(rng.choice(open_phrasings(fact, seed))),
        kind=int(rng.integers(KINDS_PER_TOPIC)),
        remark=None if remark == REMARKS_PER_TOPIC else remark,
    )
