"""The analysts' file: always bindable, commented, and never in anybody's way."""

import subprocess
import sys
import textwrap
import threading

import polars as pl
import pytest

from compass_core import records, warehouse
from compass_core.errors import InputError
from compass_core.storage import Store
from compass_core.warehouse import VIEWS, catalogue_path, ensure_catalogue, query


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def gap_row(language: str, cluster: int, gap: float) -> dict:
    row = dict.fromkeys(records.GAPS)
    return row | {
        "language": language,
        "cluster_id": cluster,
        "gap": gap,
        "usage_rows": 9,
        "title": "bei ya mahindi",
    }


def write_gaps(store: Store, language: str, gaps: list[float]) -> None:
    rows = [gap_row(language, i, gap) for i, gap in enumerate(gaps)]
    store.write_parquet(f"gaps/{language}.parquet", pl.DataFrame(rows, schema=records.GAPS))


def test_all_views_can_be_queried_before_there_is_anything(store, tmp_path):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    for name in (*VIEWS, "scores_summary", "gaps_top"):
        assert query(path, f"SELECT * FROM {name}").height == 0


def test_new_parquet_shows_without_a_rebuild(store, tmp_path):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    stamp = path.stat().st_mtime_ns
    write_gaps(store, "sw", [0.1, 0.0, 0.3])
    write_gaps(store, "hi", [0.2])
    assert ensure_catalogue(store, path).stat().st_mtime_ns == stamp
    top = query(path, "SELECT language, gap FROM gaps_top")
    assert top.rows() == [("hi", 0.2), ("sw", 0.3), ("sw", 0.1)]


def test_a_changed_comment_or_query_reaches_a_file_that_is_there(store, tmp_path, monkeypatch):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))

    def comment(column: str, view: str) -> str:
        ensure_catalogue(store, path)
        sql = "SELECT comment FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
        filled = sql.replace("?", f"'{view}'", 1).replace("?", f"'{column}'", 1)
        return str(query(path, filled).item())

    monkeypatch.setitem(VIEWS["gaps"].columns, "pool_rows", "Rows in stock")
    assert comment("pool_rows", "gaps") == "Rows in stock"
    _, text, comments = warehouse.DERIVED["gaps_top"]
    later = ("SELECT language, gap FROM gaps", text, {**comments, "gap": "What is missing"})
    monkeypatch.setitem(warehouse.DERIVED, "gaps_top", later)
    assert comment("gap", "gaps_top") == "What is missing"
    assert query(path, "SELECT * FROM gaps_top").columns == ["language", "gap"]


def test_every_view_and_column_has_a_comment(store, tmp_path):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    bare = query(
        path,
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE NOT internal AND coalesce(comment, '') = ''",
    )
    assert bare.rows() == []
    views = query(path, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal")
    assert set(views["view_name"]) >= set(VIEWS)
    assert all(views["comment"])


def test_wilson_interval_of_the_summary(store, tmp_path):
    row = dict.fromkeys(records.SCORES) | {
        "language": "sw",
        "suite": "s",
        "model": "adapter",
        "adapter_version": "v0001",
    }
    rows = [row | {"item_id": str(i), "correct": i < 30} for i in range(40)]
    store.write_parquet("scores/sw-v0001.parquet", pl.DataFrame(rows, schema=records.SCORES))
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    found = query(path, "SELECT accuracy, accuracy_low, accuracy_high FROM scores_summary").row(0)
    # 30 of 40: Wilson's interval is 0.598 to 0.858
    assert found == pytest.approx((0.75, 0.598, 0.858), abs=1e-3)


def test_writing_sql_and_unknown_views_are_refused_with_the_views_that_exist(store, tmp_path):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    with pytest.raises(InputError, match="read-only"):
        query(path, "CREATE TABLE x AS SELECT 1")
    with pytest.raises(InputError, match="Views: adapters"):
        query(path, "SELECT * FROM gapz")


@pytest.mark.slow
def test_an_open_reader_and_several_writers_never_meet(store, tmp_path):
    """A second process queries in a loop on one open connection while four threads rewrite."""
    write_gaps(store, "sw", [0.5] * 50)
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    reader = textwrap.dedent(
        f"""
        import duckdb, sys
        connection = duckdb.connect({str(path)!r}, read_only=True)
        print("open", flush=True)
        counts = set()
        sql = "SELECT count(*) FROM gaps WHERE language = 'sw'"
        for _ in range(150):
            counts.add(connection.execute(sql).fetchone()[0])
        print(sorted(counts), flush=True)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", reader], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    failures = []

    def rewrite(language: str) -> None:
        try:
            for i in range(40):
                write_gaps(store, language, [0.5] * 50)
                if i % 10 == 0:
                    path.with_name(f"{path.name}.recipe").unlink(missing_ok=True)
                    ensure_catalogue(store, path)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=rewrite, args=(la,)) for la in ("sw", "sw", "hi", "ar")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.strip() == "[50]"
    assert failures == []


def test_a_base_model_scored_beside_two_versions_is_counted_once(store, tmp_path):
    path = ensure_catalogue(store, catalogue_path(store, tmp_path))
    for version, right in (("v0001", [False, False]), ("v0002", [True, False])):
        rows = [
            dict.fromkeys(records.SCORES)
            | {"language": "sw", "suite": "s", "split": "test", "item_id": str(i)}
            | {"model": model, "adapter_version": named, "correct": right[i]}
            for i in range(2)
            for model, named in (("base", None), ("adapter", version))
        ]
        frame = pl.DataFrame(rows, schema=records.SCORES)
        store.write_parquet(f"scores/sw-{version}.parquet", frame)
    found = query(path, "SELECT adapter_version, items, accuracy FROM scores_summary ORDER BY ALL")
    assert found.rows() == [("v0001", 2, 0.0), ("v0002", 2, 0.5), (None, 2, 0.5)]
