"""Columns with names of their own, as the project file's `corpora` maps them."""

import fnmatch
from collections.abc import Sequence
from typing import Any

from compass_core.config.text import Corpus
from compass_core.corpora import declared
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import version_of

DESCRIBED = ("source", "license", "revision")
_KEPT = ("id", *declared.COLUMNS, "script", *DESCRIBED)


def corpus_of(file: str, corpora: Sequence[Corpus], role: str) -> Corpus | None:
    """The entry that says how a file (path under its language folder) is read; the first wins."""
    for corpus in corpora:
        if corpus.role == role and fnmatch.fnmatchcase(file, corpus.file_pattern):
            return corpus
    return None


def readings(files: Sequence[str], corpora: Sequence[Corpus], role: str) -> dict[str, str]:
    """Path -> version of its reading, for files that an entry is about.

    It goes into the digest of the source, so that a changed mapping is a changed source.
    """
    found = {}
    for file in files:
        corpus = corpus_of(file, corpora, role)
        if corpus is not None:
            found[file] = version_of(
                [corpus.columns, corpus.source, corpus.license, corpus.revision, corpus.name]
            )
    return found


def mapped(record: dict[str, Any], corpus: Corpus) -> dict[str, Any]:
    """The record under our names, with the entry's defaults for source, licence and revision.

    Columns that carry text replace the record's own shape; a name with dots goes into nested
    records. Raises ShapeError naming a mapped column that the record lacks.
    """
    columns = corpus.columns
    carries_text = any(ours not in (*_KEPT, "system") for ours in columns)
    row = {name: record[name] for name in _KEPT if name in record} if carries_text else dict(record)
    if "language" in columns:
        for name in (*declared.COLUMNS, "script"):
            row.pop(name, None)  # the language of something else, of a translation's source say
    for ours, theirs in columns.items():
        value = look_up(record, theirs)
        if value is None and ours in ("prompt", "response", "messages", "text"):
            fields = ", ".join(sorted(map(str, record)))[:120]
            raise ShapeError(f"{ours}: no column {theirs!r}; the row has {fields or 'none'}")
        row[ours] = value
    if not row.get("source"):
        row["source"] = record.get("dataset_name") or corpus.source or corpus.name
    if not row.get("license") and corpus.license:
        row["license"] = corpus.license
    if not row.get("revision") and corpus.revision:
        row["revision"] = corpus.revision
    return row


def look_up(record: dict[str, Any], name: str) -> Any:
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
