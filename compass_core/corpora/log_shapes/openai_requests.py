"""OpenAI-style requests with or without their responses, as proxies before vLLM write them.

The request is under `request`, `request_body` or `body` (also as JSON text, and as the batch API's
input files have it), or is the record itself. Chat completions have `messages`, completions
`prompt`, the responses API `input`. The time is the record's own, else the response's `created`.
"""

from typing import Any

from compass_core.corpora.log_shapes.event import (
    LogEvent,
    Turns,
    as_text,
    decoded,
    first,
    turns_from,
    turns_of_items,
)
from compass_core.corpora.log_shapes.plain import TIME_FIELDS
from compass_core.corpora.shapes import ShapeError

_REQUESTS = ("request", "request_body", "body")
_RESPONSES = ("response", "response_body")
_TIMES = (*TIME_FIELDS, "request_time", "requestedAt", "start_time")
_USERS = ("user", "safety_identifier", "user_id", "metadata.user_id")


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where there is no request; raises ShapeError for requests that ask nothing."""
    request, response = _inner(record, _REQUESTS), _inner(record, _RESPONSES)
    if request is None:
        if "model" not in record or not any(n in record for n in ("messages", "input")):
            return None
        request = record
    time = first(record, _TIMES) or first(request, _TIMES) or first(response or {}, _TIMES)
    return LogEvent(
        turns=_turns(request),
        time=time,
        user=as_text(first(request, _USERS) or first(record, _USERS)),
        identity=as_text(
            first(record, ("id", "request_id", "custom_id")) or first(response or {}, ("id",))
        ),
    )


def _inner(record: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any] | None:
    for name in names:
        value = decoded(record.get(name))
        if isinstance(value, dict):
            body = decoded(value.get("body"))
            return body if isinstance(body, dict) else value
    return None


def _turns(request: dict[str, Any]) -> Turns:
    for name in ("messages", "prompt", "input"):
        value = request.get(name)
        if value:
            return turns_of_items(value, name) if name == "input" else turns_from(value, name)
    fields = ", ".join(sorted(map(str, request)))[:120]
    raise ShapeError(f"request: received fields {fields}; allowed: messages, prompt or input")
