"""Formats in: one generator a format, each giving a record or the reason why there is none."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from compass_core.corpora.formats import ALLOWED, Format, format_of, packing_of
from compass_core.corpora.parquet_rows import parquet_rows
from compass_core.corpora.places import Place
from compass_core.errors import InputError

MAX_LINE_BYTES = 8 << 20
RAW_CHARS = 2_000
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how a file begins that Windows calls Unicode


@dataclass(frozen=True)
class Line:
    """One line of a source: `record` where it could be read, else `reason` and `detail`."""

    number: int
    raw: str
    record: dict[str, Any] | None = None
    reason: str = ""
    detail: str = ""


Correct = Callable[[Line], str | None]
At = Callable[[int], None]


def read_lines(
    where: Path | Place, correct: Correct | None = None, at: At = lambda done: None
) -> Iterator[Line]:
    """Lines of a file by its format. `correct` may give other text to be read in a line's place.

    `at` is told before each line how many bytes of the file are read by then, about.
    Memory is bounded by one line (8 MiB) for JSONL, by one row group for Parquet, by the file for
    a JSON array or an object over many lines. Raises InputError when the file changes while it is
    read: then what was read is not what is there, and the step is to be run again.
    """
    path = Place(where)
    before = path.stat()
    for line in _lines_of(path, at):
        fixed = correct(line) if correct is not None else None
        yield line if fixed is None else parse_json_line(line.number, fixed.encode())
    if path.stat() != before:
        raise InputError(f"{path} changed while it was read; run again when it is complete")


def _lines_of(path: Place, at: At) -> Iterator[Line]:
    kind = format_of(path.name)
    if kind is None:
        raise InputError(f"{path}: received format {Path(path.name).suffix!r}; allowed: {ALLOWED}")
    return _READERS[kind](path, at)


def unpacked(name: str, plain: IO[bytes]) -> IO[bytes]:
    """The stream of a file's content, by the ending of its name (.gz, .zst or neither)."""
    packing = packing_of(name)
    if packing == ".gz":
        return cast(IO[bytes], gzip.GzipFile(fileobj=plain))
    if packing == ".zst":
        import pyarrow as pa

        return cast(IO[bytes], io.BufferedReader(pa.CompressedInputStream(plain, "zstd"), 1 << 20))
    return plain


CUT_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, OSError)


