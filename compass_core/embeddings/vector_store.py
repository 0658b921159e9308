"""Vectors in LanceDB: one table a role and encoder, keyed by the hash of the encoded text."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import polars as pl

from compass_core.embeddings.key_index import KeyIndex
from compass_core.errors import StoreError
from compass_core.storage import Store

T = TypeVar("T")
TRIES = 12
SMALL_FETCH = 2_000  # below this an IN filter beats a scan of the key column
IN_BATCH = 500
KEY = {"lance-schema:unenforced-primary-key": "true"}
SMALL_FRAGMENTS = 100  # an add makes one; every read and commit costs a little for each
KEPT = timedelta(hours=6)  # versions that a reader may still hold


class VectorStore:
    """Safe for several processes: rows are merged in by key, and conflicts are tried again."""

    def __init__(self, store: Store) -> None:
        import lancedb

        self._db = lancedb.connect(store.uri("lance"))

    def tables(self) -> list[str]:
        return sorted(self._db.list_tables(limit=10_000).tables)

    def count(self, role: str, fingerprint: str) -> int:
        """Rows in the table of a role; 0 where there is none yet."""
        table = self._table(role, fingerprint)
        return 0 if table is None else int(table.count_rows())

    def keys(self, role: str, fingerprint: str) -> pl.Series:
        """All content hashes of a table. Cost: a scan of one column."""
        table = self._table(role, fingerprint)
        if table is None:
            return pl.Series("content_hash", [], dtype=pl.String)
        arrow = table.search().select(["content_hash"]).limit(None).to_arrow()
        return pl.Series("content_hash", arrow.column("content_hash").to_pylist(), dtype=pl.String)

    def missing(self, role: str, fingerprint: str, hashes: pl.Series) -> pl.Series:
        """Those hashes that have no vector yet, unique and sorted."""
        wanted = hashes.unique()
        return wanted.filter(~wanted.is_in(self.keys(role, fingerprint).implode())).sort()

    def add(
        self,
        role: str,
        fingerprint: str,
        partition: str,
        hashes: Sequence[str],
        vectors: np.ndarray,
    ) -> None:
        """Insert vectors f32[n, d]; hashes that are there already are left as they are."""
        import pyarrow as pa

        if not hashes:
            return
        first = {name: i for i, name in reversed(list(enumerate(hashes)))}  # each hash once
        kept = np.ascontiguousarray(vectors[sorted(first.values())], dtype=np.float32)
        names = [hashes[i] for i in sorted(first.values())]
        schema = pa.schema(
            [
                # As its key: then two processes that insert the same hashes at once conflict, and
                # one tries again, where otherwise both would append.
                pa.field("content_hash", pa.string(), nullable=False, metadata=KEY),
                pa.field("partition", pa.string()),
                pa.field("vector", pa.list_(pa.float32(), kept.shape[1])),
            ]
        )
        columns = [
            pa.array(names, pa.string()),
            pa.array([partition] * len(names), pa.string()),
            pa.FixedSizeListArray.from_arrays(pa.array(kept.ravel()), kept.shape[1]),
        ]
        rows = pa.table(columns, schema=schema)
        name = f"{role}_{fingerprint}"

        def insert() -> None:
            table = self._table(role, fingerprint)
            if table is None:
                table = self._db.create_table(name, schema=rows.schema, exist_ok=True)
            table.merge_insert("content_hash").when_not_matched_insert_all().execute(rows)
            stats: Any = table.stats()
            if stats["fragment_stats"]["num_small_fragments"] > SMALL_FRAGMENTS:
                table.optimize(cleanup_older_than=KEPT)

        _again(insert, f"vectors into {name}")

    def fetch(self, role: str, fingerprint: str, hashes: Sequence[str]) -> np.ndarray:
        """Vectors f32[n, d] in the order asked, repeats included.

        Few are looked up by key; many are picked from one pass over the table, in the memory of
        what is asked for.
        Raises StoreError with the number of hashes that have no vector.
        """
        if not hashes:
            return np.zeros((0, 0), dtype=np.float32)
        wanted = pl.Series("content_hash", hashes, dtype=pl.String)
        index, found = KeyIndex(wanted), np.zeros(len(wanted), dtype=bool)
        vectors: np.ndarray | None = None
        few = wanted.unique().sort().to_list() if wanted.n_unique() <= SMALL_FETCH else None
        for keys, block in self._picked(role, fingerprint, few):
            rows, places = index.find(keys)
            if vectors is None:
                vectors = np.empty((len(wanted), block.shape[1]), dtype=np.float32)
            vectors[places] = block[rows]
            found[places] = True
        if vectors is None or not found.all():
            distinct = wanted.n_unique()
            raise StoreError(
                f"{wanted.filter(~found).n_unique()} of {distinct} texts have no vector in "
                f"{role}_{fingerprint}; materialize the embeddings of this corpus first: "
                "compass materialize without --select does"
            )
        return vectors

    def scan(self, role: str, fingerprint: str) -> Iterator[tuple[pl.Series, np.ndarray]]:
        """The whole table in batches of some thousand rows: content hashes and vectors f32[n, d].

        Memory: some batches. The order is that of the files and may differ from run to run.
        """
        yield from self._picked(role, fingerprint, None)

    def _picked(
        self, role: str, fingerprint: str, few: list[str] | None
    ) -> Iterator[tuple[pl.Series, np.ndarray]]:
        """Batches of the rows with these keys, or of the whole table."""
        table = self._table(role, fingerprint)
        if table is None:
            return
        queries = [table.search()]
        if few is not None:
            parts = [few[start : start + IN_BATCH] for start in range(0, len(few), IN_BATCH)]
            lists = [", ".join(f"'{name}'" for name in part) for part in parts]
            queries = [table.search().where(f"content_hash IN ({names})") for names in lists]
        for query in queries:
            for batch in query.select(["content_hash", "vector"]).limit(None).to_batches():
                if batch.num_rows:
                    values = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
                    names: Any = pl.from_arrow(batch.column("content_hash"))
                    yield names, values.reshape(batch.num_rows, -1).astype(np.float32, copy=False)

    def _table(self, role: str, fingerprint: str) -> Any | None:
        try:
            return self._db.open_table(f"{role}_{fingerprint}")
        except (FileNotFoundError, ValueError):
            return None


def _again(action: Callable[[], T], what: str) -> T:
    """Lance commits optimistically: a commit that lost a race is done again, after a while."""
    for attempt in range(TRIES):
        try:
            return action()
        except (OSError, RuntimeError, ValueError) as error:
            text = str(error).lower()
            if "conflict" not in text and "already exists" not in text and "retry" not in text:
                raise
            last = error
            time.sleep(min(2.0, 0.02 * 2**attempt) * (0.5 + random.random()))
    raise StoreError(f"{what}: other processes kept committing, {TRIES} tries; run again") from last
