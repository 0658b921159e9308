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

HASHED_AT_ONCE = 1_000_000
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


def hash64(texts: pl.Series, seed: int = 0, salt: str = "") -> np.ndarray:
    """Hash uint64[n] of strings, a million at a time: 10 million row ids in a few seconds.

    Not for adversaries: rounds of splitmix64's finaliser (Steele et al. 2014) over words of eight
    bytes. Null hashes as the empty string. Any two of n rows collide with probability n² / 2^65:
    3e-6 at 10 million.
    """
    digest = hashlib.blake2b(f"{seed}\x1f{salt}".encode(), digest_size=8).digest()
    start = np.uint64(int.from_bytes(digest, "little"))
    hashed = np.empty(len(texts), dtype=np.uint64)
    for begin in range(0, len(texts), HASHED_AT_ONCE):
        part = texts.slice(begin, HASHED_AT_ONCE)
        hashed[begin : begin + len(part)] = _hash_block(part, start)
    return hashed


def _hash_block(texts: pl.Series, start: np.uint64) -> np.ndarray:
    import pyarrow as pa

    column = pa.array(texts.cast(pl.String).fill_null("").to_arrow()).cast(pa.large_string())
    _, offsets_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[column.offset :][: len(column) + 1]
    begins, lengths = offsets[:-1], np.diff(offsets)
    size = 0 if data_buffer is None else data_buffer.size
    data = np.zeros(size + 8, dtype=np.uint8)  # eight bytes can be read at any place
    if size:
        data[:size] = np.frombuffer(data_buffer, dtype=np.uint8)
    hashed = _mixed(lengths.astype(np.uint64) ^ start)
    rows, place = np.flatnonzero(lengths > 0), 0
    while rows.size:
        words = np.zeros(len(rows), dtype=np.uint64)
        for byte in range(8):
            inside = place + byte < lengths[rows]
            values = np.where(inside, data[(begins[rows] + place + byte) * inside], 0)
            words |= values.astype(np.uint64) << np.uint64(8 * byte)
        hashed[rows] = _mixed(hashed[rows] ^ words)
        place += 8
        rows = rows[lengths[rows] > place]
    return hashed


def unit_keys(row_ids: pl.Series, seed: int, salt: str = "") -> np.ndarray:
    """Uniform numbers f64[n] in [0, 1) from identities and the seed, for whole columns at once.

    Other numbers than `unit_key` gives, with the same properties.
    """
    return unit_of(hash64(row_ids, seed, salt))


def unit_of(hashed: np.ndarray) -> np.ndarray:
    """The upper 53 bits of uint64[n] as f64[n] in [0, 1); keeps their order."""
    return (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
