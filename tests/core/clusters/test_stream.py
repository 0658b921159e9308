import numpy as np
import polars as pl
import pytest

from compass_core.clusters import stream
from compass_core.clusters.assign import assign
from compass_core.clusters.model import ClusterModel
from compass_core.embeddings.vector_store import VectorStore
from compass_core.errors import StoreError
from compass_core.storage import Store


@pytest.fixture
def stored(tmp_path):
    """A model, a table of 900 vectors in three commits, and what they are."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(900, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"h{i:04d}" for i in range(900)]
    table = VectorStore(Store(tmp_path))
    for start in range(0, 900, 300):
        part = slice(start, start + 300)
        table.add("auxiliary", "fp", "en", names[part], vectors[part])
    model = ClusterModel(
        centroids=vectors[:7],
        cluster_ids=np.arange(10, 17),
        thresholds=np.full(7, 0.0, np.float32),
        noise_thresholds=np.full(7, 0.3, np.float32),
        fit_rows=np.ones(7, np.int64),
        method="kmeans",
        settings_digest="d",
        next_id=17,
    )
    return model, table, names, vectors


def test_a_scan_assigns_as_a_fetch_does(stored, monkeypatch):
    model, table, names, vectors = stored
    order = np.random.default_rng(4).permutation(900)[:500]
    wanted = pl.Series([names[i] for i in [*order, order[0]]])  # a text may occur twice
    direct = stream.assign_stored(model, table, "auxiliary", "fp", wanted, "own_bucket")
    monkeypatch.setattr(stream, "FETCH_ROWS", 0)
    monkeypatch.setattr(stream, "SCAN_ROWS", 64)
    scanned = stream.assign_stored(model, table, "auxiliary", "fp", wanted, "own_bucket")
    assert scanned.equals(direct)
    expected = assign(model, vectors[[*order, order[0]]], "own_bucket")
    assert scanned["cluster_id"].to_list() == expected.cluster_ids.tolist()
    assert scanned["noise"].to_list() == expected.noise.tolist()
    assert expected.noise.any()
    assert not expected.noise.all()


def test_a_scan_holds_few_vectors_at_a_time(stored, monkeypatch):
    model, table, names, _ = stored
    sizes = []

    def counting(model, vectors, noise):
        sizes.append(len(vectors))
        return assign(model, vectors, noise)

    monkeypatch.setattr(stream, "assign", counting)
    monkeypatch.setattr(stream, "FETCH_ROWS", 0)
    monkeypatch.setattr(stream, "SCAN_ROWS", 100)
    stream.assign_stored(model, table, "auxiliary", "fp", pl.Series(names), "nearest")
    assert sum(sizes) == 900
    assert max(sizes) < 900


@pytest.mark.parametrize("fetch_rows", [0, 1000])
def test_rows_without_a_vector_are_counted(stored, monkeypatch, fetch_rows):
    model, table, names, _ = stored
    monkeypatch.setattr(stream, "FETCH_ROWS", fetch_rows)
    wanted = pl.Series([*names[:20], "x", "y"])
    with pytest.raises(StoreError, match=r"^2 "):
        stream.assign_stored(model, table, "auxiliary", "fp", wanted, "nearest")
    with pytest.raises(StoreError):
        stream.assign_stored(model, table, "auxiliary", "absent", wanted, "nearest")
