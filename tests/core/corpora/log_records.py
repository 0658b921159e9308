"""One question as each serving stack writes it, for tests of what reads log files."""

import json
from datetime import UTC, datetime

from compass_core.corpora.files import source_files
from compass_core.corpora.logs import parse_log_file
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
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(text, encoding="utf-8")
    return parse_log_file(folder, source_files(folder)[0], "sw", rules or Rules())
