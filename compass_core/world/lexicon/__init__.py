"""The words of the sample world: one hand-written file a language, all of one shape.

Each language file holds three blocks of text, kept as plain lines so that a speaker of the
language can read and correct them without knowing Python:

- `PHRASINGS`: six ways to ask, always in the same order in every language (what is it, tell me,
  I want to know, do you know, I forgot, please write). Slots: `{k}` the kind of thing, `{n}` its
  name, `{a}` what is asked about it.
- `VALUES`: a line for each kind of answer, words in the same order in every language.
- `TOPICS`: four lines a topic: its key; two nouns for the kind of thing; three things that can be
  asked of it; three short remarks people make about the topic.

Words carry whatever little word their language needs in that place (Portuguese asks have their
article and kinds their "da"/"do", Hindi asks their postposition), so that phrasings never have to
inflect anything.
"""

from compass_core.world.lexicon.parse import PHRASING_COUNT, Lexicon, TopicWords, lexicon

__all__ = ["LANGUAGES", "PHRASING_COUNT", "Lexicon", "TopicWords", "lexicon"]

LANGUAGES = ("ar", "bn", "en", "hi", "id", "ja", "pt", "sw", "th")
