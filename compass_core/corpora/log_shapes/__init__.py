"""What users asked, out of whatever a serving stack writes. One file a shape; found per record."""

from collections.abc import Callable
from typing import Any

from compass_core.corpora.log_shapes import (
    litellm,
    openai_requests,
    openinference,
    otel,
    plain,
)
from compass_core.corpora.log_shapes.event import LogEvent
from compass_core.corpora.shapes import ShapeError

Reader = Callable[[dict[str, Any]], LogEvent | None]

# The first that knows a record reads it: those with the most telling fields come first.
SHAPES: dict[str, Reader] = {
    "litellm": litellm.read,
    "openinference": openinference.read,
    "otel": otel.read,
    "openai": openai_requests.read,
    "plain": plain.read,
}


def read_event(record: dict[str, Any]) -> LogEvent:
    """The event in a record of any known shape; raises ShapeError naming the fields it has."""
    for reader in SHAPES.values():
        event = reader(record)
        if event is not None:
            return event
    fields = ", ".join(sorted(map(str, record)))[:120]
    raise ShapeError(
        f"received fields {fields or 'none'}; allowed: timestamp and text (or prompt), LiteLLM's "
        "payload, OpenTelemetry or OpenInference spans, OpenAI requests; see docs/inputs.md"
    )
