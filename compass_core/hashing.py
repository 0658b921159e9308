"""Content hashes: row hashes, data versions, seeded keys. The same on every machine.

A data version is a hash of content, never of time or file layout, so materializing the same data
again leaves everything downstream fresh.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

VERSION_HEX = 16  # 64 bits: enough for the thousands of versions a project sees


def text_hash(*parts: str | None) -> str:
    """32 hex digits over the parts in order; `None` and the empty string differ."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = b"\x00" if part is None else b"\x01" + part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def version_of(value: Any) -> str:
    """Data version of a JSON-like value: keys sorted, so dict order does not count."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=VERSION_HEX // 2).hexdigest()


def version_of_set(hashes: Iterable[str]) -> str:
    """Data version of a set of row hashes, whatever order they come in."""
    digest = hashlib.blake2b(digest_size=VERSION_HEX // 2)
    count = 0
    for item in sorted(hashes):
        digest.update(item.encode())
        digest.update(b"\n")
        count += 1
    digest.update(str(count).encode())
    return digest.hexdigest()


def version_of_lines(lines: pl.Series) -> str:
    """Data version of a sorted series of lines; millions of them are hashed in parts."""
    digest = hashlib.blake2b(digest_size=VERSION_HEX // 2)
    for start in range(0, len(lines), 100_000):
        digest.update("\n".join(lines.slice(start, 100_000)).encode())
        digest.update(b"\n")
    digest.update(str(len(lines)).encode())
    return digest.hexdigest()


def version_of_bytes(*blobs: bytes) -> str:
    """Data version of raw bytes, such as weights."""
    digest = hashlib.blake2b(digest_size=VERSION_HEX // 2)
    for blob in blobs:
        digest.update(len(blob).to_bytes(8, "little"))
        digest.update(blob)
    return digest.hexdigest()


def unit_key(row_id: str, seed: int, salt: str = "") -> float:
    """Uniform number in [0, 1) from a row's identity and the seed.

    The same row gets the same key in every file layout, row order and process count.
    """
    digest = hashlib.blake2b(f"{seed}\x1f{salt}\x1f{row_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2.0**64


def seeded_generator(seed: int, *labels: str) -> np.random.Generator:
    """Generator that depends on the seed and the labels only, not on what was drawn before."""
    digest = hashlib.blake2b("\x1f".join([str(seed), *labels]).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
