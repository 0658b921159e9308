"""One log file in: is it complete, and what did users ask in it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from compass_core import records
from compass_core.config.text import Ingest
from compass_core.corpora.books import Books, IngestResult, Rejected
from compass_core.corpora.clean import clean_text
from compass_core.corpora.corrections import corrector
from compass_core.corpora.files import SourceFile
from compass_core.corpora.formats import format_of, packing_of
from compass_core.corpora.ingest import check_language, optional_text
from compass_core.corpora.log_shapes import read_event
from compass_core.corpora.log_shapes.event import Turns
from compass_core.corpora.log_shapes.spans import unpacked as one_by_one
from compass_core.corpora.pii import replace_pii
from compass_core.corpora.places import Place
from compass_core.corpora.privacy import user_hash
from compass_core.corpora.readers import (
    CUT_ERRORS,
    Correct,
    Line,
    parse_json_line,
    read_lines,
    unpacked,
)
from compass_core.corpora.rules import Rules
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import text_hash, version_of

FIRST_YEAR, LAST_YEAR = 2000, 2100
AHEAD_DAYS = 1  # a day's slack for clocks that differ and files that keep an older time
CODE = "4"  # raise when the same file would give other rows


class LogFileState(Enum):
    """Whether a file can be taken."""

    COMPLETE = "complete"
    EMPTY = "empty"
    SETTLING = "settling"  # written to a moment ago
    INCOMPLETE = "incomplete"  # its last line is cut


def log_file_state(where: Path | Place, now_s: float, ingest: Ingest) -> LogFileState:
    """State of a file at `now_s` (seconds since the epoch).

    A writer that stops in the middle leaves a last line without an end; such a file waits, and is
    taken after `ingest.incomplete_after_s` all the same, its broken line in quarantine.
    """
    path = Place(where)
    stat = path.stat()
    if stat.size_bytes == 0:
        return LogFileState.EMPTY
    age_s = now_s - stat.mtime_ns / 1e9
    if age_s < ingest.settle_s:
        return LogFileState.SETTLING
    if age_s >= ingest.incomplete_after_s or _ends_well(path, stat.size_bytes):
        return LogFileState.COMPLETE
    return LogFileState.INCOMPLETE


def _ends_well(path: Place, size: int) -> bool:
    kind = format_of(path.name)
    if packing_of(path.name):
        try:
            with path.open() as plain:
                stream = unpacked(path.name, plain)
                while stream.read(1 << 20):
                    pass
        except CUT_ERRORS:
            return False
        return True
    if kind not in ("json", "jsonl"):
        return True
    with path.open() as handle:
        handle.seek(max(0, size - (1 << 20)))
        tail = handle.read()
    if kind == "json":
        # Whether it is one value or a value a line is not known here. One that is cut just after
        # a bracket is taken, and again when it has grown.
        return tail.rstrip().endswith((b"}", b"]"))
    if tail.endswith(b"\n"):
        return True
    try:
        json.loads(tail.rsplit(b"\n", 1)[-1])
    except ValueError:
        return False
    return True


def log_recipe(rules: Rules) -> str:
    """Version of what is done to a log line. A file that was taken by another is taken again."""
    cleaning = rules.cleaning
    return version_of(
        [
            CODE,
            rules.ingest.max_chars,
            rules.ingest.turns,
            rules.ingest.user_salt,
            rules.ingest.late_after_days,
            cleaning.unicode,
            cleaning.mojibake,
            cleaning.control_characters,
            cleaning.min_chars,
            sorted(cleaning.pii),
            cleaning.name_recognisers,
        ]
    )


def parse_log_file(
    folder: Path | Place, file: SourceFile, language: str, rules: Rules
) -> IngestResult:
    """Usage rows (records.USAGE) of one file; the UTC day of each event counts, not the name.

    An OTLP batch counts as many rows as it holds spans or log records.
    """
    started = time.monotonic()
    # Events of one request share its id (otel.py): what it asks is said last.
    books = Books(rules, language, replaces=lambda new, old: bool(new["ts"] >= old["ts"]))
    arrived = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC).date() if file.mtime_ns else None
    correct = corrector(folder, file.path, books.scrub)
    for line in _records(Place(folder) / file.path, correct):
        make = partial(
            _row,
            language=language,
            rules=rules,
            arrived=arrived,
            file=file.path,
            line=line,
        )
        books.add(file.path, line, make)
    books.identify_languages(lambda row: str(row["prompt"]))
    return books.result(records.USAGE, [file], started)


def _records(path: Place, correct: Correct | None) -> Iterator[Line]:
    """Lines of a file, a batch as its records, each as it was corrected.

    In quarantine stands a record of a batch and not its line, so it is a record that is corrected;
    a whole line only where it could not be read, and then it may turn out to be a batch.
    """
    for whole in read_lines(path):
        for line in one_by_one(whole):
            fixed = correct(line) if correct is not None else None
            if fixed is None:
                yield line
            else:
                yield from one_by_one(parse_json_line(line.number, fixed.encode()))


def _row(
    record: dict[str, Any],
    *,
    language: str,
    rules: Rules,
    arrived: date | None,
    file: str,
    line: Line,
) -> dict[str, Any]:
    declared = check_language(record, language)
    event = read_event(record)
    asked = usage_text(event.turns, rules.ingest.turns)
    cleaned = clean_text(asked, rules.ingest.max_chars, rules.cleaning)
    prompt, found = replace_pii(cleaned, language, rules.cleaning)
    moment = utc_moment(event.time)
    _check_day(moment.date(), arrived, rules.ingest)
    user = optional_text({"user": event.user}, "user")
    hashed = user_hash(rules.ingest.user_salt, user)
    identity = optional_text({"id": event.identity}, "id")
    stamp = moment.isoformat()
    row_id = (
        text_hash(language, identity) if identity else text_hash(language, stamp, hashed, prompt)
    )
    return {
        "row_id": row_id,
        "language": language,
        "day": moment.date(),
        "ts": moment,
        "prompt": prompt,
        "content_hash": text_hash(prompt),
        "row_hash": text_hash(language, stamp, prompt, hashed, identity),
        "user_hash": hashed,
        "declared_language": declared,
        "pii": found,
        "file": file,
        "line": line.number,
    }


def usage_text(turns: Turns, keep: str) -> str:
    """What of a conversation is usage: the last user turn, or everything said up to it.

    A request that ends in a tool's result goes on with an answer and asks nothing new: it is
    rejected as tool_turn, or one question to an agent would count once a step.
    """
    said = [(role, text) for role, text in turns if role != "system"]
    if said and said[-1][0] == "tool":
        raise Rejected("tool_turn", "the request goes on with a tool's result, no user turn")
    last = max((i for i, (role, text) in enumerate(said) if role == "user"), default=None)
    if last is None:
        raise ShapeError("messages: no user turn")
    if not said[last][1].strip():
        raise Rejected("empty_text", "the last user turn has no text")
    if keep == "last":
        return said[last][1]
    return "\n".join(text for role, text in said[: last + 1] if role != "tool" and text.strip())


def _check_day(day: date, arrived: date | None, ingest: Ingest) -> None:
    """Raise Rejected for an event that is too old for its file, or later than it.

    The usage window ends at the last logged day: one clock that is years ahead would empty it. A
    store that does not say when a file was written has written it by now.
    """
    latest = arrived or datetime.now(UTC).date()
    if day > latest + timedelta(days=AHEAD_DAYS):
        raise Rejected(
            "in_future",
            f"an event of {day} in a file of {latest}; allowed: {AHEAD_DAYS} day after the file's "
            "modification time; correct the clock that wrote it, or the file's time",
        )
    if arrived is not None and day + timedelta(days=ingest.late_after_days) < arrived:
        raise Rejected(
            "too_late",
            f"an event of {day} in a file of {arrived}; allowed: {ingest.late_after_days} days "
            "(ingest.late_after_days)",
        )


def utc_moment(value: Any) -> datetime:
    """UTC time of ISO-8601 text (UTC where it names no zone) or epoch s, ms, µs or ns.

    Raises Rejected for what is no time between the years 2000 and 2100.
    """
    moment: datetime | None = None
    try:
        if isinstance(value, bool):
            raise ValueError("a boolean")
        if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
            value = float(value)
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(_epoch_s(value), UTC)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime.combine(value, datetime.min.time())
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


def _epoch_s(value: float) -> float:
    for limit, scale in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if value > limit:
            return value / scale
    return value
