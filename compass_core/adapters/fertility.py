"""How many tokens a tokenizer needs for a word, by language: its fertility.

A language that is cut into many small pieces fits less text into `max_tokens`, costs more time for
the same answer, and is mostly one that the base model has seen little of.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import regex

from compass_core.adapters.tokens import token_counts
from compass_core.clusters.words import UNSEGMENTED
from compass_core.config.schema import BaseModelSettings

REFERENCE = "en"
SCHEMA = pl.Schema(
    {
        "language": pl.String,
        "texts": pl.Int64,
        "words": pl.Int64,
        "characters": pl.Int64,
        "tokens": pl.Int64,
        "tokens_per_word": pl.Float64,
        "tokens_per_character": pl.Float64,
        "times_english": pl.Float64,  # tokens_per_word over English's; null without English
    }
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def fertility(
    settings: BaseModelSettings, project_dir: Path, texts: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """One row a language (SCHEMA), sorted by tag; languages without a word are left out.

    `texts`: by BCP-47 tag. Words are runs of letters and digits; where no spaces are written, ICU's
    dictionary cuts them. Texts in different languages say different things, so a figure is good to
    one digit, not to two.
    """
    rows = []
    for language in sorted(texts):
        words = sum(count_words(text, language) for text in texts[language])
        if not words:
            continue
        tokens = int(token_counts(settings, project_dir, list(texts[language])).sum())
        characters = sum(map(len, texts[language]))
        rows.append(
            {
                "language": language,
                "texts": len(texts[language]),
                "words": words,
                "characters": characters,
                "tokens": tokens,
                "tokens_per_word": tokens / words,
                "tokens_per_character": tokens / characters,
            }
        )
    frame = pl.DataFrame(rows, schema={k: v for k, v in SCHEMA.items() if k != "times_english"})
    english = frame.filter(pl.col("language") == REFERENCE)["tokens_per_word"]
    reference = pl.lit(english[0] if len(english) else None, dtype=pl.Float64)
    return frame.with_columns((pl.col("tokens_per_word") / reference).alias("times_english"))


def count_words(text: str, language: str) -> int:
    """Words of a text; `language` is BCP-47."""
    runs = _WORD.findall(text)
    if language.split("-")[0] not in UNSEGMENTED:
        return len(runs)
    from icu4py.breakers import WordBreaker

    return sum(len(list(WordBreaker(run, language))) for run in runs)
