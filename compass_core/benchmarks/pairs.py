"""Two versions' scores side by side: the same items, asked in the same way."""

import polars as pl

from compass_core import records

# An item is the same question only where the prompt is: letters are easier than cloze.
KEYS = ["suite", "item_id", "task", "task_version", "shots"]
ENOUGH = 0.95  # share of the items that has to be shared: a few may have come or gone


def adapter_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """What the adapter said, of records.SCORES; nulls in columns that it was stored without."""
    return records.widened(scores, records.SCORES).filter(pl.col("model") == "adapter")


def base_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """What the base model said, as adapter_scores."""
    return records.widened(scores, records.SCORES).filter(pl.col("model") == "base")


def paired(new: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """Items in both, sorted: KEYS, subject, and bool columns `new` and `old` (right or not)."""
    mine = new.select(*KEYS, "subject", pl.col("correct").alias("new"))
    other = old.select(*KEYS, pl.col("correct").alias("old"))
    return mine.join(other, on=KEYS, nulls_equal=True).sort(KEYS)


def covered(wanted: pl.DataFrame, scores: pl.DataFrame) -> float:
    """Share of the wanted questions (KEYS) that are among the scores; 1 where none is wanted."""
    if not wanted.height:
        return 1.0
    found = wanted.join(scores.select(KEYS), on=KEYS, how="semi", nulls_equal=True)
    return found.height / wanted.height
