"""OpenTelemetry's GenAI conventions: spans, or `gen_ai.client.inference.operation.details` events.

Present form: `gen_ai.input.messages`, a list (or its JSON text) of
{role, parts: [{type: text, content}]}. Before version 1.37: one `gen_ai.user.message` event a turn,
with the text in its body or, as an event of the span, in `gen_ai.event.content`; or
`gen_ai.prompt`, which OpenLLMetry flattens to `gen_ai.prompt.N.content`. Only spans of OPERATIONS
are requests: that of an agent around one says the same again. The events of a span share its id,
and the latest is kept.
"""

from typing import Any

import regex

from compass_core.corpora.log_shapes.event import LogEvent, as_text, decoded, first, turns_from
from compass_core.corpora.log_shapes.spans import attributes, identity, moment, unwrapped
from compass_core.corpora.shapes import ShapeError, text_of

USERS = ("user.id", "enduser.id", "enduser.pseudo.id", "user.email", "session.id")
OPERATIONS = ("chat", "text_completion", "generate_content")
_OLD_EVENT = "gen_ai.user.message"
_TURN_EVENT = regex.compile(r"gen_ai\.(system|user|assistant|tool)\.message")
_FLAT = regex.compile(r"gen_ai\.prompt\.(\d+)\.(role|content)")
_WRAPPED = ("kvlistValue", "kvlist_value", "stringValue", "string_value")


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where the record has no gen_ai attribute; ShapeError for spans that ask nothing."""
    found = attributes(record)
    body = _body(record)
    name = first(record, ("name", "event_name", "eventName")) or found.get("event.name")
    operation = first(found, ("gen_ai.operation.name",))
    if operation is not None and str(operation).lower() not in OPERATIONS:
        raise ShapeError(
            f"operation {str(operation)[:40]}; allowed: {', '.join(OPERATIONS)}, as the others ask "
            "nothing of a chat model or say it again"
        )
    if name == _OLD_EVENT:
        text = text_of(first(body, ("content",)) or found.get("content"))
        if not text:
            raise ShapeError(f"{_OLD_EVENT}: no content; is content capture turned off?")
        turns = [("user", text)]
    else:
        messages = first({**found, **body}, ("gen_ai.input.messages", "gen_ai.prompt"))
        if messages is None:
            messages = _span_events(record) or _flattened(found)
        if not messages:
            if not any(key.startswith("gen_ai.") for key in (*found, *body)):
                return None
            asked = operation or name or "unnamed"
            raise ShapeError(
                f"span {str(asked)[:60]}: no gen_ai.input.messages; it asks nothing of a chat "
                "model, or content capture is turned off"
            )
        turns = turns_from(decoded(messages), "gen_ai.input.messages")
    return LogEvent(
        turns=turns,
        time=moment(record),
        user=as_text(first(found, USERS)),
        identity=identity(record),
    )


def _span_events(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages of a span whose events are its turns, as Azure's SDKs write them."""
    events = record.get("events")
    turns = []
    for event in events if isinstance(events, list) else []:
        match = _TURN_EVENT.fullmatch(str(event.get("name"))) if isinstance(event, dict) else None
        if match:
            held = attributes({"attributes": event.get("attributes")})
            said = decoded(held.get("gen_ai.event.content"))
            content = said.get("content") if isinstance(said, dict) else held.get("content")
            turns.append({"role": match[1], "content": content})
    return turns


def _flattened(found: dict[str, Any]) -> list[dict[str, Any]]:
    turns: dict[int, dict[str, Any]] = {}
    for name, value in found.items():
        if match := _FLAT.fullmatch(name):
            turns.setdefault(int(match[1]), {})[match[2]] = decoded(value)
    return [turns[number] for number in sorted(turns) if "role" in turns[number]]


def _body(record: dict[str, Any]) -> dict[str, Any]:
    body = decoded(record.get("body"))
    if isinstance(body, dict) and any(name in body for name in _WRAPPED):
        body = decoded(unwrapped(body))
    return body if isinstance(body, dict) else {}
