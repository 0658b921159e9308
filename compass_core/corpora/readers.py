"""Formats in: one generator a format, each giving a record or the reason why there is none."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from compass_core.errors import InputError

MAX_LINE_BYTES = 8 << 20
RAW_CHARS = 2_000


@dataclass(frozen=True)
class Line:
    """One line of a source: `record` where it could be read, else `reason` and `detail`."""

    number: int
    raw: str
    record: dict[str, Any] | None = None
    reason: str = ""
    detail: str = ""


def read_lines(path: Path, correct: Callable[[int, str], str] | None = None) -> Iterator[Line]:
    """Lines of a file by its format. `correct` may replace the text of a bad line.

    Memory is bounded by one line (8 MiB) for JSONL. Raises InputError when the file changes while
    it is read: then what was read is not what is there, and the step is to be run again.
    """
    before = path.stat()
    name = path.name
    if name.endswith((".jsonl", ".jsonl.gz")):
        yield from _jsonl(path, correct)
    elif name.endswith(".json"):
        yield from _json_array(path)
    elif name.endswith(".csv"):
        yield from _csv(path)
    elif name.endswith(".parquet"):
        yield from _parquet(path)
    else:
        raise InputError(
            f"{path}: received format {path.suffix!r}; allowed: jsonl(.gz) json csv parquet"
        )
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(f"{path} changed while it was read; run again when it is complete")


def raw_text(data: bytes) -> str:
    """Bytes as text that can be stored and edited; undecodable ones as \\xNN, long ones cut."""
    text = data.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return text if len(text) <= RAW_CHARS else text[:RAW_CHARS] + f"… ({len(text)} characters)"


def _jsonl(path: Path, correct: Callable[[int, str], str] | None) -> Iterator[Line]:
    with path.open("rb") as plain:
        packed = path.name.endswith(".gz")
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=plain) if packed else plain)
        number = 0
        while True:
            number += 1
            try:
                data = stream.readline(MAX_LINE_BYTES + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                yield Line(
                    number, "", None, "truncated_file", f"compressed data ends early: {error}"
                )
                return
            if not data:
                return
            if number == 1 and data.startswith((b"\xff\xfe", b"\xfe\xff")):
                detail = "the file is UTF-16; save it as UTF-8"
                yield Line(1, raw_text(data[:200]), None, "bad_encoding", detail)
                return
            if number == 1:
                data = data.removeprefix(b"\xef\xbb\xbf")
            if len(data) > MAX_LINE_BYTES:
                while not data.endswith(b"\n") and (rest := stream.readline(MAX_LINE_BYTES)):
                    data = data[:RAW_CHARS] + (b"\n" if rest.endswith(b"\n") else b"")
                detail = f"longer than {MAX_LINE_BYTES} bytes"
                yield Line(number, raw_text(data[:RAW_CHARS]), None, "too_long", detail)
                continue
            if not data.strip():
                continue
            line = parse_json_line(number, data)
            if correct is not None and line.record is None:
                fixed = correct(number, line.raw)
                if fixed != line.raw:
                    line = parse_json_line(number, fixed.encode())
            yield line


def parse_json_line(number: int, data: bytes) -> Line:
    """One JSON object, or why it is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"not UTF-8 at byte {error.start} of the line"
        return Line(number, raw_text(data), None, "bad_encoding", detail)
    try:
        value = json.loads(text.rstrip("\r\n"))
    except (ValueError, RecursionError) as error:
        return Line(number, raw_text(data), None, "bad_json", str(error)[:200])
    if not isinstance(value, dict):
        detail = f"received {type(value).__name__}; allowed is a JSON object"
        return Line(number, raw_text(data), None, "bad_json", detail)
    return Line(number, raw_text(data), value)


def _json_array(path: Path) -> Iterator[Line]:
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        return
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        yield Line(1, raw_text(data), None, "bad_encoding", f"not UTF-8 at byte {error.start}")
        return
    except (ValueError, RecursionError) as error:
        yield Line(1, raw_text(data), None, "bad_json", str(error)[:200])
        return
    if not isinstance(value, list):
        yield Line(1, raw_text(data), None, "bad_json", "allowed is an array of objects")
        return
    for number, item in enumerate(value, start=1):
        raw = raw_text(json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if isinstance(item, dict):
            yield Line(number, raw, item)
        else:
            yield Line(number, raw, None, "bad_json", "allowed is an array of objects")


def _csv(path: Path) -> Iterator[Line]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Line(1, "", None, "bad_encoding", f"not UTF-8 at byte {error.start} of the file")
        return
    rows = csv.DictReader(io.StringIO(text, newline=""))
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, "", None, "bad_csv", str(error))
            continue
        raw = raw_text(json.dumps(row, ensure_ascii=False, default=str).encode())
        if None in row or None in row.values():
            detail = f"{len(rows.fieldnames or [])} columns are named, the row has more or fewer"
            yield Line(number, raw, None, "bad_csv", detail)
        else:
            yield Line(number, raw, {key: value or None for key, value in row.items()})


def _parquet(path: Path) -> Iterator[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.stat().st_size:
        return
    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=8_192):
            for row in batch.to_pylist():
                number += 1
                yield Line(
                    number, raw_text(json.dumps(row, default=str, ensure_ascii=False).encode()), row
                )
    except (pa.ArrowInvalid, OSError) as error:
        yield Line(
            number + 1, "", None, "truncated_file", f"not a whole Parquet file: {error}"[:200]
        )
