"""What OpenTelemetry-like records share: attributes in four spellings, times, ids, OTLP batches."""

from collections.abc import Iterator
from typing import Any

from compass_core.corpora.log_shapes.event import decoded, first
from compass_core.corpora.readers import Line

_TIMES = (
    "startTimeUnixNano",
    "start_time_unix_nano",
    "timeUnixNano",
    "time_unix_nano",
    "start_time",
    "startTime",
    "timestamp",
    "time",
    "observedTimeUnixNano",
    "observed_timestamp",
)
_IDS = ("spanId", "span_id", "context.span_id", "id")
_BATCHES = {
    "resourceSpans": ("scopeSpans", "spans"),
    "resourceLogs": ("scopeLogs", "logRecords"),
    "resource_spans": ("scope_spans", "spans"),
    "resource_logs": ("scope_logs", "log_records"),
}


def unpacked(line: Line) -> Iterator[Line]:
    """The line itself, or one line a span or log record where it is an OTLP/JSON batch.

    A batch is what the collector's file exporter writes. Each record counts as a row read and
    keeps the number of the line that it came in. What stands where records should is one row too,
    that nothing knows.
    """
    record = line.record
    batch = next((name for name in _BATCHES if record and isinstance(record.get(name), list)), None)
    if record is None or batch is None:
        yield line
        return
    scopes, items = _BATCHES[batch]
    for scope in _members(record[batch], scopes):
        for item in _members([scope], items):
            yield Line(line.number, line.raw, item if isinstance(item, dict) else {batch: item})


def _members(groups: Any, name: str) -> Iterator[Any]:
    """What the groups' lists `name` hold; a group of another form, in brackets, in its place."""
    for group in groups:
        held = (group.get(name) or []) if isinstance(group, dict) else None
        yield from held if isinstance(held, list) else [[group]]


def attributes(record: dict[str, Any]) -> dict[str, Any]:
    """Attributes under their full names: OTLP's key/value list, a mapping (flat or nested), either
    as JSON text too, or columns called `attributes.…` as Phoenix exports them. Attributes of span
    events are added.
    """
    found: dict[str, Any] = {}
    given = decoded(record.get("attributes"))
    if isinstance(given, list):
        for item in given:
            if isinstance(item, dict) and "key" in item:
                found[str(item["key"])] = unwrapped(item.get("value"))
    elif isinstance(given, dict):
        _flatten(given, "", found)
    for name, value in record.items():
        if name.startswith("attributes."):
            found[name.removeprefix("attributes.")] = value
        elif name.startswith(("gen_ai.", "llm.", "openinference.")):
            found[name] = value
    events = record.get("events")
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict):
            for name, value in attributes({"attributes": event.get("attributes")}).items():
                found.setdefault(name, value)
    return found


def moment(record: dict[str, Any]) -> Any:
    """When the span began or the event happened: the raw value, nanoseconds as a number.

    OTLP writes 0 where the source named no time; then it is when the event was observed.
    """
    known = {name: value for name, value in record.items() if value not in (0, "0")}
    value = first(known, _TIMES)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def identity(record: dict[str, Any]) -> str | None:
    """Trace and span id: a span id alone is only unique within its trace."""
    span = first(record, _IDS)
    trace = first(record, ("traceId", "trace_id", "context.trace_id"))
    return f"{trace}/{span}" if trace and span else (str(span) if span else None)


def unwrapped(value: Any) -> Any:
    """A value without the names of its type, as OTLP/JSON wraps it; others as they are."""
    if not isinstance(value, dict):
        return value
    for name in ("stringValue", "string_value", "boolValue", "doubleValue"):
        if name in value:
            return value[name]
    for name in ("intValue", "int_value"):
        if name in value:
            try:
                return int(value[name])
            except (TypeError, ValueError):
                return value[name]  # hashed in a corrected line, or no number in the first place
    for name in ("arrayValue", "array_value"):
        if name in value:
            return [unwrapped(item) for item in _values(value[name])]
    for name in ("kvlistValue", "kvlist_value"):
        if name in value:
            pairs = [item for item in _values(value[name]) if isinstance(item, dict)]
            return {str(item.get("key")): unwrapped(item.get("value")) for item in pairs}
    return None


def _values(wrapped: Any) -> list[Any]:
    values = wrapped.get("values") if isinstance(wrapped, dict) else None
    return values if isinstance(values, list) else []


def _flatten(nested: dict[str, Any], prefix: str, into: dict[str, Any]) -> None:
    for name, value in nested.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", into)
        else:
            into[f"{prefix}{name}"] = value
