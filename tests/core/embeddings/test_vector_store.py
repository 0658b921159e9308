import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core.embeddings import vector_store as module
from compass_core.embeddings.vector_store import VectorStore
from compass_core.errors import StoreError
from compass_core.hashing import text_hash
from compass_core.storage import Store

PRINT = "0123456789abcdef"


def vectors_of(hashes):
    """A vector that tells which hash it belongs to."""
    return np.array([[int(h[:4], 16), int(h[4:8], 16), 1.0] for h in hashes], dtype=np.float32)


@pytest.fixture
def vectors(tmp_path):
    return VectorStore(Store(tmp_path / "store"))


def test_what_is_added_is_fetched_in_the_order_asked(vectors):
    hashes = [text_hash(t) for t in ("habari", "สวัสดี", "नमस्ते", "مرحبا")]
    vectors.add("usage", PRINT, "sw", hashes, vectors_of(hashes))
    asked = [hashes[2], hashes[0], hashes[2]]
    found = vectors.fetch("usage", PRINT, asked)
    assert found.dtype == np.float32
    assert np.array_equal(found, vectors_of(asked))
    assert vectors.tables() == [f"usage_{PRINT}"]


def test_nothing_there_yet(vectors):
    assert vectors.count("usage", PRINT) == 0
    assert vectors.missing("usage", PRINT, pl.Series(["b", "a", "b"])).to_list() == ["a", "b"]
    assert vectors.fetch("usage", PRINT, []).shape[0] == 0
    with pytest.raises(StoreError, match="2 of 2 texts have no vector"):
        vectors.fetch("usage", PRINT, ["a", "b"])


def test_adding_again_adds_nothing_and_changes_nothing(vectors):
    hashes = [text_hash(str(i)) for i in range(5)]
    for _ in range(2):
        vectors.add("usage", PRINT, "sw", hashes, vectors_of(hashes))
    vectors.add("usage", PRINT, "sw", hashes[:1], np.full((1, 3), 7.0))
    assert vectors.count("usage", PRINT) == 5
    assert np.array_equal(vectors.fetch("usage", PRINT, hashes), vectors_of(hashes))


def test_a_hash_twice_in_one_add_is_one_row(vectors):
    vectors.add("usage", PRINT, "sw", ["a0a0a0a0", "b0b0b0b0", "a0a0a0a0"], np.eye(3))
    assert vectors.count("usage", PRINT) == 2
    assert vectors.fetch("usage", PRINT, ["a0a0a0a0"]).tolist() == [[1.0, 0.0, 0.0]]


def test_roles_and_encoders_do_not_mix(vectors):
    vectors.add("usage", PRINT, "sw", ["aa"], np.ones((1, 3)))
    assert vectors.missing("training", PRINT, pl.Series(["aa"])).to_list() == ["aa"]
    assert vectors.missing("usage", "f" * 16, pl.Series(["aa"])).to_list() == ["aa"]


@pytest.mark.parametrize("small", [0, 10_000], ids=["scan", "lookup"])
def test_both_ways_to_fetch_agree_and_count_what_is_lost(vectors, monkeypatch, small):
    monkeypatch.setattr(module, "SMALL_FETCH", small)
    monkeypatch.setattr(module, "IN_BATCH", 7)
    hashes = [text_hash(str(i)) for i in range(100)]
    vectors.add("auxiliary", PRINT, "th", hashes, vectors_of(hashes))
    asked = hashes[90:20:-3]
    assert np.array_equal(vectors.fetch("auxiliary", PRINT, asked), vectors_of(asked))
    with pytest.raises(StoreError, match="3 of 28 texts have no vector"):
        vectors.fetch("auxiliary", PRINT, [*hashes[:25], "x", "y", "z"])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=6))
def test_the_table_is_the_union_of_what_was_added(tmp_path_factory, adds):
    vectors = VectorStore(Store(tmp_path_factory.mktemp("store")))
    for numbers in adds:
        hashes = [text_hash(str(i)) for i in numbers]
        vectors.add("usage", PRINT, "sw", hashes, vectors_of(hashes).reshape(len(hashes), 3))
    union = sorted({text_hash(str(i)) for numbers in adds for i in numbers})
    assert vectors.count("usage", PRINT) == len(union)
    assert sorted(vectors.keys("usage", PRINT)) == union


def test_small_fragments_are_put_together(vectors, monkeypatch):
    monkeypatch.setattr(module, "SMALL_FRAGMENTS", 5)
    hashes = [text_hash(str(i)) for i in range(14)]
    for name in hashes:
        vectors.add("usage", PRINT, "sw", [name], vectors_of([name]))
    stats = vectors._table("usage", PRINT).stats()
    assert stats["fragment_stats"]["num_fragments"] <= 6
    assert np.array_equal(vectors.fetch("usage", PRINT, hashes), vectors_of(hashes))


def _write_all(root):
    module.SMALL_FRAGMENTS = 6  # so that putting together meets the others' commits
    vectors = VectorStore(Store(root))
    for start in range(0, 400, 40):
        hashes = [text_hash(str(i)) for i in range(start, start + 40)]
        vectors.add("usage", PRINT, "sw", hashes, vectors_of(hashes))


def test_processes_that_add_the_same_at_once_leave_no_duplicate(tmp_path):
    root = str(tmp_path / "store")
    spawn = multiprocessing.get_context("spawn")  # a Pool's end by signals can hang with Lance
    with ProcessPoolExecutor(3, mp_context=spawn) as pool:
        list(pool.map(_write_all, [root] * 3))
    vectors = VectorStore(Store(root))
    hashes = [text_hash(str(i)) for i in range(400)]
    assert vectors.count("usage", PRINT) == 400
    assert np.array_equal(vectors.fetch("usage", PRINT, hashes), vectors_of(hashes))


def test_a_commit_that_keeps_losing_is_an_error_in_the_end(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda s: None)
    tried = []

    def lose():
        tried.append(1)
        raise RuntimeError("Commit conflict for version 3")

    with pytest.raises(StoreError, match="run again"):
        module._again(lose, "vectors")
    assert len(tried) == module.TRIES


def test_other_errors_are_not_tried_again():
    with pytest.raises(RuntimeError, match="disk full"):
        module._again(lambda: (_ for _ in ()).throw(RuntimeError("disk full")), "vectors")
