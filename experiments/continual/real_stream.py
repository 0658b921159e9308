"""The stream of real prompts: what was asked about, quarter by quarter of the prompts' own time.

Usage of a step is the share of each topic among the opening questions of assistants that were
published in that quarter of the time (`prompt_stream`, September 2023 to June 2025; the day of
publication stands for the day of asking). Rows are the assistants' instructions and answers in the
same language and topics (`instruction_pool`), cut to CHARS: a third is the corpus, the rest the
pool, and ITEMS_PER_TOPIC a topic are held out. The seed draws the language and the order of the
pool.
"""

from pathlib import Path

import polars as pl

from compass_core import records
from compass_core.hashing import unit_key
from experiments.continual.stream import STEPS, Stage, Stream, filled

LANGUAGES = ("pt", "tr", "vi", "ru", "ar")
CORPUS_ROWS, BUDGET_ROWS, ITEMS_PER_TOPIC = 100, 150, 12
EPOCHS = 3  # real text is long, and a full training of it is what takes the time
CHARS = 40  # of a prompt and of a response: the small base model reads bytes rather than words
SOURCE, KIND = "lobe-chat-agents", "agent opening question"


def make_real_stream(seed: int, shared: Path) -> Stream:
    """The stream of one seed; `shared` is the folder with the two Parquet files."""
    language = LANGUAGES[seed % len(LANGUAGES)]
    rows = _instructions(shared, language, seed)
    shares = _usage(shared, language)
    asked = {topic for share in shares for topic in share}
    topics = tuple(sorted(asked & set(rows["topic"].unique())))
    usages = [_normed({topic: share.get(topic, 0.0) for topic in topics}) for share in shares]
    placed = rows.filter(pl.col("topic").is_in(topics)).with_columns(
        pl.int_range(pl.len()).over("topic").alias("place")
    )
    items = placed.filter(pl.col("place") < ITEMS_PER_TOPIC)
    rest = placed.filter(pl.col("place") >= ITEMS_PER_TOPIC).select(
        "row_id", "prompt", "response", "topic"
    )
    corpus = rest.head(CORPUS_ROWS)
    pool = {t: rest.slice(CORPUS_ROWS).filter(pl.col("topic") == t) for t in topics}
    stages: list[Stage] = []
    known: set[str] = set()
    for usage in usages:
        made = pl.concat([corpus, filled(pool, corpus, usage, topics, BUDGET_ROWS)])
        stages.append(Stage(usage, made, made.filter(~pl.col("row_id").is_in(list(known)))))
        known |= set(made["row_id"])
    return Stream(language, topics, stages, _items(items, language), by_token=True)


def _instructions(shared: Path, language: str, seed: int) -> pl.DataFrame:
    pool = pl.read_parquet(shared / "instruction_pool.parquet").filter(
        (pl.col("lang") == language) & (pl.col("source") == SOURCE)
    )
    rows = pool.select(
        pl.col("id").alias("row_id"),
        (pl.col("instruction") + " " + pl.col("input").fill_null(""))
        .str.strip_chars()
        .str.slice(0, CHARS)
        .alias("prompt"),
        pl.col("output").str.strip_chars().str.slice(0, CHARS).alias("response"),
        "topic",
    ).filter((pl.col("prompt").str.len_chars() > 0) & (pl.col("response").str.len_chars() > 0))
    keys = [unit_key(row, seed, "pool") for row in rows["row_id"]]
    return rows.with_columns(pl.Series("key", keys)).sort("key").drop("key")


def _usage(shared: Path, language: str) -> list[dict[str, float]]:
    prompts = (
        pl.read_parquet(shared / "prompt_stream.parquet")
        .filter((pl.col("lang") == language) & (pl.col("kind") == KIND))
        .sort("ts", "id")
        .with_row_index("place")
    )
    quarter = prompts.with_columns((pl.col("place") * STEPS // prompts.height).alias("step"))
    counts = quarter.group_by("step", "topic").len().sort("step", "topic")
    return [
        _normed(dict(counts.filter(pl.col("step") == step).select("topic", "len").rows()))
        for step in range(STEPS)
    ]


def _normed(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {topic: value / total for topic, value in shares.items()}


def _items(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    """Held-out rows as items whose only choice is the answer: its tokens are what is scored."""
    found = [
        {
            "item_id": row["row_id"],
            "language": language,
            "suite": "real_stream",
            "split": "test",
            "question": row["prompt"],
            "choices": [row["response"]],
            "answer": 0,
            "subject": row["topic"],
            "content_hash": row["row_id"],
            "row_hash": row["row_id"],
        }
        for row in rows.to_dicts()
    ]
    return pl.DataFrame(found, schema=records.BENCHMARK)
