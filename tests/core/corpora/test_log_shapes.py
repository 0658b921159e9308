"""One question as each serving stack writes it: the same prompt, time and user come out."""

import json
import os
from datetime import date

import pytest

from compass_core.config.schema import Ingest
from compass_core.corpora.books import Rejected
from compass_core.corpora.files import SourceFile, source_files
from compass_core.corpora.logs import parse_log_file, usage_text
from compass_core.corpora.rules import Rules
from tests.core.corpora.log_records import (
    ASKED,
    LITELLM,
    MOMENT,
    NANOS,
    OPENINFERENCE,
    OTEL_SPAN,
    PARTS,
    PROXY,
    REDACTED,
    SHAPES,
    otlp,
    parsed,
)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_the_question_its_time_and_the_same_hashed_user(tmp_path, name):
    plain = parsed(tmp_path, SHAPES["plain"]).accepted.row(0, named=True)
    result = parsed(tmp_path, SHAPES[name])
    assert result.reasons == {}, result.quarantined.rows()
    row = result.accepted.row(0, named=True)
    assert (row["prompt"], row["ts"]) == (ASKED, MOMENT)
    assert row["user_hash"] == plain["user_hash"] is not None
    assert "asha" not in json.dumps(row, default=str)


def test_a_batch_of_the_collector_is_as_many_rows_as_it_has_spans(tmp_path):
    other = {"name": "GET /", "spanId": "2", "startTimeUnixNano": str(NANOS), "attributes": []}
    embedding = {**OTEL_SPAN, "spanId": "3", "attributes": otlp(**{"gen_ai.operation.name": "e"})}
    batch = {"resourceSpans": [{"scopeSpans": [{"spans": [OTEL_SPAN, other, embedding]}]}]}
    result = parsed(tmp_path, batch)
    assert (result.rows_read, result.accepted.height) == (3, 1)
    assert result.reasons == {"missing_field": 2}


