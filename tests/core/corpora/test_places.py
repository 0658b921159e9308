"""Logs in an object store are taken as those in a folder: once, when they are whole."""

import json
import time

import fsspec
import pytest

from compass_core.config.schema import Ingest
from compass_core.corpora.files import find_languages, list_files
from compass_core.corpora.log_ledger import Ledger
from compass_core.corpora.places import Place
from compass_core.corpora.rules import Rules
from compass_core.storage import Store

RULES = Rules(ingest=Ingest(settle_s=5))


def line(number):
    stamp = f"2026-01-05T10:00:{number:02d}Z"
    return json.dumps({"timestamp": stamp, "text": f"swali la {number}", "user": "u"}) + "\n"


@pytest.fixture
def bucket():
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/company/logs/swh/a.jsonl", (line(1) + line(2)).encode())
    fs.pipe_file("/company/logs/swh/sub/b.jsonl", b'{"timestamp": "2026-01-05"')
    fs.pipe_file("/company/logs/swh/.hidden.jsonl", line(9).encode())
    yield fs
    fs.rm("/company", recursive=True)


def test_a_prefix_is_listed_like_a_folder(bucket):
    root = Place("memory://company/logs")
    assert find_languages(root) == ({"sw": "swh"}, [])
    listed = list_files(root / "swh")
    assert [name for name, _, _ in listed] == ["a.jsonl", "sub/b.jsonl"]
    assert all(size > 0 and mtime_ns > 0 for _, size, mtime_ns in listed)
    assert list_files(root / "nothing") == []
    assert find_languages(Place("memory://company/none")) == ({}, [])


def test_files_of_a_bucket_settle_are_taken_once_and_can_be_corrected(bucket, tmp_path):
    folder = Place("memory://company/logs/swh")
    ledger = Ledger(Store(tmp_path / "store"), "sw")
    now = time.time()
    assert set(ledger.pending(folder, now, RULES).waiting) == {"a.jsonl", "sub/b.jsonl"}
    later = now + 60
    pending = ledger.pending(folder, later, RULES)
    assert [file.path for file in pending.complete] == ["a.jsonl"]
    ledger.take(folder, pending.complete, RULES)
    assert ledger.totals()["rows_accepted"] == 2
    assert ledger.pending(folder, later, RULES).complete == []
    late = ledger.pending(folder, now + 4_000, RULES)  # the cut file has waited long enough
    ledger.take(folder, late.complete, RULES)
    assert ledger.totals()["reasons"] == {"bad_json": 1}


def test_other_settings_take_the_same_files_again(bucket, tmp_path):
    folder = Place("memory://company/logs/swh")
    ledger = Ledger(Store(tmp_path / "store"), "sw")
    later = time.time() + 60
    ledger.take(folder, ledger.pending(folder, later, RULES).complete, RULES)
    salted = Rules(ingest=Ingest(settle_s=5, user_salt="another"))
    again = ledger.pending(folder, later, salted)
    assert [file.path for file in again.complete] == ["a.jsonl"]
    before = ledger.assemble_day(next(iter(ledger.take(folder, [], RULES))))["user_hash"][0]
    days = ledger.take(folder, again.complete, salted)
    rows = ledger.assemble_day(next(iter(days)))
    assert rows.height == 2
    assert rows["user_hash"][0] != before


def test_a_local_file_is_replaced_in_one_step(tmp_path):
    place = Place(tmp_path / "sub" / "x.json")
    place.write_bytes(b"one")
    place.write_bytes(b"two")
    assert place.read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["x.json"]
