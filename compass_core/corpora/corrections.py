"""Quarantined lines can be fixed and replayed: the fix is read in place of the bad line.

The source file stays as it was delivered. Fixes lie beside it in `_corrections.jsonl`, keyed by
file, line and the bad text, so that a fix can never hit another line.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.corpora.files import CORRECTIONS
from compass_core.errors import InputError
from compass_core.hashing import text_hash


def export_quarantine(frame: pl.DataFrame, path: Path) -> int:
    """Write quarantined rows as JSONL: file, line, reason, detail, raw, and `fixed` to fill in."""
    lines = [
        json.dumps({**row, "fixed": row["raw"]}, ensure_ascii=False) for row in frame.to_dicts()
    ]
    _write(path, lines)
    return len(lines)


def apply_corrections(fixed: Path, input_folder: Path) -> int:
    """Take the rows whose `fixed` differs from `raw`; returns how many.

    `input_folder` is the language's folder that the lines came from. Raises InputError, naming the
    line of the edited file, when one is not JSON or lacks a field.
    """
    book = _read(input_folder)
    count = 0
    for number, text in enumerate(fixed.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
            file, line, raw, new = row["file"], int(row["line"]), row["raw"], row["fixed"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{fixed}:{number}: {error!r}; each line needs file, line, raw and fixed"
            ) from None
        if new != raw:
            book[_key(file, line, raw)] = {"file": file, "line": line, "raw": raw, "fixed": new}
            count += 1
    if count:
        rows = [json.dumps(book[key], ensure_ascii=False) for key in sorted(book)]
        _write(input_folder / CORRECTIONS, rows)
    return count


def corrector(input_folder: Path, file: str) -> Callable[[int, str], str] | None:
    """Function (line, raw) -> text to read instead, or None where nothing was ever fixed."""
    book = _read(input_folder)
    if not book:
        return None

    def correct(line: int, raw: str) -> str:
        found = book.get(_key(file, line, raw))
        return str(found["fixed"]) if found else raw

    return correct


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / CORRECTIONS
    if not path.is_file():
        return {}
    rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    return {_key(row["file"], row["line"], row["raw"]): row for row in rows}


def _key(file: str, line: int, raw: str) -> str:
    return f"{file}\x1f{line:09d}\x1f{text_hash(raw)}"


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    os.replace(temporary, path)