def test_batches_of_the_collector_may_lie_in_a_json_file(tmp_path):
    spans = [{**OTEL_SPAN, "spanId": str(i)} for i in range(3)]
    batches = [{"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]} for span in spans]
    (tmp_path / "traces.json").write_text("".join(json.dumps(b) + "\n" for b in batches))
    (file,) = source_files(tmp_path)
    assert parse_log_file(tmp_path, file, "sw", Rules()).accepted.height == 3
    (tmp_path / "traces.json").write_text(json.dumps(batches[0], indent=1))
    assert parse_log_file(tmp_path, file, "sw", Rules()).accepted.height == 1


def test_spans_around_a_request_do_not_count_it_again(tmp_path):
    chain = {**OPENINFERENCE, "attributes": dict(OPENINFERENCE["attributes"])}
    chain["attributes"]["openinference.span.kind"] = "CHAIN"
    result = parsed(tmp_path, OPENINFERENCE, chain)
    assert (result.accepted.height, result.reasons) == (1, {"missing_field": 1})


def test_the_span_of_an_agent_does_not_count_its_request_again(tmp_path):
    def span(number, operation):
        named = {"gen_ai.operation.name": operation, "gen_ai.input.messages": json.dumps(PARTS)}
        return {**OTEL_SPAN, "spanId": number, "attributes": otlp(**named)}

    result = parsed(tmp_path, span("1", "invoke_agent"), span("2", "chat"), span("3", "embeddings"))
    assert (result.accepted.height, result.reasons) == (1, {"missing_field": 2})
    assert "allowed: chat, text_completion" in result.quarantined["detail"][0]


def turn_event(text, nanos, span="s"):
    event = {"event_name": "gen_ai.user.message", "traceId": "t", "spanId": span}
    return {**event, "timeUnixNano": str(nanos), "body": {"content": text}}


def test_of_the_events_of_one_span_the_latest_is_the_question(tmp_path):
    asked = [turn_event(text, NANOS + i) for i, text in enumerate(("Habari", "Bei?", ASKED))]
    old = turn_event("Ya zamani", NANOS - 10**9)  # events of a span need not be in order
    result = parsed(tmp_path, *asked, old, turn_event("Nyingine", NANOS, "s2"))
    assert set(result.accepted["prompt"]) == {ASKED, "Nyingine"}
    assert (result.rows_read, result.reasons) == (5, {"duplicate_id": 3})
    assert set(result.quarantined["raw"].head(2)) == {"Habari", "Bei?"}


TOOL_STEP = [
    {"role": "user", "content": ASKED},
    {"type": "reasoning", "summary": []},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "1", "output": "1,200"},
]


@pytest.mark.parametrize(
    "with_input",
    [
        lambda items: {"request": {"model": "m", "input": items}, "timestamp": "2026-01-05"},
        lambda items: {**LITELLM, "call_type": "aresponses", "messages": items},
        lambda items: {**LITELLM, "call_type": "responses", "messages": json.dumps(items)},
    ],
)
def test_the_responses_api_asks_once_however_many_tools_answer(tmp_path, with_input):
    assert parsed(tmp_path, with_input(TOOL_STEP)).reasons == {"tool_turn": 1}
    assert parsed(tmp_path, with_input(TOOL_STEP[:3])).accepted["prompt"].to_list() == [ASKED]
    again = [*TOOL_STEP, {"role": "user", "content": "Asante"}]
    assert parsed(tmp_path, with_input(again)).accepted["prompt"].to_list() == ["Asante"]


def test_failed_attempts_and_redacted_texts_are_no_usage(tmp_path):
    failed = [{**LITELLM, "id": f"r{i}", "status": "failure"} for i in range(2)]
    hidden = {**LITELLM, "id": "h", "messages": [{"role": "user", "content": REDACTED}]}
    result = parsed(tmp_path, *failed, LITELLM, hidden, {**hidden, "messages": REDACTED})
    assert result.accepted["prompt"].to_list() == [ASKED]
    assert result.reasons == {"failed_request": 2, "redacted": 2}


def test_a_whole_conversation_is_kept_if_asked_for(tmp_path):
    rules = Rules(ingest=Ingest(turns="conversation"))
    prompt = parsed(tmp_path, PROXY, rules=rules).accepted["prompt"][0]
    assert prompt == f"Habari\nNzuri, karibu.\n{ASKED}"


def test_the_steps_of_an_agent_are_one_question():
    turns = [("user", ASKED), ("assistant", ""), ("tool", "1,200")]
    with pytest.raises(Rejected, match="no user turn") as error:
        usage_text(turns, "last")
    assert error.value.reason == "tool_turn"


def test_calls_that_ask_nothing_say_so(tmp_path):
    result = parsed(
        tmp_path,
        {**LITELLM, "call_type": "aembedding"},
        {**LITELLM, "messages": None},
        {"event_name": "gen_ai.client.inference.operation.details", "attributes": {"gen_ai.x": 1}},
        {"nothing": 1},
    )
    assert result.reasons == {"missing_field": 4}
    assert "content capture is turned off" in result.quarantined["detail"].str.join(" ")[0]


def test_the_late_window_looks_at_when_the_file_arrived(tmp_path):
    rules = Rules(ingest=Ingest(late_after_days=3))
    text = json.dumps(SHAPES["plain"]) + "\n"
    for days, reasons in ((3, {}), (4, {"too_late": 1})):
        (tmp_path / "a.jsonl").write_text(text)
        stamp = MOMENT.timestamp() + days * 86_400
        os.utime(tmp_path / "a.jsonl", (stamp, stamp))
        result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", rules)
        assert result.reasons == reasons


def test_an_event_later_than_its_file_is_no_usage(tmp_path):
    rows = [{"timestamp": stamp, "text": ASKED} for stamp in ("2026-01-06", "2026-01-07", "2099")]
    text = "".join(json.dumps(row) + "\n" for row in rows).replace("2099", "2099-01-05")
    (tmp_path / "a.jsonl").write_text(text)
    os.utime(tmp_path / "a.jsonl", (MOMENT.timestamp(),) * 2)
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", Rules())
    assert result.accepted["day"].to_list() == [date(2026, 1, 6)]
    assert result.reasons == {"in_future": 2}
    unknown = SourceFile("a.jsonl", len(text), 0, "x")  # a store that names no time
    result = parse_log_file(tmp_path, unknown, "sw", Rules())
    assert result.reasons == {"in_future": 1}
