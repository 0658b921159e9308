"""Versions of the adapters of a language, and which of them serves.

A version is a folder that never changes; the registry is one small JSON file beside them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from compass_core import layout, records
from compass_core.errors import ServingChanged, StoreError
from compass_core.storage import Store

ANY = "any"  # no version has this name


def _book_key(language: str) -> str:
    return f"adapters/{language}/registry.json"


def _folder_key(language: str, version: str) -> str:
    return f"adapters/{language}/{version}"


def _read(store: Store, language: str) -> dict[str, Any]:
    fresh: dict[str, Any] = {"versions": {}, "serving": None, "history": []}
    return store.read_json_or_none(_book_key(language)) or fresh


@contextmanager
def _locked(store: Store, language: str) -> Iterator[None]:
    """One writer of a registry at a time, or one would write over what another had added.

    On an object store there is no lock: there, one run a language at a time is the rule.
    """
    if not store.is_local:
        yield
        return
    path = store.local_path(f"adapters/{language}/registry.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def publish(
    store: Store, language: str, folder: Path, record: dict[str, Any], memory: Path | None = None
) -> str:
    """Take a finished PEFT folder as the next version, `v0001` and so on; returns its name.

    `memory` is the folder of what the version keeps for its next update; it lies beside the PEFT
    folder and not in it. The same weights from the same training set as the newest version are
    that version: nothing is added. Folders are moved before the book is written: a kill between
    leaves folders without a record, which are replaced by the next publication.
    """
    with _locked(store, language):
        book = _read(store, language)
        names: list[str] = sorted(book["versions"])
        if names:
            newest = book["versions"][names[-1]]
            same = ("weights_version", "training_set_version")
            if all(newest.get(key) == record.get(key) for key in same):
                return names[-1]
        number = int(names[-1].removeprefix("v")) + 1 if names else 1
        version = f"v{number:04d}"
        if store.exists(_folder_key(language, version)):
            store.delete(_folder_key(language, version))
        if memory is not None:
            store.delete(layout.memory(language, version))
            store.publish_dir(memory, layout.memory(language, version))
        store.publish_dir(folder, _folder_key(language, version))
        kept = {k: v for k, v in record.items() if k != "losses"}
        book["versions"][version] = {
            "parent": None,
            **kept,
            "created_at": datetime.now(UTC).isoformat(),
        }
        store.write_json(_book_key(language), book)
        return version


def adapter_dir(store: Store, language: str, version: str) -> Path:
    """Local folder of a version. Raises StoreError naming the versions that exist."""
    known = _read(store, language)["versions"]
    if version not in known:
        raise StoreError(
            f"adapter {language} {version} does not exist; "
            f"there are: {', '.join(sorted(known)) or 'none'}"
        )
    return store.fetch_dir(_folder_key(language, version))


def lineage(store: Store, language: str, version: str) -> dict[str, Any]:
    """The lineage record that a version was published with."""
    text = (adapter_dir(store, language, version) / "lineage.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def serving(store: Store, language: str) -> str | None:
    """The version that serves, or None."""
    found: str | None = _read(store, language)["serving"]
    return found


def memory_dir(store: Store, language: str, version: str) -> Path | None:
    """Local folder of what a version keeps for its next update; None where it keeps nothing."""
    key = layout.memory(language, version)
    return store.fetch_dir(key) if store.exists(key) else None


def promote(
    store: Store,
    language: str,
    version: str,
    reason: str,
    *,
    forced: bool = False,
    expected: str | None = ANY,
) -> None:
    """Make a version serve; the change is kept in the history with its reason.

    `forced`: against the gate, by a person. `expected`: the version (None: none) that it was judged
    against. Raises ServingChanged, and changes nothing, where another one serves by now.
    """
    with _locked(store, language):
        book = _read(store, language)
        if expected not in (ANY, book["serving"]):
            raise ServingChanged(
                f"{language} {version} was judged against {expected or 'no serving version'}, but "
                f"{book['serving'] or 'none'} serves by now; nothing was changed, run it again"
            )
        _serve(store, language, book, version, reason, "promote", forced)


def _serve(
    store: Store,
    language: str,
    book: dict[str, Any],
    version: str,
    reason: str,
    action: str,
    forced: bool = False,
) -> None:
    """Write the change into the book, which was read under the lock that is still held."""
    if version not in book["versions"]:
        raise StoreError(
            f"adapter {language} {version} does not exist; "
            f"there are: {', '.join(sorted(book['versions'])) or 'none'}"
        )
    book["history"].append(
        {
            "from": book["serving"],
            "to": version,
            "action": action,
            "forced": forced,
            "reason": reason,
            "at": datetime.now(UTC).isoformat(),
        }
    )
    book["serving"] = version
    store.write_json(_book_key(language), book)


def rollback(store: Store, language: str, reason: str = "rollback") -> str:
    """Serve what served before the present version; returns its name.

    Rolling back twice goes two promotions back, and not forth again to the version left first.
    """
    with _locked(store, language):
        book = _read(store, language)
        served: list[str] = []
        for entry in book["history"]:
            if entry.get("action") == "rollback":
                served.pop()
            elif served[-1:] != [entry["to"]]:
                served.append(entry["to"])
        if len(served) < 2:
            raise StoreError(
                f"no earlier version of {language} has served, nothing to roll back to"
            )
        _serve(store, language, book, served[-2], reason, "rollback")
        return served[-2]


def rolled_back(store: Store, language: str, version: str) -> str | None:
    """Why a version was rolled back from, unless it has been promoted again since; else None."""
    found: str | None = None
    for entry in _read(store, language)["history"]:
        if entry.get("action") == "rollback" and entry["from"] == version:
            found = f"{entry['at'][:16].replace('T', ' ')}: {entry['reason']}"
        elif entry["to"] == version:
            found = None
    return found


def served_before(store: Store, language: str) -> list[str]:
    """Versions that have served, oldest first, since a person last decided what serves.

    After a promotion past the gate or a rollback only what that made serve is left: a person has
    said that this is good enough.
    """
    found: list[str] = []
    for entry in _read(store, language)["history"]:
        if entry.get("forced") or entry.get("action") == "rollback":
            found.clear()
        if entry["to"] not in found:
            found.append(entry["to"])
    return found


def promotions(store: Store, language: str) -> pl.DataFrame:
    """Every change of the serving version (records.PROMOTIONS), oldest first."""
    rows = [
        {
            "language": language,
            "changed_at": datetime.fromisoformat(entry["at"]),
            "action": entry.get("action", "promote"),
            "from_version": entry["from"],
            "to_version": entry["to"],
            "forced": entry.get("forced", False),
            "reason": entry["reason"],
        }
        for entry in _read(store, language)["history"]
    ]
    return pl.DataFrame(rows, schema=records.PROMOTIONS)


def versions(store: Store, language: str) -> pl.DataFrame:
    """All versions of a language (records.ADAPTERS), oldest first."""
    book = _read(store, language)
    rows = []
    served = {entry["to"] for entry in book["history"]}
    for version, record in sorted(book["versions"].items()):
        status = "retired" if version in served else "candidate"
        rows.append(
            {
                **{name: record.get(name) for name in records.ADAPTERS},
                "training_rows": record.get("rows"),
                "language": language,
                "version": version,
                "status": "serving" if version == book["serving"] else status,
                "created_at": datetime.fromisoformat(record["created_at"]),
            }
        )
    return pl.DataFrame(rows, schema=records.ADAPTERS)


def write_catalogue(store: Store, language: str) -> None:
    """Bring the Parquet behind the views `adapters` and `promotions` up to date."""
    store.write_parquet(layout.promotions(language), promotions(store, language))
    store.write_parquet(layout.adapters_catalogue(language), versions(store, language))


def history(store: Store, language: str) -> list[dict[str, Any]]:
    """Promotions and rollbacks, oldest first: from, to, action, reason, at (ISO time, UTC)."""
    return list(_read(store, language)["history"])
