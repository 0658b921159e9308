"""What every log shape gives, and the look-ups that they share."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from compass_core.corpora.shapes import turns_of

Turns = list[tuple[str, str]]


@dataclass(frozen=True)
class LogEvent:
    """One request to a model. `time` is as the log has it; `user` is raw and must not be stored."""

    turns: Turns
    time: Any
    user: str | None = None
    identity: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


def first(record: dict[str, Any], names: Iterable[str]) -> Any:
    """The first value that is there and not empty; a name with dots goes into nested records."""
    for name in names:
        value: Any = record.get(name)
        if value is None and "." in name:
            value = record
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
        if value is not None and value != "":
            return value
    return None


def as_text(value: Any) -> str | None:
    """A short value as text; None for what is none."""
    if value is None or value == "" or isinstance(value, bool | list | dict):
        return None
    return str(value)


def turns_from(messages: Any, name: str) -> Turns:
    """Turns of a request: a list of messages, its JSON text, or one prompt. Raises ShapeError."""
    if isinstance(messages, str):
        if messages.lstrip().startswith(("[{", "[ {")):
            return turns_of(messages, name)
        return [("user", messages)]
    if isinstance(messages, dict) and "messages" in messages:
        return turns_of(messages["messages"], name)
    if isinstance(messages, list) and messages and all(isinstance(m, str) for m in messages):
        return [("user", "\n".join(messages))]
    return turns_of(messages, name)


def turns_of_items(items: Any, name: str) -> Turns:
    """Turns of the responses API's `input`: text, or messages among items of other types.

    The result of a call (`function_call_output` and the like) is a tool's turn, so that a request
    that goes on with one is known for it; calls, reasoning and references say nothing.
    """
    if isinstance(items, str) and items.lstrip().startswith(("[{", "[ {")):
        items = decoded(items)
    if not isinstance(items, list):
        return turns_from(items, name)
    kept = []
    for item in items:
        if not isinstance(item, dict):
            continue
        if "role" in item:
            kept.append(item)
        elif str(item.get("type")).endswith("_output"):
            kept.append({"role": "tool", "content": item.get("output")})
    return turns_from(kept, name)


def decoded(value: Any) -> Any:
    """A value that may be JSON text, as span attributes often are."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
