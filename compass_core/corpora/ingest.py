"""A folder of text files in: accepted rows, quarantined rows, and nothing lost between them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import records
from compass_core.config.schema import Ingest
from compass_core.corpora.clean import TextError, clean_text
from compass_core.corpora.corrections import corrector
from compass_core.corpora.files import CORRECTIONS, SourceFile, source_files
from compass_core.corpora.readers import Line, read_lines
from compass_core.corpora.shapes import ShapeError, prompt_and_response
from compass_core.hashing import text_hash, version_of_set
from compass_core.languages import standard_tag

Report = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class IngestResult:
    """rows_read = accepted + quarantined, always. `accepted` is sorted by row id."""

    accepted: pl.DataFrame
    quarantined: pl.DataFrame  # records.QUARANTINE
    files: list[SourceFile]
    rows_read: int
    wall_s: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def data_version(self) -> str:
        return version_of_set(self.accepted["row_hash"])

    @property
    def reasons(self) -> dict[str, int]:
        if not self.quarantined.height:
            return {}
        return dict(self.quarantined.group_by("reason").len().sort("reason").iter_rows())


class Rejected(ValueError):
    """A row that goes to quarantine, with its reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Books:
    """Keeps the accounts while rows come in: each line is accepted once or quarantined once."""

    def __init__(self, id_column: str = "row_id") -> None:
        self._id = id_column
        self.rows: list[Row] = []
        self.bad: list[Row] = []
        self.read = 0
        self._seen: dict[str, str] = {}

    def add(self, file: str, line: Line, make: Callable[[dict[str, Any]], Row]) -> None:
        """Take one line; `make` builds the row or raises Rejected, TextError or ShapeError."""
        self.read += 1
        if line.record is None:
            self.reject(file, line, line.reason, line.detail)
            return
        try:
            row = make(line.record)
        except ShapeError as error:
            self.reject(file, line, "missing_field", str(error))
        except (Rejected, TextError) as error:
            self.reject(file, line, error.reason, str(error))
        else:
            before = self._seen.get(row[self._id])
            if before is None:
                self._seen[row[self._id]] = row["row_hash"]
                self.rows.append(row)
            elif before == row["row_hash"]:
                self.reject(file, line, "duplicate_row", "the same row came earlier")
            else:
                self.reject(file, line, "duplicate_id", "another row with this id came earlier")

    def reject(self, file: str, line: Line, reason: str, detail: str) -> None:
        self.bad.append(
            {"file": file, "line": line.number, "reason": reason, "detail": detail, "raw": line.raw}
        )

    def result(
        self, schema: pl.Schema, files: list[SourceFile], started: float, notes: list[str]
    ) -> IngestResult:
        accepted = pl.DataFrame(self.rows, schema=schema).sort(self._id)
        bad = pl.DataFrame(self.bad, schema=records.QUARANTINE)
        if self.read != accepted.height + bad.height:
            raise AssertionError(f"{self.read} rows read, {accepted.height} + {bad.height} kept")
        return IngestResult(accepted, bad, files, self.read, time.monotonic() - started, notes)


def ingest_text(
    folder: Path, language: str, ingest: Ingest, report: Report = lambda text: None
) -> IngestResult:
    """All text files of one language's folder (records.TEXT). A missing folder has zero rows.

    Files are read in the order of their paths; where two rows claim one id the first one wins.
    """
    started = time.monotonic()
    files = source_files(folder)
    books = Books()

    for file, line in _all_lines(folder, files):
        books.add(file, line, lambda record: _text_row(record, language, ingest, file, line))  # noqa: B023
        if books.read % 50_000 == 0:
            report(f"{language}: {books.read} rows read")
    return books.result(records.TEXT, files, started, [])


def _all_lines(folder: Path, files: list[SourceFile]) -> Iterator[tuple[str, Line]]:
    for file in files:
        if file.path.endswith(CORRECTIONS):
            continue
        for line in read_lines(folder / file.path, corrector(folder, file.path)):
            yield file.path, line


def _text_row(record: dict[str, Any], language: str, ingest: Ingest, file: str, line: Line) -> Row:
    check_language(record, language)
    prompt, response = prompt_and_response(record)
    prompt = clean_text(prompt, ingest.max_chars)
    response = clean_text(response, ingest.max_chars)
    source, licence = optional_text(record, "source"), optional_text(record, "license")
    identity = optional_text(record, "id")
    row_hash = text_hash(language, prompt, response, source, licence, identity)
    row_id = (
        text_hash(language, source, identity) if identity else text_hash(language, prompt, response)
    )
    return {
        "row_id": row_id,
        "language": language,
        "prompt": prompt,
        "response": response,
        "content_hash": text_hash(prompt),
        "row_hash": row_hash,
        "source": source,
        "license": licence,
        "file": file,
        "line": line.number,
    }


def check_language(record: dict[str, Any], language: str) -> None:
    """Raises Rejected where the row's own language is unknown or not that of its folder."""
    declared = record.get("language") or record.get("language_code") or record.get("lang")
    if declared is None:
        return
    try:
        tag = standard_tag(str(declared))
    except ValueError as error:
        raise Rejected("unknown_language", str(error)) from None
    if tag.split("-")[0] != language.split("-")[0]:
        raise Rejected(
            "language_mismatch", f"the row says {declared}, its folder is {language}; move it"
        )


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
