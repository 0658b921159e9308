"""Logs of every format in a bucket (S3, as moto plays it), read as it hands them out."""

import gzip
import io
import json
import os
import time

import fsspec
import polars as pl
import pyarrow as pa
import pytest

from compass_core.config.schema import Ingest
from compass_core.corpora import readers
from compass_core.corpora.log_ledger import Ledger
from compass_core.corpora.places import Place
from compass_core.corpora.rules import Rules
from compass_core.storage import Store

RULES = Rules(ingest=Ingest(settle_s=0))


def row(text):
    return {"timestamp": "2026-01-05T10:00:00Z", "text": text, "id": text, "user": "u"}


def lines(*texts):
    return b"".join(json.dumps(row(text)).encode() + b"\n" for text in texts)


def zstandard(data):
    made = pa.BufferOutputStream()
    with pa.CompressedOutputStream(made, "zstd") as out:
        out.write(data)
    return made.getvalue().to_pybytes()


def parquet(*texts):
    made = io.BytesIO()
    pl.DataFrame([row(text) for text in texts]).write_parquet(made)
    return made.getvalue()


@pytest.fixture
def folder(bucket):
    place = Place(f"{bucket}/logs-of-{os.getpid()}-{time.time_ns()}/sw")
    yield place
    fs, path = fsspec.core.url_to_fs(str(place))
    fs.rm(path, recursive=True)


def take(folder, tmp_path):
    ledger = Ledger(Store(tmp_path / "store"), "sw")
    pending = ledger.pending(folder, time.time() + 60, RULES)
    ledger.take(folder, pending.complete, RULES)
    return ledger, pending


def test_every_format_is_read_from_a_bucket(folder, tmp_path):
    files = {
        "2026-01-05/a.jsonl": lines("moja", "mbili"),
        "2026-01-05/b.jsonl.gz": gzip.compress(lines("tatu")),
        "c.ndjson.zst": zstandard(lines("nne")),
        "d.json": json.dumps([row("tano")]).encode(),
        "time-10_chatcmpl-1": json.dumps(row("sita")).encode(),
        "e.csv": b"timestamp,text\n2026-01-05,saba\n",
        "f.parquet": parquet("nane"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ledger, pending = take(folder, tmp_path)
    assert (len(pending.complete), pending.waiting) == (len(files), {})
    totals = ledger.totals()
    assert (totals["rows_read"], totals["rows_accepted"], totals["reasons"]) == (8, 8, {})


def test_a_long_line_in_a_bucket_does_not_stop_the_next_one(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_LINE_BYTES", 1_000)
    (folder / "a.jsonl").write_bytes(lines("x" * 5_000, "fupi"))
    ledger, _ = take(folder, tmp_path)
    assert ledger.totals()["reasons"] == {"too_long": 1}
    assert ledger.totals()["rows_accepted"] == 1


def test_objects_that_stand_for_folders_are_no_files(folder, tmp_path):
    fs, path = fsspec.core.url_to_fs(str(folder))
    for name in ("", "2026-01-05/"):
        fs.call_s3("put_object", Bucket=path.split("/")[0], Key=f"{path.split('/', 1)[1]}/{name}")
    (folder / "a.jsonl").write_bytes(lines("moja"))
    _, pending = take(folder, tmp_path)
    assert [file.path for file in pending.complete] == ["a.jsonl"]
    assert pending.waiting == {}
