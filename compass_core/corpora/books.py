"""The accounts of an ingest: each line is accepted once or quarantined once."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from compass_core import records
from compass_core.corpora.clean import TextError
from compass_core.corpora.files import SourceFile
from compass_core.corpora.language_id import identify
from compass_core.corpora.privacy import Scrubber
from compass_core.corpora.readers import Line, storable
from compass_core.corpora.rules import Rules
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import version_of_set

Report = Callable[[str], None]
Row = dict[str, Any]
DETAIL_CHARS = 300


@dataclass(frozen=True)
class IngestResult:
    """rows_read = accepted + quarantined, always. `accepted` is sorted by row id."""

    accepted: pl.DataFrame
    quarantined: pl.DataFrame  # records.QUARANTINE
    files: list[SourceFile]
    rows_read: int
    wall_s: float
    notes: list[str] = field(default_factory=list)
    pii: dict[str, int] = field(default_factory=dict)  # placeholders written, by type

    @property
    def data_version(self) -> str:
        return version_of_set(self.accepted["row_hash"])

    @property
    def reasons(self) -> dict[str, int]:
        """Quarantined rows by reason, sorted by name."""
        if not self.quarantined.height:
            return {}
        return dict(self.quarantined.group_by("reason").len().sort("reason").iter_rows())


class Rejected(ValueError):
    """A row that goes to quarantine, with its reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Books:
    """Keeps the accounts while rows come in."""

    def __init__(
        self,
        rules: Rules,
        language: str,
        id_column: str = "row_id",
        replaces: Callable[[Row, Row], bool] = lambda new, old: False,
    ) -> None:
        """`replaces`: whether a row is kept instead of an earlier one with its id."""
        self._rules = rules
        self.language = language
        self._id = id_column
        self.scrub = Scrubber(rules.ingest.user_salt, language)
        self.rows: list[Row] = []
        self.bad: list[Row] = []
        self.read = 0
        self._pii: dict[str, dict[str, int]] = {}  # id -> placeholders by type, where there are any
        self._replaces = replaces
        self._seen: dict[str, int] = {}  # id -> where in rows

    def add(self, file: str, line: Line, make: Callable[[dict[str, Any]], Row]) -> None:
        """Take one line; `make` builds the row or raises Rejected, TextError or ShapeError.

        `pii` of the row: placeholders by type; kept is how many, and of accepted rows the types.
        """
        self.read += 1
        if line.record is None:
            self.reject(file, line, line.reason, line.detail)
            return
        try:
            row = make(line.record)
        except (ShapeError, Rejected, TextError) as error:
            self.reject(file, line, error.reason, str(error))
        except RecursionError:
            self.reject(file, line, "bad_json", "nested too deeply")
        else:
            found = row.get("pii") or {}
            if "pii" in row:
                row["pii"] = sum(found.values())
            place = self._seen.get(row[self._id])
            before = self.rows[place] if place is not None else None
            if before is None or place is None:
                self._seen[row[self._id]] = len(self.rows)
                self.rows.append(row)
                if found:
                    self._pii[row[self._id]] = found
            elif before["row_hash"] == row["row_hash"]:
                self.reject(file, line, "duplicate_row", "the same row came earlier")
            elif self._replaces(row, before):
                self.rows[place] = row
                self._pii[row[self._id]] = found
                self._set_aside(before, "duplicate_id", f"{file}:{line.number} has this id too")
            else:
                self.reject(file, line, "duplicate_id", "another row with this id came earlier")

    def reject(self, file: str, line: Line, reason: str, detail: str) -> None:
        """Quarantine a line as a person may see it: no user ids, no personal data."""
        self.bad.append(
            {
                "file": file,
                "line": line.number,
                "reason": reason,
                "detail": storable(self.scrub.text(detail)[:DETAIL_CHARS]),
                "raw": self.scrub(line),
            }
        )

    def drop(self, dropped: Mapping[str, tuple[str, str]]) -> None:
        """Move accepted rows to quarantine: row id -> (reason, row id of the one that is kept)."""
        places = {row[self._id]: f"{row['file']}:{row['line']}" for row in self.rows if dropped}
        for row in [row for row in self.rows if row[self._id] in dropped]:
            reason, other = dropped[row[self._id]]
            detail = f"says what row {other} says ({places.get(other, 'an earlier partition')})"
            self._set_aside(row, reason, detail)
        self.rows = [row for row in self.rows if row[self._id] not in dropped]

    def _set_aside(self, row: Row, reason: str, detail: str) -> None:
        """Quarantine what had been accepted, as its cleaned text."""
        said = (row[name] for name in ("prompt", "response") if name in row)
        self.bad.append(
            {
                "file": row["file"],
                "line": row["line"],
                "reason": reason,
                "detail": detail,
                "raw": "\n".join(said)[:2_000],
            }
        )

    def result(
        self,
        schema: pl.Schema,
        files: list[SourceFile],
        started: float,
        notes: Sequence[str] = (),
    ) -> IngestResult:
        accepted = pl.DataFrame(self.rows, schema=schema).sort(self._id)
        bad = pl.DataFrame(self.bad, schema=records.QUARANTINE)
        if self.read != accepted.height + bad.height:
            raise AssertionError(f"{self.read} rows read, {accepted.height} + {bad.height} kept")
        wall_s = time.monotonic() - started
        pii: Counter[str] = Counter()
        for row in self.rows:
            pii.update(self._pii.get(row[self._id], {}))
        return IngestResult(accepted, bad, files, self.read, wall_s, list(notes), dict(pii))

    def identify_languages(self, text: Callable[[Row], str]) -> None:
        """Note in every accepted row which language it is in, beside the declared one."""
        if not self._rules.language_id.enabled:
            return
        # A row may be more exact than its folder: zh-TW in the folder zh.
        by_tag: dict[str, list[Row]] = {}
        for row in self.rows:
            by_tag.setdefault(row.get("declared_language") or self.language, []).append(row)
        for declared, rows in by_tag.items():
            found = identify([text(row) for row in rows], declared, self._rules.language_id)
            for row, verdict in zip(rows, found, strict=True):
                row["detected_language"] = verdict.tag
                row["detected_confidence"] = verdict.confidence
                row["language_flag"] = verdict.flag
                row["code_mixed"] = verdict.mixed
