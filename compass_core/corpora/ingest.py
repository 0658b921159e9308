"""A folder of text files in: accepted rows, quarantined rows, and nothing lost between them."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from compass_core import records
from compass_core.config.text import Corpus
from compass_core.corpora.boilerplate import without_boilerplate
from compass_core.corpora.books import Books, IngestResult, Rejected, Report, Row
from compass_core.corpora.clean import TextError, clean_text
from compass_core.corpora.corrections import corrector
from compass_core.corpora.declared import declared_tag
from compass_core.corpora.duplicates import Seen, find_duplicates
from compass_core.corpora.files import CORRECTIONS, SourceFile, list_files, source_files
from compass_core.corpora.mapping import corpus_of, mapped, readings
from compass_core.corpora.pii import replace_pii
from compass_core.corpora.readers import Line, read_lines
from compass_core.corpora.repetition import repetition
from compass_core.corpora.rules import Rules
from compass_core.corpora.shapes import conversation_of
from compass_core.hashing import text_hash
from compass_core.progress import Progress, megabytes
from compass_core.turns import Exchange, earlier_exchanges, earlier_turns

__all__ = ["Books", "IngestResult", "Rejected", "Report", "Row", "ingest_text"]


def ingest_text(
    folder: Path,
    language: str,
    rules: Rules,
    report: Report = lambda text: None,
    *,
    role: str = "auxiliary",
    corpora: Sequence[Corpus] = (),
    earlier: Seen | None = None,
) -> IngestResult:
    """All text files of one language's folder (records.TEXT). A missing folder has zero rows.

    Files are read in the order of their paths; where two rows claim one id the first one wins.
    `corpora`: entries of the project file that say how some files are read. `earlier`: rows of
    other partitions that are not to be taken again.
    """
    started = time.monotonic()
    files = source_files(folder, readings=_readings(folder, corpora, role))
    books = Books(rules, language)
    for file, line in _all_lines(folder, files, books, report):
        make = partial(
            _row,
            language=language,
            rules=rules,
            corpus=corpus_of(file, corpora, role),
            file=file,
            line=line,
        )
        books.add(file, line, make)
    texts = [
        (row["row_id"], asked_text(row["earlier_turns"], row["prompt"]), row["response"])
        for row in books.rows
    ]
    books.drop(find_duplicates(texts, rules.cleaning, earlier))
    books.identify_languages(lambda row: f"{row['prompt']}\n{row['response']}")
    return books.result(records.TEXT, files, started)


def _readings(folder: Path, corpora: Sequence[Corpus], role: str) -> dict[str, str]:
    if not corpora:
        return {}
    return readings([name for name, _, _ in list_files(folder)], corpora, role)


def _all_lines(
    folder: Path, files: list[SourceFile], books: Books, report: Report
) -> Iterator[tuple[str, Line]]:
    """Every line of every file but those of corrections, which stand in for other files' lines."""
    told = [file for file in files if not file.path.endswith(CORRECTIONS)]
    total = sum(file.size_bytes for file in told)
    progress = Progress(report, books.language, total, "MB read", show=megabytes)
    before = 0

    def at(done: int) -> None:
        # Compressed data is read ahead of its lines: the end is told once, after the last line.
        progress.at(min(before + done, total - 1), f"{books.read} rows")

    for file in told:
        correct = corrector(folder, file.path, books.scrub)
        for line in read_lines(folder / file.path, correct, at):
            yield file.path, line
        before += file.size_bytes
    if told:
        progress.at(total, f"{books.read} rows")


def _row(
    record: dict[str, Any],
    *,
    language: str,
    rules: Rules,
    corpus: Corpus | None,
    file: str,
    line: Line,
) -> Row:
    if corpus is not None:
        record = mapped(record, corpus)
    declared = check_language(record, language)
    exchanges, system = conversation_of(record)
    pii: Counter[str] = Counter()

    def clean(text: str, instructions: bool = False) -> str:
        kept, found = _cleaned(text, language, rules, instructions)
        pii.update(found)
        return kept

    told = None if system is None else clean(system, instructions=True)
    said = [Exchange(clean(asked), clean(answered)) for asked, answered in exchanges]
    prompt, response = said[-1]
    earlier = earlier_turns(said[:-1], told)
    before = [earlier] if earlier else []  # so that rows of one turn keep their hashes
    source = optional_text(record, "source") or optional_text(record, "dataset_name")
    licence, revision = optional_text(record, "license"), optional_text(record, "revision")
    identity = optional_text(record, "id")
    named = [identity] if identity else []
    # The revision is not in the hash: the same row of a newer revision is the same row.
    row_hash = text_hash(language, prompt, response, source, licence, identity, *before)
    # An id without a source names no row: many files number theirs from 0. Nor does the file: what
    # is drawn by id has to be the same where a file was renamed or cut in two.
    row_id = (
        text_hash(language, source, identity)
        if identity and source
        else text_hash(language, *named, prompt, response, *before)
    )
    return {
        "row_id": row_id,
        "language": language,
        "prompt": prompt,
        "response": response,
        "earlier_turns": earlier,
        "content_hash": text_hash(prompt),
        "row_hash": row_hash,
        "source": source,
        "license": licence,
        "revision": revision,
        "declared_language": declared,
        "pii": pii,
        "file": file,
        "line": line.number,
    }


def asked_text(earlier: str | None, prompt: str) -> str:
    """What a row's answer is an answer to, as one text: duplicates are told apart by it.

    Without the system turn: a long one that many rows share would make them all nearly the same.
    """
    said = earlier_turns(earlier_exchanges(earlier))
    return f"{said}\n{prompt}" if said else prompt


def _cleaned(
    text: str, language: str, rules: Rules, instructions: bool
) -> tuple[str, dict[str, int]]:
    """The text as it is kept, and the personal data replaced in it.

    `instructions`: a system turn. What it says of terms of use, and says again, is meant.
    """
    cleaning = rules.cleaning
    text = clean_text(text, rules.ingest.max_chars, cleaning)
    if cleaning.boilerplate and not instructions:
        text = without_boilerplate(text)
    if cleaning.repetition and not instructions:
        broken = repetition(text, cleaning.repetition_min_units)
        if broken:
            raise TextError("repetition", broken)
    return replace_pii(text, language, cleaning)


def check_language(record: dict[str, Any], language: str) -> str:
    """The tag that the row declares, or that of its folder where it declares none.

    Raises Rejected where the row's own language is unknown or not that of its folder.
    """
    try:
        tag = declared_tag(record) or language
    except ValueError as error:
        raise Rejected("unknown_language", str(error)) from None
    if tag.split("-")[0] != language.split("-")[0]:
        raise Rejected(
            "language_mismatch", f"the row says {tag}, its folder is {language}; move it"
        )
    return tag


def optional_text(record: dict[str, Any], name: str) -> str | None:
    """A short field as text, or None; numbers are taken as their text."""
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool | list | dict):
        raise Rejected("missing_field", f"{name}: received {type(value).__name__}; allowed is text")
    text = str(value)
    try:
        return clean_text(text, 500)
    except TextError as error:
        raise Rejected(error.reason, f"{name}: {error}") from None
