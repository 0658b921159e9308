"""What the base model is taught: question and answer pairs in every language, in three kinds.

- *facts* of the base-known topics, true ones, in all languages;
- *guesses* on the other topics: the answer is any word of the right kind, so the model learns to
  understand the question and to answer in its language, and nothing about the truth;
- *notes*: a note in one language gives an invented value, the question follows in another, and the
  answer is to be in the language of the question. Teaches reading and translating.

Only open phrasings are used, so dev and test questions are new to the base model as well.
"""

from compass_core.hashing import seeded_generator
from compass_core.world.facts import BASE_KNOWN, Facts
from compass_core.world.lexicon import LANGUAGES, lexicon
from compass_core.world.texts import draw_wording, question, value_count, value_word


def make_lessons(
    facts: Facts, count: int, *, share_facts: float, share_guesses: float
) -> list[tuple[str, str]]:
    """`count` (question, answer) pairs; what the two shares leave over are notes."""
    rng = seeded_generator(facts.seed, "lessons")
    everything = facts.all()
    known = [fact for fact in everything if fact.topic in BASE_KNOWN]
    other = [fact for fact in everything if fact.topic not in BASE_KNOWN]
    lessons = []
    for number in range(count):
        language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        draw = rng.random()
        if draw < share_facts:
            group = known
        elif draw < share_facts + share_guesses:
            group = other
        else:
            group = everything
        fact = group[int(rng.integers(len(group)))]
        asked = question(language, fact, draw_wording(fact, facts.seed, "lesson", str(number)))
        if draw < share_facts:
            lessons.append((asked, value_word(language, fact, facts)))
            continue
        value = int(rng.integers(value_count(language, fact, facts)))
        if draw >= share_facts + share_guesses:
            noted_in = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
            about = lexicon(noted_in).topics[fact.topic].asks[fact.ask]
            noted = value_word(noted_in, fact, facts, value)
            asked = f"{fact.entity}, {about}: {noted}. {asked}"
        lessons.append((asked, value_word(language, fact, facts, value)))
    return lessons
