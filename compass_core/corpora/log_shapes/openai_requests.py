"""OpenAI-style requests with or without their responses, as proxies before vLLM write them.

The request is under `request`, `request_body` or `body` (also as JSON text, and as the batch API's
input files have it), or is the record itself. Chat completions have `messages`, completions
`prompt`, the responses API `input`. The time is the record's own, else the response's `created`.
Proxies log every endpoint: what goes to embeddings, moderation, speech and the like has an `input`
or `prompt` too and is none of a chat model, and a request that failed is asked again.
"""

from typing import Any

import regex

from compass_core.corpora.books import Rejected
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
_PATHS = ("url", "path", "endpoint", "uri", "request_path", "request_url", "route", "api")
_STATUSES = ("status_code", "statusCode", "http_status", "response_status", "status")
_OTHER_PATH = regex.compile(
    r"/(?:embed|embeddings|moderations|rerank|score|pooling|classify|tokenize|detokenize"
    r"|(?:audio|images)/\w+)/?(?:\?.*)?$",
    regex.I,
)
_GONE = 499  # the user went away; nothing asks again
_OTHER_MODEL = regex.compile(r"embed|moderation|whisper|rerank|(?:^|[/-])tts", regex.I)
_OTHER_FIELDS = ("encoding_format", "voice", "dimensions")  # beside an `input`
_USERS = ("user", "safety_identifier", "user_id", "metadata.user_id")


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where there is no request; raises ShapeError for requests that ask nothing.

    Raises Rejected, reason failed_request, where the answer is an error.
    """
    request, response = _inner(record, _REQUESTS), _inner(record, _RESPONSES)
    if request is None:
        if "model" not in record or not any(n in record for n in ("messages", "input")):
            return None
        request = record
    other = _asks_no_chat_model(record, request, response)
    if other is not None:
        raise ShapeError(f"{other}; it asks nothing of a chat model")
    failure = _failure(record)
    if failure is not None:
        raise Rejected("failed_request", f"{failure}; a later attempt counts")
    time = first(record, _TIMES) or first(request, _TIMES) or first(response or {}, _TIMES)
    return LogEvent(
        turns=_turns(request),
        time=time,
        user=as_text(first(request, _USERS) or first(record, _USERS)),
        identity=as_text(
            first(record, ("id", "request_id", "custom_id")) or first(response or {}, ("id",))
        ),
    )


def _asks_no_chat_model(
    record: dict[str, Any], request: dict[str, Any], response: dict[str, Any] | None
) -> str | None:
    """What says that the request is one for embeddings, moderation, speech or the like."""
    for holder in (record, decoded(record.get("request")), request):
        for name in _PATHS if isinstance(holder, dict) else ():
            value = holder.get(name)
            if isinstance(value, str) and _OTHER_PATH.search(value[:500]):
                return f"{name}: received {value[:60]}"
    if "messages" in request:
        return None
    model = str(request.get("model"))
    if _OTHER_MODEL.search(model[:200]):
        return f"model: received {model[:60]}"
    field = next((n for n in _OTHER_FIELDS if n in request and "input" in request), None)
    if field is not None:
        return f"request: received {field} beside input"
    data = (response or {}).get("data")
    first_of = data[0] if isinstance(data, list) and data else None
    if isinstance(first_of, dict) and "embedding" in (*first_of, first_of.get("object")):
        return "response: received embeddings"
    return None


def _failure(record: dict[str, Any]) -> str | None:
    responses = [decoded(record.get(name)) for name in _RESPONSES]
    bodies = [decoded(r.get("body")) for r in responses if isinstance(r, dict)]
    for holder in (record, *responses, *bodies):
        if not isinstance(holder, dict):
            continue
        status = first(holder, _STATUSES)
        if str(status).isdecimal() and 400 <= int(status) < 600 and int(status) != _GONE:
            return f"status: received {status}"
        if holder.get("error"):
            return "error: received one"
    return None


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
