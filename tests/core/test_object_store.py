"""The store on an object store (S3, as moto plays it): files, vectors, folders and the views."""

from pathlib import Path

import numpy as np
import polars as pl

from compass_core import records
from compass_core.embeddings.vector_store import VectorStore
from compass_core.mirror import mirrored
from compass_core.storage import Store
from compass_core.warehouse import ensure_catalogue, query


def test_files_are_written_listed_and_missed(bucket: str, tmp_path: Path) -> None:
    here, there = (Store(f"{bucket}/files", cache=tmp_path / name) for name in "ab")
    assert here.read_json_or_none("x/a.json") is None
    assert here.keys("x") == []
    there.write_json("x/a.json", {"sw": 1})
    assert here.read_json("x/a.json") == {"sw": 1}
    assert here.keys("x") == ["x/a.json"]  # another process may have written it a moment ago
    there.delete("x/a.json")
    assert not here.exists("x/a.json")


def test_vectors_are_added_once_and_fetched(bucket: str, tmp_path: Path) -> None:
    vectors = VectorStore(Store(f"{bucket}/vectors", cache=tmp_path))
    made = np.eye(2, 4, dtype=np.float32)
    vectors.add("usage", "f" * 16, "sw", ["one", "two"], made)
    vectors.add("usage", "f" * 16, "sw", ["one", "three"], made)
    assert vectors.count("usage", "f" * 16) == 3
    assert np.array_equal(vectors.fetch("usage", "f" * 16, ["two", "one"]), made[::-1])


def test_folders_are_published_and_fetched(bucket: str, tmp_path: Path) -> None:
    store = Store(f"{bucket}/folders", cache=tmp_path / "cache")
    folder = store.scratch_dir("adapter")
    (folder / "adapter_config.json").write_text("{}")
    store.publish_dir(folder, "adapters/sw/v0001")
    assert [p.name for p in store.fetch_dir("adapters/sw/v0001").iterdir()] == [
        "adapter_config.json"
    ]


def gaps(titles: list[str]) -> pl.DataFrame:
    rows = [{"language": "sw", "cluster_id": i, "title": t} for i, t in enumerate(titles)]
    return records.conform(
        pl.DataFrame(rows).with_columns(
            pl.lit(None).cast(kind).alias(name)
            for name, kind in records.GAPS.items()
            if name not in rows[0]
        ),
        records.GAPS,
    )


def test_views_follow_the_tables_without_an_extension(bucket: str, tmp_path: Path) -> None:
    store = Store(f"{bucket}/views", cache=tmp_path / "cache")
    path = tmp_path / "compass.duckdb"
    titles = "SELECT title FROM gaps ORDER BY title"
    assert query(ensure_catalogue(store, path), titles).is_empty()
    store.write_parquet("gaps/sw.parquet", gaps(["maji", "mvua"]))
    assert query(ensure_catalogue(store, path), titles)["title"].to_list() == ["maji", "mvua"]
    store.write_parquet("gaps/sw.parquet", gaps(["bei"]))
    assert query(ensure_catalogue(store, path), titles)["title"].to_list() == ["bei"]
    store.delete("gaps/sw.parquet")
    assert query(ensure_catalogue(store, path), titles).is_empty()


def test_only_what_changed_is_downloaded(bucket: str, tmp_path: Path) -> None:
    store = Store(f"{bucket}/mirror", cache=tmp_path / "cache")
    for language in ("sw", "hi"):
        store.write_parquet(f"gaps/{language}.parquet", gaps([language]))
    copy = mirrored(store, ["gaps"])
    before = {k: copy.local_path(k).stat().st_mtime_ns for k in copy.keys("gaps")}
    store.write_parquet("gaps/sw.parquet", gaps(["another"]))
    mirrored(store, ["gaps"])
    after = {k: copy.local_path(k).stat().st_mtime_ns for k in copy.keys("gaps")}
    assert after["gaps/hi.parquet"] == before["gaps/hi.parquet"]
    assert after["gaps/sw.parquet"] > before["gaps/sw.parquet"]
