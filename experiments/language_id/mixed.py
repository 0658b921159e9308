"""How often a mixture of two languages is marked, and plain text wrongly called one.

    python -m experiments.language_id.mixed --shared ../shared/data --out mixed.json

Mixtures are made of real SIB-200 sentences: one of the language followed by one of English (the
sentences of a pair are different ones), and, harder, the first half of the one and the second half
of the other with no full stop between. No labelled real mixture was at hand.
"""

import json
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from compass_core.config.text import LanguageId
from compass_core.corpora.language_id import identify

LANGUAGES = ("sw", "hi", "ar", "th", "pt", "yo", "ha", "ig", "zu", "bn")


def main(
    shared: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
    rows: Annotated[int, typer.Option(help="Sentences a language.")] = 100,
) -> None:
    """Write the shares by language."""
    frame = pl.read_parquet(shared / "sib200_topics.parquet").sort("lang", "parallel_id")
    english = _texts(frame, "en", 2 * rows)
    found = {}
    for language in LANGUAGES:
        own = _texts(frame, language, rows)
        pairs = list(zip(own, english[rows:], strict=True))
        found[language] = {
            "plain": _share(own, language),
            "two_sentences": _share([f"{a} {b}" for a, b in pairs], language),
            "inside_a_sentence": _share(
                [f"{_half(a, 0)} {_half(b, 1)}" for a, b in pairs], language
            ),
        }
    out.write_text(json.dumps(found, indent=1) + "\n")
    typer.echo(json.dumps(found))


def _texts(frame: pl.DataFrame, language: str, count: int) -> list[str]:
    return frame.filter(pl.col("lang") == language)["text"].head(count).to_list()


def _half(text: str, part: int) -> str:
    words = text.split()
    if len(words) < 4:  # no spaces between words
        return text[: len(text) // 2] if part == 0 else text[len(text) // 2 :]
    middle = len(words) // 2
    return " ".join(words[:middle] if part == 0 else words[middle:])


def _share(texts: list[str], declared: str) -> float:
    verdicts = identify(texts, declared, LanguageId())
    return round(sum(one.mixed for one in verdicts) / len(verdicts), 3)


if __name__ == "__main__":
    typer.run(main)
