"""`{"timestamp": ..., "text": ...}` with optional `id` and `user`: the shape to write by hand."""

from typing import Any

from compass_core.corpora.log_shapes.event import LogEvent, as_text, first, turns_from
from compass_core.corpora.shapes import ShapeError

TEXT_FIELDS = ("text", "prompt", "query")
TIME_FIELDS = ("timestamp", "ts", "time", "created_at", "created")
USER_FIELDS = ("user", "user_id", "userId", "end_user")


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where the record has neither text nor messages."""
    text = next((record[name] for name in TEXT_FIELDS if record.get(name) is not None), None)
    messages = next((record[n] for n in ("messages", "conversation") if record.get(n)), None)
    if text is None and messages is None:
        return None
    if text is not None and not isinstance(text, str):
        raise ShapeError("text: received nothing that is text; allowed: text or prompt")
    return LogEvent(
        turns=[("user", text)] if isinstance(text, str) else turns_from(messages, "messages"),
        time=first(record, TIME_FIELDS),
        user=as_text(first(record, ("user.id", *USER_FIELDS))),
        identity=as_text(record.get("id")),
    )
