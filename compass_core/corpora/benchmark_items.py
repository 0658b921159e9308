"""Benchmark items in: multiple choice, dev and test apart and sharing no item."""

import re
import time
import unicodedata
from dataclasses import dataclass, field, replace
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
from compass_core.corpora.item_shapes import answer_of, number_of, renamed, shape_of
from compass_core.corpora.readers import read_lines
from compass_core.corpora.rules import Rules
from compass_core.hashing import text_hash

SPLITS = {"dev": "dev", "validation": "dev", "test": "test"}  # by the beginning of a file's name


def ingest_benchmarks(
    folder: Path, language: str, suites: list[Suite], ingest: Ingest
) -> IngestResult:
    """Items of all configured suites in one language (records.BENCHMARK, sorted by item id).

    Reads `<folder>/<suite>/<language>/{dev,validation,test}.*`; validation is dev. An item that is
    in both splits is quarantined from dev: the test split is never what a target distribution is
    made of.
    """
    started = time.monotonic()
    # Items are only brought into one form: a benchmark has to stay what others score on.
    books = Books(Rules(ingest=ingest), language, "item_id")
    files, notes = [], []
    misread: dict[str, tuple[str, int]] = {}
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
        numbers = Numbers()
        for file in source_files(root, prefix=prefix):
            files.append(file)
            split = re.split(r"[-.]", Path(file.path).name)[0]
            for line in read_lines(folder / file.path):
                place = (file.path, line.number)
                books.add(
                    file.path,
                    line,
                    lambda r: _item(r, language, suite, split, ingest, numbers, place),  # noqa: B023
                )
        if suite.answers_from == 0 and numbers.begin_at_one:
            misread |= numbers.places
    result = books.result(records.BENCHMARK, files, started, notes)
    result = _without_misread(result, misread)
    return without_tested(result, result.accepted.filter(pl.col("split") == "test"))


@dataclass
class Numbers:
    """Integers that a suite's answers were, to see whether they can count from 0."""

    places: dict[str, tuple[str, int]] = field(default_factory=dict)  # item id -> file and line
    least: int = 1
    too_high: bool = False  # some are as high as the number of choices

    @property
    def begin_at_one(self) -> bool:
        return self.too_high and self.least > 0


def _item(
    record: dict[str, Any],
    language: str,
    suite: Suite,
    split: str,
    ingest: Ingest,
    numbers: Numbers,
    place: tuple[str, int],
) -> dict[str, Any]:
    if split not in SPLITS:
        raise Rejected("unknown_split", f"received file {split}; allowed: {', '.join(SPLITS)}")
    split = SPLITS[split]
    check_language(record, language)
    record = renamed(record, suite.columns)
    shape = shape_of(record)
    question = clean_text(shape.question, ingest.max_chars)
    choices = [clean_text(choice, ingest.max_chars) for choice in shape.choices]
    if len(choices) < 2:
        raise Rejected("bad_choices", f"received {len(choices)} choices; allowed: 2 or more")
    if len(set(choices)) != len(choices):
        raise Rejected("bad_choices", "two choices are the same")
    try:
        answer = answer_of(shape, choices, suite.answers_from)
    except Rejected:
        numbers.too_high |= shape.first is None and number_of(shape.answer) == len(choices)
        raise
    subject = optional_text(record, "subject")
    identity = optional_text(record, "id") or text_hash(question, *choices)
    # An id may occur in both splits of a source: it is the split's own.
    item_id = text_hash(suite.name, language, split, identity)
    if answer.number is not None:
        numbers.least = min(numbers.least, answer.number)
        numbers.places.setdefault(item_id, place)
    return {
        "item_id": item_id,
        "language": language,
        "suite": suite.name,
        "split": split,
        "question": question,
        "choices": choices,
        "answer": answer.position,
        "subject": subject,
        "content_hash": text_hash(question),
        "row_hash": text_hash(
            *(suite.name, split, question, *choices, str(answer.position), subject, identity)
        ),
    }


def _plain(text: str) -> str:
    """Letters and digits only, case and width folded; a text of nothing but signs is kept."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded.strip()


def without_tested(result: IngestResult, tests: pl.DataFrame) -> IngestResult:
    """Without the dev items that are among `tests` (question, choices), items of test splits.

    The same question, and choices that are the same or some of the same, as one benchmark adds
    choices to the items of another.
    """
    tested: dict[str, list[frozenset[str]]] = {}
    for question, choices in tests.select("question", "choices").iter_rows():
        tested.setdefault(_plain(question), []).append(frozenset(map(_plain, choices)))

    def is_tested(split: str, question: str, choices: list[str]) -> bool:
        twins = tested.get(_plain(question)) if split == "dev" else None
        mine = frozenset(map(_plain, choices)) if twins else frozenset()
        return any(other <= mine or mine <= other for other in twins or ())

    found = result.accepted.select("split", "question", "choices").iter_rows()
    places = pl.Series("tested", [is_tested(*row) for row in found], dtype=pl.Boolean)
    shared = result.accepted.filter(places)
    if not shared.height:
        return result
    detail = "the same question, with these choices or some of them, is in test"
    bad = [
        _bad(f"{row['suite']}/{row['split']}", None, "in_both_splits", detail, row)
        for row in shared.to_dicts()
    ]
    return _moved(result, shared["item_id"], bad)


def _without_misread(result: IngestResult, misread: dict[str, tuple[str, int]]) -> IngestResult:
    """Without items whose integers cannot count from 0: each of them would be one off."""
    found = result.accepted.filter(pl.col("item_id").is_in(list(misread)))
    detail = (
        "no answer of the suite is 0 and some are as high as the number of choices: set "
        "answers_from: 1 of the suite in compass.yaml"
    )
    bad = [_bad(*misread[row["item_id"]], "answers_from", detail, row) for row in found.to_dicts()]
    return _moved(result, found["item_id"], bad)


def _bad(
    file: str, line: int | None, reason: str, detail: str, row: dict[str, Any]
) -> dict[str, Any]:
    return {"file": file, "line": line, "reason": reason, "detail": detail, "raw": row["question"]}


def _moved(result: IngestResult, ids: pl.Series, bad: list[dict[str, Any]]) -> IngestResult:
    """The result with items moved to quarantine."""
    kept = result.accepted.filter(~pl.col("item_id").is_in(ids.to_list()))
    moved = pl.DataFrame(bad, schema=records.QUARANTINE)
    return replace(result, accepted=kept, quarantined=pl.concat([result.quarantined, moved]))
