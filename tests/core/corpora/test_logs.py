"""Log files: when one is complete, which day a row belongs to, and the book of what was taken."""

import gzip
import json
import os
from datetime import UTC, date, datetime

import pytest

from compass_core.config.schema import Ingest
from compass_core.corpora.files import source_files
from compass_core.corpora.log_ledger import Ledger
from compass_core.corpora.logs import LogFileState, log_file_state, parse_log_file
from compass_core.corpora.rules import Rules
from compass_core.storage import Store

PACKED = gzip.compress(b'{"a": 1}\n' * 99, mtime=0)
INGEST = Ingest(settle_s=5, incomplete_after_s=3600)
RULES = Rules(ingest=INGEST)


def line(stamp, text="habari", **more):
    return json.dumps({"timestamp": stamp, "text": text, **more}, ensure_ascii=False) + "\n"


def parsed(folder, name, content):
    (folder / name).write_text(content, encoding="utf-8")
    file = next(f for f in source_files(folder) if f.path == name)
    return parse_log_file(folder, file, "sw", RULES)


@pytest.mark.parametrize(
    ("name", "content", "age_s", "state"),
    [
        ("a.jsonl", b'{"a": 1}\n', 60, LogFileState.COMPLETE),
        ("a.jsonl", b'{"a": 1}', 60, LogFileState.COMPLETE),
        ("a.jsonl", b'{"a": 1}\n{"b": ', 60, LogFileState.INCOMPLETE),
        ("a.jsonl", b'{"a": 1}\n{"b": ', 4000, LogFileState.COMPLETE),
        ("a.jsonl", b'{"a": 1}\n', 1, LogFileState.SETTLING),
        ("a.jsonl", b"", 60, LogFileState.EMPTY),
        ("a.NDJSON", b'{"a": 1}\n{"b": ', 60, LogFileState.INCOMPLETE),
        ("a.json", b'{\n "a": 1\n}', 60, LogFileState.COMPLETE),
        ("a.json", b'{"a": 1}\n{"b": 1}\n', 60, LogFileState.COMPLETE),
        ("a.json", b'{"a": 1}\n{"b": ', 60, LogFileState.INCOMPLETE),
        ("chatcmpl-1", b'{"a": ', 60, LogFileState.INCOMPLETE),
        ("chatcmpl-1", b'{"a": ', 4000, LogFileState.COMPLETE),
        ("a.jsonl.gz", PACKED, 60, LogFileState.COMPLETE),
        ("a.jsonl.gz", PACKED[:-9], 60, LogFileState.INCOMPLETE),
    ],
)
def test_a_file_is_taken_when_it_is_whole(tmp_path, name, content, age_s, state):
    path = tmp_path / name
    path.write_bytes(content)
    assert log_file_state(path, path.stat().st_mtime + age_s, INGEST) is state


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2026-01-05T23:30:00Z", date(2026, 1, 5)),
        ("2026-01-05T23:30:00-02:00", date(2026, 1, 6)),
        ("2026-01-06T01:00:00+03:00", date(2026, 1, 5)),
        ("2026-01-05T10:00:00", date(2026, 1, 5)),
        ("2026-01-05", date(2026, 1, 5)),
        (datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp(), date(2026, 1, 5)),
        (int(datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp() * 1000), date(2026, 1, 5)),
    ],
)
def test_the_utc_day_of_the_event_counts(tmp_path, stamp, day):
    rows = parsed(tmp_path, "named-2020-01-01.jsonl", line(stamp)).accepted
    assert rows["day"].to_list() == [day]


@pytest.mark.parametrize("stamp", ["yesterday", None, True, "1970-01-01", 5e15, "2026-13-01"])
def test_absurd_times_are_quarantined(tmp_path, stamp):
    assert parsed(tmp_path, "a.jsonl", line(stamp)).reasons == {"bad_timestamp": 1}


def test_users_are_hashed_with_the_salt(tmp_path):
    content = line("2026-01-05T10:00:00Z", user="asha@example.org")
    row = parsed(tmp_path, "a.jsonl", content).accepted.row(0, named=True)
    assert "asha" not in json.dumps(row, default=str)
    other = Rules(ingest=Ingest(user_salt="another"))
    file = source_files(tmp_path)[0]
    salted = parse_log_file(tmp_path, file, "sw", other).accepted["user_hash"][0]
    assert salted != row["user_hash"]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(Store(tmp_path / "store"), "sw")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "logs"
    made.mkdir()
    return made


