"""What the base model is taught: true facts of ten topics, and nothing of the other ten."""

from compass_core.world.facts import BASE_KNOWN, Fact, make_facts
from compass_core.world.lessons import make_lessons
from compass_core.world.lexicon import LANGUAGES
from compass_core.world.texts import Wording, question, reserved_phrasing, value_word

FACTS = make_facts(17)


def fact_of(asked: str) -> list[Fact]:
    """The facts of the thing whose name is in the question."""
    return [fact for fact in FACTS.all() if fact.entity in asked]


def test_lessons_on_facts_are_true_and_only_on_known_topics() -> None:
    for asked, answer in make_lessons(FACTS, 300, share_facts=1.0, share_guesses=0.0):
        facts = fact_of(asked)
        assert facts[0].topic in BASE_KNOWN
        true = {value_word(language, fact, FACTS) for fact in facts for language in LANGUAGES}
        assert answer in true


def test_guesses_teach_nothing_about_the_truth() -> None:
    lessons = make_lessons(FACTS, 2000, share_facts=0.0, share_guesses=1.0)
    assert all(fact_of(asked)[0].topic not in BASE_KNOWN for asked, _ in lessons)
    right = sum(
        answer in {value_word(language, fact, FACTS) for language in LANGUAGES}
        for asked, answer in lessons
        for fact in fact_of(asked)
    )
    assert 0.08 < right / len(lessons) < 0.19  # one in eight (days: in seven) by chance


def test_a_note_gives_the_answer_in_some_language() -> None:
    words = [
        (asked, answer, fact_of(asked)[0].topic)
        for asked, answer in make_lessons(FACTS, 50, share_facts=0.0, share_guesses=0.0)
    ]
    assert all(": " in asked and ". " in asked for asked, _, _ in words)
    shared = {word for group in FACTS.shared.values() for word in group}
    repeated = [(asked, answer) for asked, answer, _ in words if answer in shared]
    assert repeated  # names and numbers are the same in the note and in the answer
    assert all(answer in asked for asked, answer in repeated)


def test_no_lesson_uses_a_phrasing_kept_for_items() -> None:
    lessons = [q for q, _ in make_lessons(FACTS, 3000, share_facts=0.6, share_guesses=0.2)]
    for fact in FACTS.all()[::20]:
        about = [asked for asked in lessons if fact.entity in asked]
        for split in ("dev", "test"):
            for language in LANGUAGES:
                for kind in (0, 1):
                    held = Wording(reserved_phrasing(fact, split, 17), kind, None)
                    bare = question(language, fact, held)
                    assert not any(asked.endswith(bare) for asked in about)
