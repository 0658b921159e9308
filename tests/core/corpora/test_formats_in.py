"""CSV, JSONL and Parquet as other programs write them: one bad row costs one row."""

import io
import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compass_core.corpora.files import source_files
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.logs import parse_log_file
from compass_core.corpora.readers import read_lines
from compass_core.corpora.rules import Rules

NANOS = 1_767_607_200_123_456_789
MOMENT = datetime(2026, 1, 5, 10, 0, 0, 123_456, UTC)


def log(folder, name, data):
    (folder / name).write_bytes(data)
    (file,) = source_files(folder)
    result = parse_log_file(folder, file, "sw", Rules())
    assert result.rows_read == result.accepted.height + result.quarantined.height
    return result


def parquet(**columns):
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made)
    return made.getvalue()


def test_one_row_of_a_csv_in_another_encoding_is_one_row(tmp_path):
    good = [f"2026-01-05T10:00:{i:02}Z,swali la {i}\n".encode() for i in range(60)]
    data = b"timestamp,text\n" + b"".join(good[:30]) + b"2026-01-05,caf\xe9\n" + b"".join(good[30:])
    result = log(tmp_path, "a.csv", data)
    assert (result.accepted.height, result.reasons) == (60, {"bad_encoding": 1})
    (bad,) = result.quarantined.to_dicts()
    assert (bad["line"], r"caf\xe9" in bad["raw"]) == (32, True)


def test_a_csv_in_two_bytes_a_character_says_so(tmp_path):
    result = log(tmp_path, "a.csv", "timestamp,text\n2026-01-05,Habari\n".encode("utf-16"))
    assert result.reasons == {"bad_encoding": 1}
    assert "save it as UTF-8" in result.quarantined["detail"][0]


def test_files_put_together_keep_the_first_row_of_each(tmp_path):
    rows = [{"timestamp": "2026-01-05", "text": text} for text in ("moja", "mbili")]
    data = b"".join(b"\xef\xbb\xbf" + json.dumps(row).encode() + b"\r\n" for row in rows)
    assert sorted(log(tmp_path, "a.jsonl", data).accepted["prompt"]) == ["mbili", "moja"]


def test_times_in_nanoseconds_need_no_other_library(tmp_path):
    inner = pa.array([[{"at": NANOS}]], pa.list_(pa.struct([("at", pa.timestamp("ns"))])))
    data = parquet(
        timestamp=pa.array([NANOS], pa.timestamp("ns", "UTC")),
        text=["Bei?"],
        events=inner,
        took=pa.array([1_001], pa.duration("ns")),
    )
    assert log(tmp_path, "a.parquet", data).accepted["ts"].to_list() == [MOMENT]
    (line,) = read_lines(tmp_path / "a.parquet")
    # Not those of pandas, which pyarrow gives where it is installed and fails for where it is not.
    assert type(line.record["timestamp"]) is datetime
    assert type(line.record["events"][0]["at"]) is datetime


def test_a_time_beyond_the_calendar_costs_its_row_alone(tmp_path):
    (tmp_path / "a.parquet").write_bytes(
        parquet(
            prompt=["moja", "mbili", "tatu"],
            response=["a", "b", "c"],
            made=pa.array([0, 2**62, 0], pa.timestamp("us")),
        )
    )
    result = ingest_text(tmp_path, "sw", Rules())
    assert sorted(result.accepted["prompt"]) == ["moja", "tatu"]
    assert result.reasons == {"bad_parquet": 1}
    assert result.quarantined["line"].to_list() == [2]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_a_column_of_days_is_a_time(tmp_path, kind):
    data = parquet(timestamp=pa.array([date(2026, 1, 5)], kind), text=["Bei?"])
    assert log(tmp_path, "a.parquet", data).accepted["day"].to_list() == [date(2026, 1, 5)]


def test_attributes_in_a_map_are_attributes(tmp_path):
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Bei?"}]}])
    pairs = [("gen_ai.operation.name", "chat"), ("gen_ai.input.messages", asked)]
    data = parquet(
        startTimeUnixNano=[NANOS], attributes=pa.array([pairs], pa.map_(pa.string(), pa.string()))
    )
    assert log(tmp_path, "a.parquet", data).accepted["prompt"].to_list() == ["Bei?"]
