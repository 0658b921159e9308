"""What is kept to be looked at says nobody's name, however the line is written."""

import json

import pytest

from compass_core.corpora.files import source_files
from compass_core.corpora.logs import parse_log_file
from compass_core.corpora.rules import Rules
from tests.core.corpora.log_records import LITELLM, OTEL_SPAN, USER, otlp


def test_quarantine_holds_no_user_and_no_personal_data(tmp_path):
    bad = [
        {**LITELLM, "startTime": "never"},
        {**OTEL_SPAN, "startTimeUnixNano": "soon"},
        {"timestamp": USER, "text": "Nipigie 0754 123 456", "user": USER},
    ]
    lines = [json.dumps(row) for row in bad] + [f'{{"user": "{USER}", "text": "0754 123 456']
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", Rules())
    assert result.reasons == {"bad_timestamp": 3, "bad_json": 1}
    kept = json.dumps(result.quarantined.to_dicts())
    assert "asha" not in kept
    assert "0754 123 456" not in kept
    assert "102.68.76.1" not in kept
    assert kept.count("hashed:") >= 4


BODY = json.dumps({"model": "m", "user": "juma-4411", "messages": [{"role": "user"}]})
CUT = json.dumps({"request_body": BODY})[:-9]


@pytest.mark.parametrize(
    "line",
    [
        '{"user": 88123456, "text": "cut',
        '{"user": "juma-44',
        "{'timestamp': '2026-01-05', 'user': 'juma-4411', 'text': 'x'}",
        '{"user_ids": ["juma-4411", "juma-2"], "text": "cut',
        '{"user": {"id": "juma-4411"}, "text": "cut',
        "ts=1 user=juma-4411 text=x",
        CUT,
        json.dumps({"attributes": otlp(**{"user.id": "juma-4411"})})[:-1],
        json.dumps({"attributes": otlp(**{"user.id": "juma-4411"})})[:-9],
        json.dumps({"attributes": [{"key": "user.id", "value": {"intValue": 88123456}}]})[:-1],
        '{"user": {"ids": [{"x": {"id": "juma-4411"}}, "juma"]}, "text": "cut',
        json.dumps({"timestamp": "x", "request_body": BODY}),
        json.dumps({"timestamp": "x", "text": "a", "uid": "juma-4411", "sender": "juma"}),
        json.dumps({"timestamp": "x", "text": "a", "metadata": {"requester": "juma"}}),
        json.dumps({"timestamp": "x", "text": "a", "msisdn": 88123456}),
        json.dumps({"timestamp": "x", "text": "a", "user": {"id": "juma-4411"}}),
        json.dumps({"startTimeUnixNano": "x", "attributes": otlp(**{"user.id": "juma-4411"})}),
    ],
)
def test_no_spelling_of_a_user_id_gets_into_quarantine(tmp_path, line):
    (tmp_path / "a.jsonl").write_text(line + "\n")
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", Rules())
    (raw,) = result.quarantined["raw"]
    assert "hashed:" in raw
    assert "juma" not in raw
    assert "88123456" not in raw


def test_what_names_nobody_is_shown_as_it_is(tmp_path):
    lines = ['{"text": "Bei, \'gani\': \\"leo\\"?", "user": null, "x": ', '{"text": "{\\"a\\":1}"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", Rules())
    assert result.quarantined["raw"].to_list() == lines
