"""One log file in: is it complete, and what did users ask in it."""

import gzip
import json
import time
import zlib
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from compass_core import records
from compass_core.config.schema import Ingest
from compass_core.corpora.clean import clean_text
from compass_core.corpora.corrections import corrector
from compass_core.corpora.files import SourceFile
from compass_core.corpora.ingest import Books, IngestResult, Rejected, check_language, optional_text
from compass_core.corpora.readers import Line, read_lines
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import text_hash

TEXT_FIELDS = ("text", "prompt")
TIME_FIELDS = ("timestamp", "ts")
FIRST_YEAR, LAST_YEAR = 2000, 2100


class LogFileState(Enum):
    """Whether a file can be taken."""

    COMPLETE = "complete"
    EMPTY = "empty"
    SETTLING = "settling"  # written to a moment ago
    INCOMPLETE = "incomplete"  # its last line is cut


def log_file_state(path: Path, now_s: float, ingest: Ingest) -> LogFileState:
    """State of a file at `now_s` (seconds since the epoch).

    A writer that stops in the middle leaves a last line without an end; such a file waits, and is
    taken after `ingest.incomplete_after_s` all the same, its broken line in quarantine.
    """
    stat = path.stat()
    if stat.st_size == 0:
        return LogFileState.EMPTY
    age_s = now_s - stat.st_mtime
    if age_s < ingest.settle_s:
        return LogFileState.SETTLING
    if age_s >= ingest.incomplete_after_s or _ends_well(path):
        return LogFileState.COMPLETE
    return LogFileState.INCOMPLETE


def _ends_well(path: Path) -> bool:
    if path.name.endswith(".gz"):
        try:
            with gzip.open(path) as stream:
                while stream.read(1 << 20):
                    pass
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return False
        return True
    if not path.name.endswith(".jsonl"):
        return True
    with path.open("rb") as handle:
        size = path.stat().st_size
        handle.seek(max(0, size - (1 << 20)))
        tail = handle.read()
    if tail.endswith(b"\n"):
        return True
    try:
        json.loads(tail.rsplit(b"\n", 1)[-1])
    except ValueError:
        return False
    return True


def parse_log_file(folder: Path, file: SourceFile, language: str, ingest: Ingest) -> IngestResult:
    """Usage rows (records.USAGE) of one file; the UTC day of each event counts, not the name."""
    started = time.monotonic()
    books = Books()
    for line in read_lines(folder / file.path, corrector(folder, file.path)):
        books.add(file.path, line, lambda r: _usage_row(r, language, ingest, file.path, line))  # noqa: B023
    return books.result(records.USAGE, [file], started, [])


def _usage_row(
    record: dict[str, Any], language: str, ingest: Ingest, file: str, line: Line
) -> dict[str, Any]:
    check_language(record, language)
    text = next((record[name] for name in TEXT_FIELDS if name in record), None)
    if not isinstance(text, str):
        raise ShapeError("text: received nothing that is text; allowed: text or prompt")
    prompt = clean_text(text, ingest.max_chars)
    moment = _moment(next((record[name] for name in TIME_FIELDS if name in record), None))
    user = optional_text(record, "user")
    user_hash = text_hash(ingest.user_salt, user) if user else None
    identity = optional_text(record, "id")
    stamp = moment.isoformat()
    row_id = (
        text_hash(language, identity) if identity else text_hash(language, stamp, user_hash, prompt)
    )
    return {
        "row_id": row_id,
        "language": language,
        "day": moment.date(),
        "ts": moment,
        "prompt": prompt,
        "content_hash": text_hash(prompt),
        "row_hash": text_hash(language, stamp, prompt, user_hash, identity),
        "user_hash": user_hash,
        "file": file,
        "line": line.number,
    }


def _moment(value: Any) -> datetime:
    """UTC time of ISO-8601 text (UTC where it names no zone) or epoch seconds / milliseconds."""
    moment: datetime | None = None
    try:
        if isinstance(value, bool):
            raise ValueError("a boolean")
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise Rejected(
            "bad_timestamp",
            f"received {str(value)[:60]!r}; allowed: ISO-8601 or epoch, "
            f"{FIRST_YEAR} to {LAST_YEAR}",
        )
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
