"""Benchmark items must not be trained on: what makes a row the same as an item."""

import unicodedata
from dataclasses import dataclass

import polars as pl

from compass_core.hashing import hash64, text_hash


def normalised(text: str) -> str:
    """Letters, marks and digits only, case and width folded.

    Spaces go as well, so that unsegmented scripts are compared like any other. A text of nothing
    but signs is kept with them, or all such texts would be the same one.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN") or folded


def normalised_hash(text: str) -> str:
    return text_hash(normalised(text))


def text_hashes(texts: pl.Series) -> pl.Series:
    """Column `text_hash` (UInt64) of normalised texts: what makes two rows exact duplicates."""
    plain = pl.Series("text", [normalised(text) for text in texts], dtype=pl.String)
    return pl.Series("text_hash", hash64(plain), dtype=pl.UInt64)


def benchmark_hashes(items: pl.DataFrame) -> set[str]:
    """Hashes of every question, and of every question together with each of its choices."""
    found: set[str] = set()
    for question, choices in items.select("question", "choices").iter_rows():
        found.add(normalised_hash(question))
        found.update(normalised_hash(f"{question} {choice}") for choice in choices)
    return found


@dataclass(frozen=True)
class Screened:
    """`rows`: row_id, language, content_hash, text_hash; `hits`: row_id and detail."""

    rows: pl.DataFrame
    hits: pl.DataFrame


class BenchmarkIndex:
    """Every benchmark item of a language, ready to be looked for."""

    def __init__(self, items: pl.DataFrame) -> None:
        self._hashes = benchmark_hashes(items)

    def screen(self, rows: pl.DataFrame) -> Screened:
        """Text hashes of rows (records.TEXT), and which of them repeat an item."""
        hits = [
            {"row_id": row_id, "detail": "benchmark item"}
            for row_id, prompt, response in rows.select("row_id", "prompt", "response").iter_rows()
            if normalised_hash(prompt) in self._hashes
            or normalised_hash(f"{prompt} {response}") in self._hashes
        ]
        kept = rows.select("row_id", "language", "content_hash").with_columns(
            text_hashes(rows["prompt"])
        )
        found = pl.DataFrame(hits, schema={"row_id": pl.String, "detail": pl.String})
        return Screened(kept, found)
