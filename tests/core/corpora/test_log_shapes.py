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


def asked_of(result):
    return result.accepted["prompt"].to_list()


NO_CHAT = [
    {"url": "/v1/embeddings", "body": {"model": "bge", "input": ASKED}},
    {"request": {"url": "http://x/v1/embeddings?v=1", "body": '{"model": "bge", "input": "x"}'}},
    {"request": {"model": "text-embedding-3-small", "input": ASKED}},
    {"request": {"model": "bge", "input": ASKED, "encoding_format": "float"}},
    {"request": {"model": "bge", "input": ASKED}, "response": {"data": [{"embedding": [0.1]}]}},
    {"path": "/v1/moderations", "request": {"model": "m", "input": ASKED}},
    {"path": "/v1/audio/speech", "request": {"model": "m", "input": ASKED}},
    {"path": "/v1/images/generations", "request": {"model": "m", "prompt": ASKED}},
    {"path": "/tokenize", "request": {"model": "m", "prompt": ASKED}},
]


def test_what_a_proxy_sends_to_other_models_is_no_usage(tmp_path):
    rows = [{**row, "timestamp": MOMENT.timestamp(), "id": str(i)} for i, row in enumerate(NO_CHAT)]
    result = parsed(tmp_path, *rows)
    assert (result.rows_read, result.reasons) == (len(rows), {"missing_field": len(rows)})
    paths = ["/v1/chat/completions", "/models/qwen/v1/completions", "http://score/v1/responses"]
    asked = [{**PROXY, "request_id": path, "path": path} for path in paths]
    assert asked_of(parsed(tmp_path, *asked)) == [ASKED] * 3


def test_a_request_that_a_proxy_answers_with_an_error_is_no_usage(tmp_path):
    answers = [
        {"response": {"error": {"code": 429}}},
        {"response": {"status_code": 503, "body": "{}"}},
        {"response": json.dumps({"error": "timeout"})},
        {"status": 500},
    ]
    failed = [{**PROXY, "request_id": f"f{i}", **answer} for i, answer in enumerate(answers)]
    fine = [{"response": {"error": None}}, {"status": "success"}, {"status": 200}, {"status": 499}]
    kept = [{**PROXY, "request_id": f"k{i}", **answer} for i, answer in enumerate(fine)]
    result = parsed(tmp_path, *failed, *kept)
    assert (result.accepted.height, result.reasons) == (4, {"failed_request": 4})


def test_a_record_without_a_time_of_its_own_has_that_of_the_observer(tmp_path):
    event = {**turn_event(ASKED, 0), "observedTimeUnixNano": str(NANOS)}
    assert parsed(tmp_path, event).accepted["ts"].to_list() == [MOMENT]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "1,200"}]},
        {"type": "tool_call_response", "id": "1", "result": "1,200"},
        {"functionResponse": {"name": "f", "response": {}}},
    ],
)
def test_a_tool_result_in_a_turn_of_the_user_asks_nothing(tmp_path, part):
    turns = [{"role": "user", "content": ASKED}, {"role": "user", "content": [part]}]
    assert parsed(tmp_path, {**LITELLM, "messages": turns}).reasons == {"tool_turn": 1}
    turns[1]["content"].append({"type": "text", "text": "Na kesho?"})
    assert asked_of(parsed(tmp_path, {**LITELLM, "messages": turns})) == ["Na kesho?"]


def span_event(role, text):
    said = json.dumps({"role": role, "content": text})
    return {"name": f"gen_ai.{role}.message", "attributes": otlp(**{"gen_ai.event.content": said})}


def test_older_spans_carry_their_turns_in_events_or_in_numbered_attributes(tmp_path):
    events = [span_event("system", "s"), span_event("user", "Habari"), span_event("user", ASKED)]
    choice = {"name": "gen_ai.choice", "attributes": []}
    azure = {**OTEL_SPAN, "attributes": otlp(**{"gen_ai.operation.name": "chat"})}
    assert asked_of(parsed(tmp_path, {**azure, "events": [*events, choice]})) == [ASKED]
    named = {"role": "user", "content": json.dumps([{"type": "text", "text": ASKED}])}
    flat = {f"gen_ai.prompt.10.{key}": value for key, value in named.items()}
    flat |= {"gen_ai.prompt.9.role": "assistant", "gen_ai.prompt.9.content": "Nzuri"}
    assert asked_of(parsed(tmp_path, {**OTEL_SPAN, "attributes": otlp(**flat)})) == [ASKED]


@pytest.mark.parametrize(
    "prompts",
    [
        {"llm.prompts.0.prompt.text": ASKED},
        {"llm.prompts": [ASKED]},
        {"llm.prompts": [{"prompt.text": ASKED}]},
    ],
)
def test_a_completions_api_has_prompts_without_roles(tmp_path, prompts):
    span = {**OPENINFERENCE, "attributes": {"openinference.span.kind": "LLM", **prompts}}
    assert asked_of(parsed(tmp_path, span)) == [ASKED]


def test_attributes_may_be_json_text(tmp_path):
    span = {**OPENINFERENCE, "attributes": json.dumps(OPENINFERENCE["attributes"])}
    assert asked_of(parsed(tmp_path, span)) == [ASKED]


def test_a_plain_row_may_have_empty_columns_and_a_user_with_an_id(tmp_path):
    row = {"timestamp": "2026-01-05", "text": None, "prompt": ASKED}
    result = parsed(tmp_path, {**row, "user": {"id": "juma"}}, {**row, "user": "juma"})
    assert (asked_of(result), result.reasons) == ([ASKED], {"duplicate_row": 1})


def test_rows_without_an_id_are_one_where_time_user_and_text_agree(tmp_path):
    row = {"timestamp": "2026-01-05", "text": ASKED}
    result = parsed(tmp_path, row, row, {**row, "id": "1"}, {**row, "id": "2"})
    assert (result.accepted.height, result.reasons) == (3, {"duplicate_row": 1})
