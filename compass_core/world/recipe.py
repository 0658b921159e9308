"""The identity of the shipped models: a digest over everything that decides what they become."""

from dataclasses import asdict
from typing import Any

from compass_core.hashing import version_of
from compass_core.world.facts import ASK_KINDS, BASE_KNOWN, make_facts
from compass_core.world.lessons import make_lessons
from compass_core.world.lexicon import LANGUAGES, lexicon

# Raise it when the code that trains changes in a way that no number below shows.
CODE_VERSION = 1


def recipe_digest(seed: int, embedder: dict[str, float], language_model: dict[str, float]) -> str:
    """16 hex digits over the seed, both recipes, all words, all facts and a sample of lessons.

    It does not cover library versions: those are recorded beside it.
    """
    facts = make_facts(seed)
    content: dict[str, Any] = {
        "code_version": CODE_VERSION,
        "seed": seed,
        "embedder": embedder,
        "language_model": language_model,
        "words": {language: asdict(lexicon(language)) for language in LANGUAGES},
        "facts": [asdict(fact) for fact in facts.all()],
        "shared": facts.shared,
        "asks": ASK_KINDS,
        "base_known": BASE_KNOWN,
        "lessons": make_lessons(facts, 200, share_facts=0.5, share_guesses=0.25),
    }
    return version_of(content)
