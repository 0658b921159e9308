"""One record with anything in the place of anything is one row, and never the end of an ingest."""

import copy
import json

import pytest

from compass_core.config.schema import LanguageId
from compass_core.corpora.files import source_files
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.logs import parse_log_file
from compass_core.corpora.rules import Rules
from tests.core.corpora.log_records import MOMENT, OTEL_SPAN, SHAPES, parsed

QUICK = Rules(language_id=LanguageId(enabled=False))
BODY = {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "x"}}]}}
LOGS = {
    **SHAPES,
    "batch": {"resourceSpans": [{"scopeSpans": [{"spans": [OTEL_SPAN]}]}]},
    "old event": {"event_name": "gen_ai.user.message", "time": MOMENT.timestamp(), "body": BODY},
}
CORPORA = {
    "messages": {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": "b", "tool_calls": None},
        ]
    },
    "sharegpt": {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}]},
    "alpaca": {"instruction": "a", "input": "b", "output": "c", "history": [["a", "b"]], "id": 1},
    "aya": {"inputs": "a", "targets": "b", "language_code": "swh", "source": "x", "license": "y"},
}
STRANGE = [
    *(None, "", 0, 1.5, True, [], {}, ["a"], [[1]], [{}], {"a": 1}, "[{", "\ud800", 10**400),
    *({"values": 3}, {"arrayValue": None}, {"kvlistValue": {"values": [{"a": 1}]}}),
    *([{"role": None}], [{"role": "user", "content": [{"type": []}]}], {"intValue": "x"}),
]


def places(value, before=()):
    """Where something stands in a record, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*before, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*before, key))


def with_anything(record):
    for place in places(record):
        for value in STRANGE:
            made = copy.deepcopy(record)
            inner = made
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            yield made
    for key in ("\ud800", "events", "attributes", "metadata", "system"):
        yield from ({**record, key: value} for value in STRANGE)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_record_of_any_form_is_a_row_that_is_kept_or_set_aside(tmp_path, name):
    records = list(with_anything(LOGS[name]))
    result = parsed(tmp_path, *records, rules=QUICK)
    assert result.rows_read == result.accepted.height + result.quarantined.height
    assert result.rows_read >= 0.9 * len(records)  # a batch without a member is no row


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_record_of_any_form_is_a_row_that_is_kept_or_set_aside(tmp_path, name):
    records = list(with_anything(CORPORA[name]))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    result = ingest_text(tmp_path, "sw", QUICK)
    assert result.rows_read == len(records)


def test_a_name_that_is_no_text_is_shown_as_its_number(tmp_path):
    result = parsed(tmp_path, {"\ud800": 1})
    assert r"received fields \ud800" in result.quarantined["detail"][0]


def test_what_is_no_record_in_a_batch_is_counted(tmp_path):
    spans = [OTEL_SPAN, "cut"]
    batch = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}, {"scopeSpans": True}, 3, {}]}
    result = parsed(tmp_path, batch)
    assert (result.rows_read, result.accepted.height) == (4, 1)
    assert result.reasons == {"missing_field": 3}


@pytest.mark.parametrize("depth", [300, 700, 5_000])
def test_a_deeply_nested_line_does_not_stop_the_next_one(tmp_path, depth):
    deep = (
        f'{{"timestamp": "x", "user": "juma-4411", "text": "a", "z": {"[" * depth + "]" * depth}}}'
    )
    inner = json.dumps({"timestamp": "x", "body": deep})
    good = json.dumps(SHAPES["plain"])
    (tmp_path / "a.jsonl").write_text(f"{deep}\n{inner}\n{good}\n")
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", QUICK)
    assert (result.rows_read, result.accepted.height) == (3, 1)
    assert "juma" not in json.dumps(result.quarantined.to_dicts())
