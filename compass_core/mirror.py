"""A local copy of the tables of a remote store, for DuckDB.

DuckDB reads object stores through an extension that it downloads, which a machine without that
network cannot do. So the views of a remote store read local copies, brought up to date by name
and stamp: only what changed is downloaded.
"""

from collections.abc import Iterable

from compass_core.storage import Store

BOOK = "mirrored.json"


def mirrored(store: Store, folders: Iterable[str]) -> Store:
    """The local store that holds what is in these folders now; `store` itself if it is local.

    Cost for a remote store: one listing a folder, and a download of each new or changed file.
    """
    if store.is_local:
        return store
    copy = Store(store.cache / "warehouse")
    known: dict[str, str] = copy.read_json_or_none(BOOK) or {}
    present: dict[str, str] = {}
    for folder in sorted(set(folders)):
        present |= store.stamps(folder, ".parquet")
    for key, stamp in present.items():
        if known.get(key) != stamp or not copy.exists(key):
            copy.write_bytes(key, store.read_bytes(key))
    for key in known.keys() - present.keys():
        copy.delete(key)
    if present != known:
        copy.write_json(BOOK, present)
    return copy
