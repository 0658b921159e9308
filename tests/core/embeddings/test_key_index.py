"""Places of keys: those of a plain loop, repeats included, whatever their short hashes are."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from compass_core.embeddings.key_index import KeyIndex

words = st.lists(st.sampled_from("abcdefgh"), max_size=30)


@given(words, words)
def test_it_finds_what_a_loop_finds(keys, batch):
    index = KeyIndex(pl.Series("k", keys, dtype=pl.String))
    rows, places = index.find(pl.Series("b", batch, dtype=pl.String))
    expected = {(r, p) for r, b in enumerate(batch) for p, k in enumerate(keys) if b == k}
    assert len(rows) == len(expected)
    assert set(zip(rows.tolist(), places.tolist(), strict=True)) == expected


def test_keys_with_the_same_short_hash_are_kept_apart(monkeypatch):
    short = pl.Series.hash
    monkeypatch.setattr(pl.Series, "hash", lambda self: short(self) % 2)
    index = KeyIndex(pl.Series(["a", "b", "c", "d", "b"]))
    rows, places = index.find(pl.Series(["b", "x", "d"]))
    assert sorted(zip(rows.tolist(), places.tolist(), strict=True)) == [(0, 1), (0, 4), (2, 3)]


def test_nothing_is_found_among_nothing():
    rows, places = KeyIndex(pl.Series([], dtype=pl.String)).find(pl.Series(["a"]))
    assert len(rows) == len(places) == 0
    assert rows.dtype == np.int64
