"""Benchmark items must not be trained on: what makes a row the same as an item."""

import unicodedata

import polars as pl

from compass_core.hashing import text_hash


def normalised_hash(text: str) -> str:
    """Hash of letters, marks and digits only, case and width folded.

    Spaces go as well, so that unsegmented scripts are compared like any other. A text of nothing
    but signs is hashed with them, or all such texts would be the same one.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")
    return text_hash(kept or folded)


def benchmark_hashes(items: pl.DataFrame) -> set[str]:
    """Hashes of every question, and of every question together with each of its choices."""
    found: set[str] = set()
    for question, choices in items.select("question", "choices").iter_rows():
        found.add(normalised_hash(question))
        found.update(normalised_hash(f"{question} {choice}") for choice in choices)
    return found
