"""Benchmark items in: multiple choice, dev and test apart and sharing no item."""

import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import records
from compass_core.config.schema import Suite
from compass_core.config.text import Ingest
from compass_core.corpora.books import Books, IngestResult, Rejected
from compass_core.corpora.clean import clean_text
from compass_core.corpora.files import find_languages, not_read, source_files
from compass_core.corpora.ingest import check_language, optional_text
from compass_core.corpora.readers import read_lines
from compass_core.corpora.rules import Rules
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import text_hash

SPLITS = ("dev", "test")


def ingest_benchmarks(
    folder: Path, language: str, suites: list[Suite], ingest: Ingest
) -> IngestResult:
    """Items of all configured suites in one language (records.BENCHMARK, sorted by item id).

    Reads `<folder>/<suite>/<language>/{dev,test}.*`. An item that is in both splits is quarantined
    from dev: the test split is never what a target distribution is made of.
    """
    started = time.monotonic()
    # Items are only brought into one form: a benchmark has to stay what others score on.
    books = Books(Rules(ingest=ingest), language, "item_id")
    files, notes = [], []
    for suite in suites:
        if suite.kind != "local":
            continue  # the harness and oneruler bring their own items
        names, problems = find_languages(folder / suite.name)
        notes += problems
        if language not in names:
            notes.append(f"suite {suite.name} has no items in {language}")
            continue
        root = folder / suite.name / names[language]
        notes += not_read(root)
        prefix = f"{suite.name}/{names[language]}/"
        for file in source_files(root, prefix=prefix):
            files.append(file)
            split = Path(file.path).name.split(".")[0]
            for line in read_lines(folder / file.path):
                books.add(file.path, line, lambda r: _item(r, language, suite.name, split, ingest))  # noqa: B023
    result = books.result(records.BENCHMARK, files, started, notes)
    return _without_shared(result)


def _item(
    record: dict[str, Any], language: str, suite: str, split: str, ingest: Ingest
) -> dict[str, Any]:
    if split not in SPLITS:
        raise Rejected("unknown_split", f"received file {split}; allowed: dev, test")
    check_language(record, language)
    question, choices = record.get("question"), record.get("choices")
    if not isinstance(question, str):
        raise ShapeError("question: allowed is text")
    if not isinstance(choices, list) or not all(isinstance(c, str) for c in choices):
        raise ShapeError("choices: allowed is a list of texts")
    question = clean_text(question, ingest.max_chars)
    choices = [clean_text(choice, ingest.max_chars) for choice in choices]
    if len(choices) < 2:
        raise Rejected("bad_choices", f"received {len(choices)} choices; allowed: 2 or more")
    if len(set(choices)) != len(choices):
        raise Rejected("bad_choices", "two choices are the same")
    answer = _answer(record.get("answer"), len(choices))
    subject = optional_text(record, "subject")
    identity = optional_text(record, "id") or text_hash(question, *choices)
    # An id may occur in both splits of a source: it is the split's own.
    item_id = text_hash(suite, language, split, identity)
    return {
        "item_id": item_id,
        "language": language,
        "suite": suite,
        "split": split,
        "question": question,
        "choices": choices,
        "answer": answer,
        "subject": subject,
        "content_hash": text_hash(question),
        "row_hash": text_hash(suite, split, question, *choices, str(answer), subject, identity),
    }


def _answer(value: Any, count: int) -> int:
    """0-based position from an integer or a letter; raises Rejected."""
    position = -1
    if isinstance(value, int) and not isinstance(value, bool):
        position = value
    elif isinstance(value, str) and re.fullmatch(r"[A-Za-z]", value.strip()):
        position = ord(value.strip().upper()) - ord("A")
    elif isinstance(value, str) and value.strip().isdecimal():
        position = int(value)
    if not 0 <= position < count:
        raise Rejected(
            "bad_answer", f"received {value!r}; allowed: 0 to {count - 1}, or a letter from A"
        )
    return position


def item_key(question: str, choices: list[str]) -> str:
    """What makes two items the same: letters and digits only, case and width folded."""
    parts = [question, *sorted(choices)]
    return text_hash(
        *(re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", part).casefold()) for part in parts)
    )


def _without_shared(result: IngestResult) -> IngestResult:
    frame = result.accepted
    keys = [item_key(q, c) for q, c in frame.select("question", "choices").iter_rows()]
    keyed = frame.with_columns(pl.Series("key", keys, dtype=pl.String))
    tested = set(keyed.filter(pl.col("split") == "test")["key"])
    shared = keyed.filter((pl.col("split") == "dev") & pl.col("key").is_in(list(tested)))
    if not shared.height:
        return result
    bad = pl.DataFrame(
        [
            {
                "file": f"{row['suite']}/{row['split']}",
                "line": None,
                "reason": "in_both_splits",
                "detail": "the same question and choices are in test",
                "raw": row["question"],
            }
            for row in shared.to_dicts()
        ],
        schema=records.QUARANTINE,
    )
    kept = frame.join(shared.select("item_id"), on="item_id", how="anti")
    return IngestResult(
        kept,
        pl.concat([result.quarantined, bad]),
        result.files,
        result.rows_read,
        result.wall_s,
        result.notes,
    )
