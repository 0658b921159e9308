"""OpenTelemetry's GenAI conventions: spans, or `gen_ai.client.inference.operation.details` events.

Present form: `gen_ai.input.messages`, a list (or its JSON text) of
{role, parts: [{type: text, content}]}. Before version 1.37: one `gen_ai.user.message` event a turn,
with the text in its body, or `gen_ai.prompt`. Only spans of OPERATIONS are requests: that of an
agent around one says the same again. The events of a span share its id, and the latest is kept.
"""

from typing import Any

from compass_core.corpora.log_shapes.event import LogEvent, as_text, decoded, first, turns_from
from compass_core.corpora.log_shapes.spans import attributes, identity, moment, unwrapped
from compass_core.corpora.shapes import ShapeError, text_of

USERS = ("user.id", "enduser.id", "enduser.pseudo.id", "user.email", "session.id")
OPERATIONS = ("chat", "text_completion", "generate_content")
_OLD_EVENT = "gen_ai.user.message"
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


def _body(record: dict[str, Any]) -> dict[str, Any]:
    body = decoded(record.get("body"))
    if isinstance(body, dict) and any(name in body for name in _WRAPPED):
        body = decoded(unwrapped(body))
    return body if isinstance(body, dict) else {}
