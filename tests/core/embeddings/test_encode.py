import numpy as np
import polars as pl
import pytest

from compass_core.embeddings import encode as module
from compass_core.embeddings.encode import encode_missing
from compass_core.embeddings.vector_store import VectorStore
from compass_core.hashing import text_hash
from compass_core.storage import Store

PRINT = "0123456789abcdef"


class Counting:
    """An encoder that counts its texts and can be killed after some."""

    def __init__(self, dies_after=None):
        self.texts, self.loaded, self.dies_after = [], 0, dies_after

    def __call__(self):
        self.loaded += 1
        return self

    def encode(self, texts):
        if self.dies_after is not None and len(self.texts) >= self.dies_after:
            raise KeyboardInterrupt
        self.texts += texts
        return np.array([[len(t), 1.0] for t in texts], dtype=np.float32)


def frame_of(texts):
    return pl.DataFrame({"content_hash": [text_hash(t) for t in texts], "text": texts})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def run(store, texts, encoder, report=lambda text: None):
    return encode_missing(store, "training", "hi", frame_of(texts), encoder, PRINT, report)


TEXTS = [f"प्रश्न {i}" for i in range(100)]


def test_each_text_once_and_only_what_is_new(store):
    first = run(store, [*TEXTS, *TEXTS[:10]], encoder := Counting())
    assert (first.total, first.encoded, first.reused) == (100, 100, 0)
    assert sorted(encoder.texts) == sorted(TEXTS)
    second = run(store, [*TEXTS, "नया"], encoder := Counting())
    assert (second.total, second.encoded, second.reused) == (101, 1, 100)
    assert encoder.texts == ["नया"]


def test_no_model_is_loaded_for_nothing(store):
    run(store, TEXTS, Counting())
    run(store, TEXTS, again := Counting())
    run(store, [], nothing := Counting())
    assert (again.loaded, nothing.loaded) == (0, 0)


def test_the_model_is_loaded_once_for_all_chunks(store, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    run(store, TEXTS, encoder := Counting())
    assert encoder.loaded == 1


def test_a_killed_run_goes_on_where_it_stopped(store, monkeypatch, quiet):
    monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    with pytest.raises(KeyboardInterrupt):
        run(store, TEXTS, killed := Counting(dies_after=30))
    result = run(store, TEXTS[::-1], resumed := Counting(), quiet)
    assert (result.encoded, result.reused) == (70, 30)
    assert not set(killed.texts) & set(resumed.texts)
    assert VectorStore(store).count("training", PRINT) == 100
    assert quiet.lines[-1].startswith("training hi: 70 of 70 texts encoded")


def test_vectors_belong_to_their_texts(store, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    texts = ["a" * n for n in range(1, 20)]
    run(store, texts, Counting())
    found = VectorStore(store).fetch("training", PRINT, [text_hash(t) for t in texts])
    assert found[:, 0].tolist() == list(range(1, 20))