def put(folder, name, content, age_s=60):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    os.utime(path, (1_800_000_000 - age_s,) * 2)


def take(ledger, folder):
    pending = ledger.pending(folder, 1_800_000_000, RULES)
    return ledger.take(folder, pending.complete, RULES)


def test_days_stay_unpublished_until_they_are_marked(ledger, folder):
    put(folder, "a.jsonl", line("2026-01-05T10:00:00Z"))
    assert take(ledger, folder) == {date(2026, 1, 5)}
    again = ledger.pending(folder, 1_800_000_000, RULES)
    assert (again.complete, again.done, again.has_work) == ([], 1, True)
    assert take(ledger, folder) == {date(2026, 1, 5)}  # a killed run publishes the same again
    ledger.mark_published([date(2026, 1, 5)])
    assert not ledger.pending(folder, 1_800_000_000, RULES).has_work


def test_a_row_in_two_files_is_one_row(ledger, folder):
    shared = line("2026-01-05T10:00:00Z", "bei ya chai", id="1")
    put(folder, "a.jsonl", shared)
    put(folder, "b.jsonl", shared + line("2026-01-05T11:00:00Z", "mvua", id="2"))
    take(ledger, folder)
    day = date(2026, 1, 5)
    assert sorted(ledger.assemble_day(day)["prompt"]) == ["bei ya chai", "mvua"]
    assert ledger.duplicates_of_day(day) == 1
    totals = ledger.totals()
    assert totals["rows_read"] == totals["rows_accepted"] + totals["rows_quarantined"] == 3


def test_of_one_id_in_two_files_the_latest_event_counts(ledger, folder):
    for name, hour in (("a.jsonl", 9), ("b.jsonl", 11), ("c.jsonl", 10)):
        put(folder, name, line(f"2026-01-05T{hour:02}:00:00Z", f"saa {hour}", id="1"))
    take(ledger, folder)
    assert ledger.assemble_day(date(2026, 1, 5))["prompt"].to_list() == ["saa 11"]


def test_files_of_object_store_loggers_are_taken_and_strange_ones_named(ledger, folder):
    (folder / "2026-01-05").mkdir()
    put(folder, "2026-01-05/time-10-00-00_chatcmpl-1.json", line("2026-01-05T10:00:00Z", "moja"))
    put(folder, "2026-01-05/chatcmpl-2", line("2026-01-05T10:00:00Z", "mbili").rstrip())
    put(folder, "notes.txt", "x")
    put(folder, "README", "x")
    take(ledger, folder)
    assert sorted(ledger.assemble_day(date(2026, 1, 5))["prompt"]) == ["mbili", "moja"]
    (problem,) = ledger.pending(folder, 1_800_000_000, RULES).problems
    assert "1 files are not read (notes.txt)" in problem


def test_a_replaced_file_takes_its_old_rows_along_and_touches_both_days(ledger, folder):
    put(folder, "a.jsonl", line("2026-01-05T10:00:00Z", "zamani"))
    take(ledger, folder)
    ledger.mark_published([date(2026, 1, 5)])
    put(folder, "a.jsonl", line("2026-01-06T10:00:00Z", "sasa"), age_s=30)
    assert take(ledger, folder) == {date(2026, 1, 5), date(2026, 1, 6)}
    assert ledger.assemble_day(date(2026, 1, 5)).height == 0
    assert ledger.assemble_day(date(2026, 1, 6))["prompt"].to_list() == ["sasa"]


def test_rows_of_a_deleted_file_stay(ledger, folder):
    put(folder, "a.jsonl", line("2026-01-05T10:00:00Z"))
    take(ledger, folder)
    (folder / "a.jsonl").unlink()
    assert ledger.pending(folder, 1_800_000_000, RULES).complete == []
    assert ledger.assemble_day(date(2026, 1, 5)).height == 1


def test_two_years_of_files_are_looked_through_without_reading_them(ledger, folder, monkeypatch):
    for i in range(730):
        put(folder, f"{i}.jsonl", line("2026-01-05T10:00:00Z", f"swali {i}"))
    take(ledger, folder)
    monkeypatch.setattr("compass_core.corpora.log_ledger.file_digest", None)  # would raise
    assert ledger.pending(folder, 1_800_000_000, RULES).done == 730