def storable(text: str) -> str:
    """Text that Parquet can hold: JSON may bring halves of surrogate pairs, shown as \\udNNN."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def raw_text(data: bytes) -> str:
    """Bytes as text that can be stored and edited; undecodable ones as \\xNN, long ones cut."""
    text = data.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return text if len(text) <= RAW_CHARS else text[:RAW_CHARS] + f"… ({len(text)} characters)"


def is_cut(text: str) -> bool:
    """Whether text ends as raw_text ends what it cuts."""
    return re.search(r"… \([0-9]+ characters\)\s*$", text[-40:]) is not None


def _jsonl(path: Place, at: At) -> Iterator[Line]:
    with path.open() as plain:
        stream = unpacked(path.name, plain)
        number = 0
        while True:
            number += 1
            try:
                data = stream.readline(MAX_LINE_BYTES + 1)
            except CUT_ERRORS as error:
                detail = f"compressed data ends early: {error}"
                yield Line(number, "", None, "truncated_file", detail)
                return
            if not data:
                return
            at(plain.tell())
            if number == 1 and data.startswith(UTF_16):
                detail = "the file is UTF-16; save it as UTF-8"
                yield Line(1, raw_text(data[:200]), None, "bad_encoding", detail)
                return
            data = data.removeprefix(BOM)  # of a file, or of one that was appended to it
            if len(data) > MAX_LINE_BYTES:
                while not data.endswith(b"\n") and (rest := stream.readline(MAX_LINE_BYTES)):
                    data = data[:RAW_CHARS] + (b"\n" if rest.endswith(b"\n") else b"")
                detail = f"longer than {MAX_LINE_BYTES} bytes"
                yield Line(number, raw_text(data[:RAW_CHARS]), None, "too_long", detail)
                continue
            if data.strip():
                yield parse_json_line(number, data)


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


def _json(path: Place, at: At) -> Iterator[Line]:
    """An array of objects, one object, or in spite of the ending one object a line.

    LiteLLM writes an object a file, the collector's file exporter an object a line to `.json`.
    """
    with path.open() as handle:
        first = handle.readline(MAX_LINE_BYTES + 1).removeprefix(BOM)
    if first.lstrip().startswith(b"{") and parse_json_line(1, first).record is not None:
        yield from _jsonl(path, at)
        return
    data = path.read_bytes().removeprefix(BOM)
    if not data.strip():
        return
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        yield Line(1, raw_text(data), None, "bad_encoding", f"not UTF-8 at byte {error.start}")
        return
    except (ValueError, RecursionError) as error:
        if str(error).startswith("Extra data"):
            yield from _jsonl(path, at)
        else:
            yield Line(1, raw_text(data), None, "bad_json", str(error)[:200])
        return
    if isinstance(value, dict):
        yield Line(1, raw_text(data), value)
        return
    if not isinstance(value, list):
        detail = "allowed is an object, an array of objects, or an object a line"
        yield Line(1, raw_text(data), None, "bad_json", detail)
        return
    for number, item in enumerate(value, start=1):
        at(len(data) * number // len(value))
        raw = raw_text(json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if isinstance(item, dict):
            yield Line(number, raw, item)
        else:
            yield Line(number, raw, None, "bad_json", "allowed is an array of objects")


def _csv(path: Place, at: At) -> Iterator[Line]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open() as plain:
        if plain.read(2) in UTF_16:
            yield Line(1, "", None, "bad_encoding", "the file is UTF-16; save it as UTF-8")
            return
    with path.open() as plain:
        # Bytes that are no UTF-8 become halves of surrogate pairs, so that only their row is lost.
        text = io.TextIOWrapper(plain, "utf-8-sig", "surrogateescape", newline="")
        rows = csv.DictReader(text)
        number = 1
        while True:
            try:
                number = rows.line_num + 1
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(number, "", None, "bad_csv", str(error))
                continue
            at(plain.tell())
            shown = json.dumps(row, ensure_ascii=False, default=str)
            data = shown.encode("utf-8", "surrogateescape")
            raw = raw_text(data)
            if not shown.isascii() and not _is_utf8(data):
                detail = "the row, or the line with the names, is not UTF-8"
                yield Line(number, raw, None, "bad_encoding", detail)
            elif None in row or None in row.values():
                detail = (
                    f"{len(rows.fieldnames or [])} columns are named, the row has more or fewer"
                )
                yield Line(number, raw, None, "bad_csv", detail)
            else:
                yield Line(number, raw, {key: value or None for key, value in row.items()})


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _parquet(path: Place, at: At) -> Iterator[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = path.stat().size_bytes
    if not size:
        return
    number = 0
    try:
        with path.open() as handle:
            file = pq.ParquetFile(handle)
            for batch in file.iter_batches(batch_size=1_024):
                for row in parquet_rows(batch):
                    number += 1
                    at(size * number // file.metadata.num_rows)
                    if isinstance(row, str):
                        yield Line(number, "", None, "bad_parquet", row)
                        continue
                    raw = json.dumps(row, default=str, ensure_ascii=False)
                    yield Line(number, raw_text(raw.encode("utf-8", "surrogatepass")), row)
    except (pa.ArrowInvalid, OSError) as error:
        detail = f"not a whole Parquet file: {error}"[:200]
        yield Line(number + 1, "", None, "truncated_file", detail)


_READERS: dict[Format, Callable[[Place, At], Iterator[Line]]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
}
