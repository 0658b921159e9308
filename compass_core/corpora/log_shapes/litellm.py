"""LiteLLM's StandardLoggingPayload, as its file, S3 and GCS loggers write it.

Fields (docs.litellm.ai, logging spec): `id`, `call_type`, `status`, `startTime` (epoch seconds),
`messages`, `end_user`, `metadata.user_api_key_user_id`. Some callbacks wrap the payload in
`standard_logging_object`.
"""

from typing import Any

from compass_core.corpora.books import Rejected
from compass_core.corpora.log_shapes.event import (
    LogEvent,
    as_text,
    first,
    turns_from,
    turns_of_items,
)
from compass_core.corpora.shapes import ShapeError

_MARKS = ("call_type", "model_group", "response_cost", "custom_llm_provider", "trace_id")
_CALLS = ("completion", "text_completion", "responses", "generate_content", "anthropic_messages")
_REDACTED = "redacted-by-litellm"  # what it writes for each text where message logging is off
# Keys and teams are shared, so they stand for a person only when nothing better is there.
_USERS = (
    "end_user",
    "metadata.user_api_key_end_user_id",
    "metadata.user_api_key_user_id",
    "metadata.user_api_key_hash",
)


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where the record is no LiteLLM payload; raises ShapeError for calls without a prompt.

    Failed attempts are rejected as failed_request: each retry is logged, and the one that succeeds
    would count beside them. Texts that LiteLLM took out are rejected as redacted.
    """
    wrapped = record.get("standard_logging_object")
    payload = wrapped if isinstance(wrapped, dict) else record
    if "startTime" not in payload or not any(mark in payload for mark in _MARKS):
        return None
    call = str(payload.get("call_type") or "completion")
    if not any(name in call for name in _CALLS):
        raise ShapeError(f"call_type: received {call[:40]}; it asks nothing of a chat model")
    if str(payload.get("status")).lower() == "failure":
        raise Rejected("failed_request", "status: received failure; a later attempt counts")
    if payload.get("messages") in (None, "", [], {}):
        raise ShapeError("messages: received nothing; is message logging turned off in LiteLLM?")
    read_turns = turns_of_items if "responses" in call else turns_from
    turns = read_turns(payload["messages"], "messages")
    if any(text.strip() == _REDACTED for role, text in turns if role == "user"):
        raise Rejected("redacted", f"messages: received {_REDACTED}; turn message logging on")
    return LogEvent(
        turns=turns,
        time=payload["startTime"],
        user=as_text(first(payload, _USERS)),
        identity=as_text(payload.get("id")),
    )
