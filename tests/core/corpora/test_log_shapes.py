"""One question as each serving stack writes it: the same prompt, time and user come out."""

import json
import os
from datetime import UTC, date, datetime

import pytest

from compass_core.config.schema import Ingest
from compass_core.corpora.books import Rejected
from compass_core.corpora.files import SourceFile, source_files
from compass_core.corpora.logs import parse_log_file, usage_text
from compass_core.corpora.rules import Rules

ASKED = "Bei ya mahindi sokoni leo ni ngapi?"
MOMENT = datetime(2026, 1, 5, 10, tzinfo=UTC)
NANOS = int(MOMENT.timestamp() * 1e9)
USER = "asha@mji.co.tz"
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Habari"},
    {"role": "assistant", "content": "Nzuri, karibu."},
    {"role": "user", "content": [{"type": "text", "text": ASKED}]},
]
PARTS = [
    {"role": "user", "parts": [{"type": "text", "content": "Habari"}]},
    {"role": "assistant", "parts": [{"type": "text", "content": "Nzuri, karibu."}]},
    {"role": "user", "parts": [{"type": "text", "content": ASKED}]},
]


def otlp(**attributes):
    return [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]


LITELLM = {
    "id": "chatcmpl-1",
    "trace_id": "t",
    "call_type": "acompletion",
    "status": "success",
    "startTime": MOMENT.timestamp(),
    "endTime": MOMENT.timestamp() + 1,
    "model": "qwen2.5-7b",
    "messages": MESSAGES,
    "response": {"choices": [{"message": {"role": "assistant", "content": "1,200"}}]},
    "end_user": USER,
    "requester_ip_address": "102.68.76.1",
    "metadata": {"user_api_key_user_id": "default", "user_api_key_hash": "abc"},
}
OTEL_SPAN = {
    "traceId": "5b8e",
    "spanId": "051a",
    "name": "chat qwen2.5-7b",
    "startTimeUnixNano": str(NANOS),
    "attributes": otlp(
        **{
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps(PARTS),
            "user.id": USER,
        }
    ),
}
OTEL_EVENT = {
    "event_name": "gen_ai.client.inference.operation.details",
    "timestamp": "2026-01-05T10:00:00Z",
    "attributes": {"gen_ai.input.messages": PARTS, "user.id": USER},
}
OPENINFERENCE = {
    "context": {"trace_id": "a", "span_id": "b"},
    "start_time": "2026-01-05T10:00:00+00:00",
    "attributes": {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "You are a helpful assistant.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": ASKED,
        "user.id": USER,
    },
}
PHOENIX = {
    "name": "ChatCompletion",
    "span_kind": "LLM",
    "context.span_id": "b",
    "start_time": "2026-01-05T10:00:00+00:00",
    "attributes.openinference.span.kind": "LLM",
    "attributes.user.id": USER,
    "attributes.llm.input_messages": [{"message.role": "user", "message.content": ASKED}],
}
NESTED = {
    "start_time": "2026-01-05T10:00:00+00:00",
    "attributes": {
        "openinference": {"span": {"kind": "LLM"}},
        "user": {"id": USER},
        "llm": {"input_messages": [{"message": {"role": "user", "content": ASKED}}]},
    },
}
PROXY = {
    "request_id": "r1",
    "timestamp": "2026-01-05T10:00:00Z",
    "request": {"model": "m", "messages": MESSAGES, "user": USER},
    "response": {"id": "chatcmpl-9", "created": int(MOMENT.timestamp()), "choices": []},
}
REDACTED = "redacted-by-litellm"
SHAPES = {
    "plain": {"timestamp": "2026-01-05T10:00:00Z", "text": ASKED, "user": USER},
    "plain messages": {"ts": MOMENT.timestamp(), "messages": MESSAGES, "user_id": USER},
    "litellm": LITELLM,
    "litellm callback": {"standard_logging_object": LITELLM},
    "otel span": OTEL_SPAN,
    "otel event": OTEL_EVENT,
    "openinference flat": OPENINFERENCE,
    "openinference export": PHOENIX,
    "openinference nested": NESTED,
    "openai request and response": PROXY,
    "openai body as text": {
        "created": MOMENT.timestamp(),
        "request_body": json.dumps({"model": "m", "messages": MESSAGES, "user": USER}),
    },
    "openai completion": {
        "request": {"model": "m", "prompt": ASKED, "user": USER},
        "response": {"created": int(MOMENT.timestamp())},
    },
    "openai responses": {
        "model": "m",
        "created_at": int(MOMENT.timestamp()),
        "user": USER,
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": ASKED}]},
            {"type": "function_call", "name": "f"},
        ],
    },
}


def parsed(folder, *rows, rules=None):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(text, encoding="utf-8")
    return parse_log_file(folder, source_files(folder)[0], "sw", rules or Rules())


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


def test_a_corrected_line_keeps_its_user(tmp_path):
    from compass_core.corpora.corrections import apply_corrections, export_quarantine

    broken = json.dumps({**SHAPES["plain"], "timestamp": "2026-01-35"})
    (tmp_path / "a.jsonl").write_text(f"{broken}\n{json.dumps(SHAPES['litellm'])}\n")
    file = source_files(tmp_path)[0]
    first = parse_log_file(tmp_path, file, "sw", Rules())
    sheet = tmp_path.parent / "fix.jsonl"
    export_quarantine(first.quarantined, sheet)
    row = json.loads(sheet.read_text())
    row["fixed"] = row["fixed"].replace("2026-01-35", "2026-01-25")
    sheet.write_text(json.dumps(row) + "\n")
    assert apply_corrections(sheet, tmp_path) == 1
    again = parse_log_file(tmp_path, file, "sw", Rules()).accepted
    assert again.height == 2
    assert again["user_hash"].n_unique() == 1
