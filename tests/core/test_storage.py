import threading

import polars as pl
import pytest

from compass_core.errors import StoreError
from compass_core.storage import Store


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    if request.param == "local":
        return Store(tmp_path / "store")
    return Store(f"memory://{tmp_path.name}", cache=tmp_path / "cache")


def test_what_is_written_is_read(store):
    frame = pl.DataFrame({"prompt": ["สวัสดี", "habari"], "n": [1, 2]})
    store.write_parquet("corpora/th.parquet", frame)
    store.write_json("a/b.json", {"x": [1, None]})
    assert store.read_parquet("corpora/th.parquet").equals(frame)
    assert store.read_json("a/b.json") == {"x": [1, None]}
    assert store.read_json_or_none("a/none.json") is None
    assert store.keys("a", ".json") == ["a/b.json"]
    assert store.keys("nothing") == []


def test_a_missing_key_is_named(store):
    with pytest.raises(StoreError, match=r"gaps/sw\.parquet is not in the store yet"):
        store.read_bytes("gaps/sw.parquet")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../b", ""])
def test_keys_cannot_leave_the_store(store, key):
    with pytest.raises(StoreError, match="no store key"):
        store.write_bytes(key, b"x")


def test_published_folders_are_whole_and_immutable(store, tmp_path):
    for _ in range(2):
        built = store.scratch_dir("adapter")
        (built / "weights.bin").write_bytes(b"123")
        if store.exists("adapters/sw/v0001"):
            with pytest.raises(StoreError, match="immutable"):
                store.publish_dir(built, "adapters/sw/v0001")
        else:
            store.publish_dir(built, "adapters/sw/v0001")
    assert (store.fetch_dir("adapters/sw/v0001") / "weights.bin").read_bytes() == b"123"


def test_a_reader_never_sees_half_a_file(tmp_path):
    store = Store(tmp_path)
    store.write_bytes("x.bin", b"a" * 200_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for letter in (b"a", b"b"):
                store.write_bytes("x.bin", letter * 200_000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            data = store.read_bytes("x.bin")
            assert len(data) == 200_000
            assert len(set(data)) == 1
    finally:
        stop.set()
        writer.join()
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write_bytes("x.json", b"old")

    def broken(source, target):
        raise OSError("disk full")

    monkeypatch.setattr("compass_core.storage.os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        store.write_bytes("x.json", b"new")
    assert store.read_bytes("x.json") == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
