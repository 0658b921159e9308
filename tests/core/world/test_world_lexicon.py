"""The words: complete, in their own script, and natural sentences when put together."""

import unicodedata

import pytest

from compass_core.world.facts import BASE_KNOWN, TOPICS, make_facts
from compass_core.world.lexicon import LANGUAGES, lexicon
from compass_core.world.texts import Wording, question, value_word

SCRIPTS = {
    "ar": "ARABIC", "bn": "BENGALI", "en": "LATIN", "hi": "DEVANAGARI", "id": "LATIN",
    "pt": "LATIN", "sw": "LATIN", "th": "THAI",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_topics_and_its_own_script(language: str) -> None:
    words = lexicon(language)
    assert tuple(words.topics) == TOPICS
    text = "".join(r for topic in words.topics.values() for r in topic.remarks + topic.asks)
    letters = [c for c in text if c.isalpha()]
    allowed = [SCRIPTS[language]] if language in SCRIPTS else ["CJK", "HIRAGANA", "KATAKANA"]
    strange = {c for c in letters if not unicodedata.name(c).startswith(tuple(allowed))}
    assert strange == set()


def test_a_fact_reads_as_people_would_ask_it() -> None:
    facts = make_facts(17)
    fact = facts.by_topic["health"][0]
    asked = Wording(phrasing=1, kind=1, remark=0)
    name = fact.entity
    assert fact.kind == "day"
    assert question("sw", fact, asked) == (
        f"Mtoto wangu ana homa. Niambie siku ya chanjo katika hospitali {name}."
    )
    assert question("hi", fact, asked) == (
        f"मेरे बच्चे को बुखार है। मुझे अस्पताल {name} में टीके का दिन बताइए।"
    )
    assert question("ar", fact, asked) == f"طفلي عنده حمى. أخبرني عن يوم التطعيم في مستشفى {name}."
    assert question("ja", fact, Wording(0, 1, None)) == f"病院{name}の予防接種の日は何ですか。"
    assert value_word("sw", fact, facts, 0) == "Jumatatu"
    assert value_word("th", fact, facts, 0) == "วันจันทร์"
    assert value_word("hi", fact, facts, 6) == "रविवार"


def test_names_numbers_and_towns_are_the_same_in_every_language() -> None:
    facts = make_facts(17)
    room = next(fact for fact in facts.by_topic["health"] if fact.kind == "number")
    assert len({value_word(language, room, facts) for language in LANGUAGES}) == 1


def test_the_world_has_360_facts_with_distinct_names_and_even_answers() -> None:
    facts = make_facts(17)
    assert len(facts.all()) == 20 * 6 * 3
    assert len({fact.entity for fact in facts.all()}) == 20 * 6
    assert len(BASE_KNOWN) == 10
    for topic in TOPICS:
        for ask in range(3):
            values = [fact.value for fact in facts.by_topic[topic] if fact.ask == ask]
            assert len(set(values)) == len(values)  # the most usual answer is no better a guess


def test_another_seed_is_another_world() -> None:
    assert make_facts(1).by_topic["law"] != make_facts(2).by_topic["law"]
    assert make_facts(1) == make_facts(1)


def test_a_language_without_a_file_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match="yo"):
        lexicon("yo")
