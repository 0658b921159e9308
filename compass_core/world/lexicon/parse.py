"""Reads a language file's text blocks into a `Lexicon`, and refuses one that is not complete."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from compass_core.world.facts import ASK_KINDS, TRANSLATED_KINDS

PHRASING_COUNT = 6
REMARK_COUNT = 3


@dataclass(frozen=True)
class TopicWords:
    """Words of one topic in one language."""

    kinds: tuple[str, ...]  # 2 nouns for the thing that has a name
    asks: tuple[str, ...]  # 3, in the order of facts.ASK_KINDS
    remarks: tuple[str, ...]  # 3 sentences


@dataclass(frozen=True)
class Lexicon:
    """All hand-written words of one language."""

    language: str
    phrasings: tuple[str, ...]
    values: dict[str, tuple[str, ...]]  # kind of answer -> words, same order in every language
    topics: dict[str, TopicWords]


@cache
def lexicon(language: str) -> Lexicon:
    """Lexicon of a language tag.

    Raises ModuleNotFoundError for a language that has no file and ValueError, naming the
    language and the line, for a file that lacks a topic, a word or a slot.
    """
    module = import_module(f"compass_core.world.lexicon.{language}")
    phrasings = tuple(_lines(module.PHRASINGS))
    if len(phrasings) != PHRASING_COUNT:
        raise ValueError(f"{language}: {len(phrasings)} phrasings, {PHRASING_COUNT} are needed")
    for line in phrasings:
        if not all(slot in line for slot in ("{k}", "{n}", "{a}")):
            raise ValueError(f"{language}: phrasing {line!r} needs {{k}}, {{n}} and {{a}}")
    return Lexicon(
        language=language,
        phrasings=phrasings,
        values=_values(language, module.VALUES),
        topics=_topics(language, module.TOPICS),
    )


def _values(language: str, block: str) -> dict[str, tuple[str, ...]]:
    values = {}
    for line in _lines(block):
        kind, _, words = line.partition(":")
        values[kind] = _split(words)
        if len(values[kind]) != TRANSLATED_KINDS.get(kind):
            raise ValueError(f"{language}: {line!r} needs {TRANSLATED_KINDS.get(kind)} words")
        if len(set(values[kind])) != len(values[kind]):
            raise ValueError(f"{language}: {line!r} has a word twice")
    if set(values) != set(TRANSLATED_KINDS):
        raise ValueError(f"{language}: values {sorted(values)} instead of {list(TRANSLATED_KINDS)}")
    return values


def _topics(language: str, block: str) -> dict[str, TopicWords]:
    topics = {}
    for paragraph in block.strip().split("\n\n"):
        lines = _lines(paragraph)
        if len(lines) != 4:
            raise ValueError(f"{language}: topic {lines[0]!r} has {len(lines)} lines, 4 are needed")
        words = TopicWords(_split(lines[1]), _split(lines[2]), _split(lines[3]))
        counts = (len(words.kinds), len(words.asks), len(words.remarks))
        if counts != (2, len(ASK_KINDS.get(lines[0], ())), REMARK_COUNT):
            raise ValueError(f"{language}: topic {lines[0]!r} has {counts} kinds, asks, remarks")
        topics[lines[0]] = words
    if list(topics) != list(ASK_KINDS):
        raise ValueError(f"{language}: topics {list(topics)} instead of {list(ASK_KINDS)}")
    return topics


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines() if line.strip()]


def _split(line: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.split(" / "))
