"""Quarantined lines can be fixed and replayed: the fix is read in place of the bad line.

The source file stays as it was delivered. Fixes lie beside it in `_corrections.jsonl`, keyed by
file, line and the bad text, so that a fix can never hit another line.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.corpora.files import CORRECTIONS
from compass_core.corpora.places import Place
from compass_core.corpora.readers import Correct, Line, is_cut
from compass_core.errors import InputError
from compass_core.hashing import text_hash

SET_ASIDE = ("duplicate_id", "exact_duplicate", "near_duplicate")  # after they had been accepted


def export_quarantine(frame: pl.DataFrame, path: Path) -> int:
    """Write quarantined rows as JSONL: file, line, reason, detail, raw, and `fixed` to fill in."""
    lines = [
        json.dumps({**row, "fixed": row["raw"]}, ensure_ascii=False) for row in frame.to_dicts()
    ]
    Place(path).write_bytes("".join(line + "\n" for line in lines).encode())
    return len(lines)


def apply_corrections(fixed: Path, input_folder: Path | Place) -> int:
    """Take the rows whose `fixed` differs from `raw`; returns how many.

    `input_folder` is the language's folder that the lines came from. Raises InputError, naming the
    line of the edited file, when one is not JSON or lacks a field, or would not be what was meant:
    then nothing is taken.
    """
    book = _read(Place(input_folder))
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
            _check(f"{fixed}:{number}", row)
            book[_key(file, line, raw)] = {"file": file, "line": line, "raw": raw, "fixed": new}
            count += 1
    if count:
        rows = [json.dumps(book[key], ensure_ascii=False) for key in sorted(book)]
        place = Place(input_folder) / CORRECTIONS
        place.write_bytes("".join(row + "\n" for row in rows).encode())
    return count


def _check(place: str, row: dict[str, Any]) -> None:
    """Raise InputError for a correction that would read half a line, or none at all."""
    origin = f"{row['file']}:{row['line']}"
    if is_cut(row["fixed"]):
        raise InputError(
            f"{place}: `fixed` ends as the line is shown, cut; write all of it, from {origin}"
        )
    if row.get("reason") in SET_ASIDE and not str(row["raw"]).lstrip().startswith("{"):
        raise InputError(
            f"{place}: a row set aside as {row['reason']} is shown as its cleaned text and cannot "
            f"be corrected here; change {origin} itself"
        )


def corrector(
    input_folder: Path | Place, file: str, shown: Callable[[Line], str]
) -> Correct | None:
    """Function line -> text to read instead (None: as it is); None where nothing was ever fixed.

    `shown`: how a line looks in quarantine, because that is what a person saw and fixed.
    """
    book = {key: row for key, row in _read(Place(input_folder)).items() if row["file"] == file}
    if not book:
        return None
    numbers = {row["line"] for row in book.values()}

    def correct(line: Line) -> str | None:
        if line.number not in numbers:
            return None
        found = book.get(_key(file, line.number, shown(line)))
        return str(found["fixed"]) if found else None

    return correct


def _read(folder: Place) -> dict[str, dict[str, Any]]:
    place = folder / CORRECTIONS
    if not place.is_file():
        return {}
    rows = [json.loads(text) for text in place.read_bytes().decode("utf-8").splitlines()]
    return {_key(row["file"], row["line"], row["raw"]): row for row in rows}


def _key(file: str, line: int, raw: str) -> str:
    return f"{file}\x1f{line:09d}\x1f{text_hash(raw)}"
