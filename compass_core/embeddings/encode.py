"""Encoding what is missing, in chunks that survive a kill."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from compass_core.embeddings.encoder import Encoder
from compass_core.embeddings.vector_store import VectorStore
from compass_core.errors import StoreError
from compass_core.progress import Progress
from compass_core.storage import Store

CHUNK_ROWS = 2_048


@dataclass(frozen=True)
class EncodeResult:
    """Unique texts of the partition: total = encoded + reused."""

    total: int
    encoded: int
    reused: int
    wall_s: float


def encode_missing(
    store: Store,
    role: str,
    partition: str,
    frame: pl.DataFrame,
    encoder_factory: Callable[[], Encoder],
    fingerprint: str,
    report: Callable[[str], None],
) -> EncodeResult:
    """Encode those texts of `frame` (content_hash, text) that have no vector yet.

    Chunks are written as they are made, in the order of their hashes, so that a killed run goes on
    where it stopped. The model is loaded only if something is missing. Raises StoreError if a
    vector is missing in the end.
    """
    started = time.monotonic()
    vectors = VectorStore(store)
    texts = frame.unique("content_hash", keep="first").sort("content_hash")
    encoder: Encoder | None = None
    todo = texts.filter(
        pl.col("content_hash").is_in(
            vectors.missing(role, fingerprint, texts["content_hash"]).implode()
        )
    )
    progress = Progress(report, f"{role} {partition}", todo.height, "texts encoded")
    for start in range(0, todo.height, CHUNK_ROWS):
        chunk = todo.slice(start, CHUNK_ROWS)
        encoder = encoder or encoder_factory()
        made = encoder.encode(chunk["text"].to_list())
        vectors.add(role, fingerprint, partition, chunk["content_hash"].to_list(), made)
        done = start + chunk.height
        rate = done / max(1e-9, time.monotonic() - started)
        progress.at(done, f"{rate:.0f} a second")
    left = len(vectors.missing(role, fingerprint, texts["content_hash"]))
    if left:
        raise StoreError(f"{left} of {texts.height} texts of {role} {partition} have no vector")
    return EncodeResult(
        texts.height, todo.height, texts.height - todo.height, time.monotonic() - started
    )
