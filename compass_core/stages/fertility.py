"""The base model's tokenizer on the languages of a training set."""

import polars as pl

from compass_core import layout
from compass_core.adapters.fertility import REFERENCE, fertility
from compass_core.findings import Finding
from compass_core.hashing import unit_keys
from compass_core.stages import frames
from compass_core.workspace import Workspace

CHECK = "tokenizer_knows_language"
ROWS = 1_000  # of a language; more would change no digit that is shown


def training_fertility(ws: Workspace, language: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Fertility (adapters.fertility.SCHEMA) on `rows` (records.SELECTIONS) of a target language.

    English, the yardstick, comes from the auxiliary corpus where the training set has none, and
    the target language from what users asked. Of many rows a part is taken, by a key of their ids.
    """
    said = pl.concat_str("prompt", pl.lit("\n"), "response").alias("text")
    found = rows.select("row_language", "row_id", said)
    by_language = {str(tag): part for (tag,), part in found.group_by("row_language")}
    english = layout.corpus("auxiliary", REFERENCE)
    if REFERENCE not in by_language and ws.store.exists(english):
        by_language[REFERENCE] = ws.store.read_parquet(english).select("row_id", said)
    if language not in by_language:
        asked = frames.usage_rows(ws, language)
        by_language[language] = asked.select("row_id", pl.col("prompt").alias("text"))
    texts = {tag: _part(part, ws.project.seed) for tag, part in by_language.items()}
    return fertility(ws.project.base_model, ws.directory, texts)


def fertility_finding(table: pl.DataFrame, language: str, most: float) -> Finding:
    """Whether the target's tokens a word are at most `most` times English's."""
    mine = table.filter(pl.col("language") == language)
    if not mine.height or mine["times_english"][0] is None:
        text = "not compared: there is no text in it or none in English"
        return Finding(CHECK, True, None, most, "times English", text)
    words, times = mine["tokens_per_word"][0], float(mine["times_english"][0])
    return Finding(
        CHECK,
        times <= most,
        times,
        most,
        "times English",
        f"{words:.1f} tokens a word, {times:.1f} times English",
        ""
        if times <= most
        else "a sequence holds that much less text and an answer takes that much longer: look for "
        "a base model whose tokenizer knows the language, or raise adapter.max_tokens",
    )


def _part(rows: pl.DataFrame, seed: int) -> list[str]:
    keyed = rows.with_columns(pl.Series("key", unit_keys(rows["row_id"], seed), dtype=pl.Float64))
    return keyed.sort("key", "row_id").head(ROWS)["text"].to_list()
