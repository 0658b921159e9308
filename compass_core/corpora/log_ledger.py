"""The book of log files of one language: each complete file's rows are taken exactly once.

A file is known by the digest of its bytes. Its rows are kept as delivered, by digest; a day is
always assembled from all files that hold rows of it. So a file may come late, twice, under two
names or in a new version, and a killed take is simply done again.

Log folders are append-only by contract: rows of a file that was deleted from the folder stay.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from compass_core import records
from compass_core.corpora.files import CORRECTIONS, SourceFile, file_digest, listed_and_not
from compass_core.corpora.logs import LogFileState, log_file_state, log_recipe, parse_log_file
from compass_core.corpora.places import Place
from compass_core.corpora.rules import Rules
from compass_core.storage import Store

Report = Callable[[str], None]


@dataclass(frozen=True)
class PendingFiles:
    """What a look into the folder found. `unpublished`: days taken but not yet published;
    `problems`: files that nothing reads."""

    complete: list[SourceFile] = field(default_factory=list)
    waiting: dict[str, LogFileState] = field(default_factory=dict)
    done: int = 0
    problems: list[str] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)

    @property
    def has_work(self) -> bool:
        return bool(self.complete or self.unpublished)


class Ledger:
    """Book of one language in a store. Cheap to open; every call reads the book anew."""

    def __init__(self, store: Store, language: str) -> None:
        self._store = store
        self._root = f"logfiles/{language}"
        self._language = language

    def pending(self, folder: Path | Place, now_s: float, rules: Rules) -> PendingFiles:
        """Compare the folder with the book; reads only files whose size or time is new.

        A file that was taken under other settings (salt, cleaning, turns) is to be taken again.
        """
        book = self._read()
        recipe = log_recipe(rules)
        complete: list[SourceFile] = []
        waiting: dict[str, LogFileState] = {}
        done = 0
        corrected = _corrections_digest(Place(folder)) != book["corrections"]
        files, problems = listed_and_not(folder, bare=True)
        for name, size_bytes, mtime_ns in files:
            if name.endswith(CORRECTIONS):
                continue
            known = book["paths"].get(name)
            stat = [size_bytes, mtime_ns]
            entry = book["files"].get(known["digest"]) if known is not None else None
            fixed = corrected and entry is not None and entry["quarantined"]
            same = entry is not None and entry.get("recipe") == recipe
            if known is not None and known["stat"] == stat and same and not fixed:
                done += 1
                continue
            state = log_file_state(Place(folder) / name, now_s, rules.ingest)
            if state is not LogFileState.COMPLETE:
                waiting[name] = state
                continue
            digest = file_digest(Place(folder) / name)
            entry = book["files"].get(digest)
            if entry is not None and entry.get("recipe") == recipe and not fixed:
                done += 1  # a copy, or the same content touched again
                continue
            complete.append(SourceFile(name, size_bytes, mtime_ns, digest))
        return PendingFiles(complete, waiting, done, problems, list(book["unpublished"]))

    def take(
        self,
        folder: Path | Place,
        files: Iterable[SourceFile],
        rules: Rules,
        report: Report = lambda text: None,
    ) -> set[date]:
        """Parse and record files; returns every day that has to be published.

        That includes days of earlier takes whose publication was cut short. Safe against a second
        process taking the same files, and against being killed anywhere.
        """
        with self._locked():
            book = self._read()
            for file in files:
                result = parse_log_file(folder, file, self._language, rules)
                days = {
                    day.isoformat(): count
                    for day, count in result.accepted.group_by("day").len().iter_rows()
                }
                self._store.write_parquet(f"{self._root}/{file.digest}.parquet", result.accepted)
                self._store.write_parquet(
                    f"{self._root}/{file.digest}.quarantine.parquet", result.quarantined
                )
                affected = set(days) | self._forget(book, file)
                if file.digest in book["files"]:
                    affected |= set(book["files"][file.digest]["days"])
                book["files"][file.digest] = {
                    "days": days,
                    "path": file.path,
                    "rows_read": result.rows_read,
                    "accepted": result.accepted.height,
                    "quarantined": result.quarantined.height,
                    "reasons": result.reasons,
                    "pii": result.pii,
                    "recipe": log_recipe(rules),
                }
                book["paths"][file.path] = {
                    "digest": file.digest,
                    "stat": [file.size_bytes, file.mtime_ns],
                }
                book["unpublished"] = sorted({*book["unpublished"], *affected})
                report(
                    f"{file.path}: {result.accepted.height} rows of {len(days)} days, "
                    f"{result.quarantined.height} quarantined"
                )
            book["corrections"] = _corrections_digest(Place(folder))
            self._write(book)
            return {date.fromisoformat(day) for day in book["unpublished"]}

    def mark_published(self, days: Iterable[date]) -> None:
        """The days are in their partitions and known to the orchestrator."""
        with self._locked():
            book = self._read()
            book["unpublished"] = sorted(
                set(book["unpublished"]) - {day.isoformat() for day in days}
            )
            self._write(book)

    def assemble_day(self, day: date) -> pl.DataFrame:
        """Rows of one day from all files (records.USAGE), each row id once, sorted by it."""
        iso = day.isoformat()
        frames = [
            self._store.read_parquet(f"{self._root}/{digest}.parquet").filter(pl.col("day") == day)
            for digest, entry in self._files()
            if iso in entry["days"]
        ]
        # Rows that were recorded before a column was added have it empty.
        rows = pl.concat([records.empty(records.USAGE), *frames], how="diagonal_relaxed")
        # Where files disagree about a row the latest event wins, as within a file, and then one by
        # content and not by who arrived first.
        later = pl.col("ts").to_physical().neg()
        first = rows.sort("row_id", later, "row_hash", "file", "line").unique(
            "row_id", keep="first", maintain_order=True
        )
        return first.sort("row_id")

    def duplicates_of_day(self, day: date) -> int:
        """Rows of a day that came in more than one file."""
        iso = day.isoformat()
        held: int = sum(entry["days"].get(iso, 0) for _, entry in self._files())
        return held - self.assemble_day(day).height

    def quarantine(self) -> pl.DataFrame:
        """Every quarantined line of the language's files (records.QUARANTINE)."""
        frames = [
            self._store.read_parquet(f"{self._root}/{digest}.quarantine.parquet")
            for digest, entry in self._files()
            if entry["quarantined"]
        ]
        return pl.concat([records.empty(records.QUARANTINE), *frames])

    def totals(self) -> dict[str, Any]:
        """Accounts over all files: rows_read, rows_accepted, rows_quarantined, reasons, pii."""
        reasons: dict[str, int] = {}
        pii: dict[str, int] = {}
        totals = {"rows_read": 0, "rows_accepted": 0, "rows_quarantined": 0}
        for _, entry in self._files():
            totals["rows_read"] += entry["rows_read"]
            totals["rows_accepted"] += entry["accepted"]
            totals["rows_quarantined"] += entry["quarantined"]
            for reason, count in entry["reasons"].items():
                reasons[reason] = reasons.get(reason, 0) + count
            for kind, count in entry.get("pii", {}).items():
                pii[kind] = pii.get(kind, 0) + count
        return {**totals, "reasons": reasons, "pii": pii}

    def _files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from sorted(self._read()["files"].items())

    @staticmethod
    def _forget(book: dict[str, Any], file: SourceFile) -> set[str]:
        """Drop what the path held before, unless another path still delivers it."""
        before = book["paths"].get(file.path)
        if before is None or before["digest"] == file.digest:
            return set()
        others = [p for p, v in book["paths"].items() if p != file.path]
        if any(book["paths"][path]["digest"] == before["digest"] for path in others):
            return set()
        gone = book["files"].pop(before["digest"], None)
        return set(gone["days"]) if gone else set()

    def _read(self) -> dict[str, Any]:
        fresh = {"files": {}, "paths": {}, "unpublished": [], "corrections": ""}
        return self._store.read_json_or_none(f"{self._root}/ledger.json") or fresh

    def _write(self, book: dict[str, Any]) -> None:
        data = json.dumps(book, ensure_ascii=False, sort_keys=True).encode()
        self._store.write_bytes(f"{self._root}/ledger.json", data)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer a language. The lock is the system's, so a killed process holds none."""
        if not self._store.is_local:
            yield
            return
        path = self._store.local_path(f"{self._root}/ledger.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path):
            yield


def _corrections_digest(folder: Place) -> str:
    path = folder / CORRECTIONS
    return file_digest(path) if path.is_file() else ""
