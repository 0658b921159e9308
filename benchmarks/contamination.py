"""How well benchmark items are found in training rows, and what is found where nothing was put.

    python -m benchmarks.contamination --shared ../shared/data

Real benchmark items (multiple_choice.parquet) against real instructions (instruction_pool.parquet,
in_balanced), language by language. Recall: items are planted into instructions of the same language
in the ways they leak. False alarms: rows of the pool that are flagged as they are, listed for a
person to judge, because some may truly hold an item.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from compass_core.benchmarks.contamination import (
    CHARACTERS,
    LINE_LETTERS,
    WORDS,
    BenchmarkIndex,
    normalised,
    tokens,
)

UNSEGMENTED = ("ja", "zh", "th", "zh-Hant")
PLANTED = 100  # items a language and way


def items_of(shared: Path, language: str) -> pl.DataFrame:
    table = pl.read_parquet(shared / "multiple_choice.parquet").filter(pl.col("lang") == language)
    return table.with_row_index("at").select(
        pl.format("{}-{}", "source", "at").alias("item_id"),
        pl.lit(language).alias("language"),
        pl.col("source").alias("suite"),
        "split",
        "question",
        pl.col("choices").cast(pl.List(pl.String)),
    )


def rows_of(shared: Path, language: str) -> pl.DataFrame:
    table = pl.read_parquet(shared / "instruction_pool.parquet")
    table = table.filter((pl.col("lang") == language) & pl.col("in_balanced"))
    text = pl.concat_str(
        [pl.col("instruction").fill_null(""), pl.col("input").fill_null("")], separator="\n"
    )
    return as_rows(text_frame(table, text), language)


def text_frame(table: pl.DataFrame, prompt: pl.Expr) -> pl.DataFrame:
    return table.select(
        prompt.str.strip_chars().alias("prompt"), pl.col("output").fill_null("").alias("response")
    )


def as_rows(frame: pl.DataFrame, language: str) -> pl.DataFrame:
    """What BenchmarkIndex reads of a row."""
    return frame.with_row_index("at").with_columns(
        pl.format(language + "-{}", "at").alias("row_id"),
        pl.lit(language).alias("language"),
        pl.lit("").alias("content_hash"),
    )


def planted(way: str, item: dict[str, Any], carrier: tuple[str, str], rng: Any) -> tuple[str, str]:
    prompt, response = carrier
    question, choices = item["question"], item["choices"]
    if way == "question as prompt":
        return question, response
    if way == "question inside":
        return f"{prompt}\n{question} {response[:80]}", response
    if way == "question and choices":
        listed = "\n".join(f"{'ABCDE'[i]}. {c}" for i, c in enumerate(choices[:5]))
        return f"{question}\n{listed}", response
    if way == "in the answer":
        return prompt, f"{response}\n\n{question} {choices[0]}"
    if way == "other case and signs":
        return f"{prompt} «{question.upper().replace(' ', '  ')}»!!", response
    if way == "long choice alone":
        return prompt, f"{response} {max(choices, key=len)}"
    if way == "short, wrapped":
        start = prompt[:4].strip()
        wrapped = [f"7) {question}", f"{start}, {question}", f"{start}（{question}）"]
        return wrapped[rng.integers(3)], ""
    # one token in the middle replaced
    parts = question.split(" ")
    if len(parts) > 3:
        parts[len(parts) // 2] = "XX"
        return " ".join(parts), response
    middle = len(question) // 2
    return f"{question[:middle]}X{question[middle + 1 :]}", response


def is_short(question: str, language: str) -> bool:
    """Whether a question has fewer tokens than an n-gram, yet letters enough for a line."""
    most = CHARACTERS if language in UNSEGMENTED else WORDS
    return len(tokens(question)) < most and len(normalised(question)) >= LINE_LETTERS


WAYS = (
    "question as prompt",
    "question inside",
    "question and choices",
    "in the answer",
    "other case and signs",
    "long choice alone",
    "one word changed",
    "short, wrapped",
)


def measure(shared: Path, language: str) -> dict[str, Any]:
    items, rows = items_of(shared, language), rows_of(shared, language)
    started = time.perf_counter()
    index = BenchmarkIndex(items)
    built = time.perf_counter() - started
    started = time.perf_counter()
    hits = index.screen(rows).hits
    wall = time.perf_counter() - started
    flagged = rows.join(hits, on="row_id").select("prompt", "response", "detail")
    rng = np.random.default_rng(17)
    clean = rows.join(hits, on="row_id", how="anti")
    recall: dict[str, list[int]] = {}
    for way in WAYS:
        pool = items.to_dicts()
        if way == "long choice alone":
            long = 16 if language in UNSEGMENTED else 8
            pool = [i for i in pool if len(tokens(max(i["choices"], key=len))) >= long]
        if way == "short, wrapped":
            pool = [i for i in pool if is_short(i["question"], language)]
        if not pool or not clean.height:
            continue
        chosen = [pool[i] for i in rng.choice(len(pool), min(PLANTED, len(pool)), replace=False)]
        carriers = clean.select("prompt", "response").rows()
        made = [planted(way, item, carriers[rng.integers(len(carriers))], rng) for item in chosen]
        frame = pl.DataFrame(made, schema=["prompt", "response"], orient="row")
        found = index.screen(as_rows(frame, language)).hits.height
        recall[way] = [found, len(made)]
    return {
        "language": language,
        "items": items.height,
        "rows": rows.height,
        "flagged": hits.height,
        "build_s": round(built, 2),
        "rows_per_s": round(rows.height / max(wall, 1e-9)),
        "recall": recall,
        "examples": flagged.head(40).to_dicts(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--languages", nargs="*", default=None)
    parser.add_argument("--out", type=Path, default=None, help="JSON with examples")
    given = parser.parse_args()
    choice = pl.read_parquet(given.shared / "multiple_choice.parquet", columns=["lang"])["lang"]
    pool = pl.read_parquet(given.shared / "instruction_pool.parquet", columns=["lang"])["lang"]
    languages = given.languages or sorted(set(choice) & set(pool))
    results = [measure(given.shared, language) for language in languages]
    if given.out:
        given.out.write_text(json.dumps(results, ensure_ascii=False, indent=1))
    for r in results:
        print(
            f"{r['language']:8} {r['items']:6} items {r['rows']:6} rows, flagged {r['flagged']:4}, "
            f"{r['rows_per_s']:6} rows/s"
        )
    for way in WAYS:
        for label, kind in (("spaces", False), ("unsegmented", True)):
            pairs = [
                r["recall"][way]
                for r in results
                if way in r["recall"] and (r["language"] in UNSEGMENTED) == kind
            ]
            found, planted_ = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
            if planted_:
                print(f"{way:22} {label:12} {found:5} of {planted_:5} ({found / planted_:.1%})")


if __name__ == "__main__":
    main()
