"""OpenInference spans (Arize Phoenix): flattened `llm.input_messages.N.message.content`.

Lists may be flattened by index, nested, or the JSON text of a list; a message's text is in
`message.content` or in the text parts of `message.contents`. A completions API has `llm.prompts`.
Only spans of kind LLM are requests: the chain around one says the same again.
"""

from typing import Any

import regex

from compass_core.corpora.log_shapes.event import LogEvent, Turns, as_text, decoded, first
from compass_core.corpora.log_shapes.otel import USERS
from compass_core.corpora.log_shapes.spans import attributes, identity, moment
from compass_core.corpora.shapes import ROLES, ShapeError

_FLAT = regex.compile(r"llm\.input_messages\.(\d+)\.message\.(role|content|contents\.(\d+)\..*)")
_FLAT_PROMPT = regex.compile(r"llm\.prompts\.(\d+)\.prompt\.text")
_PART_TEXT = "message_content.text"


def read(record: dict[str, Any]) -> LogEvent | None:
    """None where the record is no OpenInference span; raises ShapeError for other span kinds."""
    found = attributes(record)
    kind = first(found, ("openinference.span.kind",)) or record.get("span_kind")
    listed = decoded(found.get("llm.input_messages"))
    flat = any(key.startswith("llm.input_messages.") for key in found)
    if "openinference.span.kind" not in found and not flat and listed is None:
        return None
    if kind is not None and str(kind).upper() != "LLM":
        raise ShapeError(f"span of kind {str(kind)[:20]}; allowed: LLM, the others say it again")
    turns = _listed(listed) if isinstance(listed, list) else _flattened(found)
    turns = turns or _prompts(found)
    if not turns:
        raise ShapeError("llm.input_messages: no message with a role; nor llm.prompts")
    return LogEvent(
        turns=turns,
        time=moment(record),
        user=as_text(first(found, USERS)),
        identity=identity(record),
    )


def _flattened(found: dict[str, Any]) -> Turns:
    roles: dict[int, str] = {}
    texts: dict[int, dict[int, str]] = {}
    for key, value in found.items():
        match = _FLAT.fullmatch(key)
        if match is None or not isinstance(value, str):
            continue
        number, what, part = int(match[1]), match[2], match[3]
        if what == "role":
            roles[number] = ROLES.get(value.lower(), "tool")
        elif what == "content":
            texts.setdefault(number, {})[-1] = value
        elif what.endswith(_PART_TEXT):
            texts.setdefault(number, {})[int(part)] = value
    return [
        (roles[number], "\n".join(text for _, text in sorted(texts.get(number, {}).items())))
        for number in sorted(roles)
    ]


def _listed(messages: list[Any]) -> Turns:
    turns: Turns = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        inner = message.get("message")
        fields = (
            {f"message.{key}": value for key, value in inner.items()}
            if isinstance(inner, dict)
            else message
        )
        role = fields.get("message.role")
        text = fields.get("message.content")
        if not isinstance(text, str):
            text = "\n".join(_parts(fields.get("message.contents") or []))
        if isinstance(role, str):
            turns.append((ROLES.get(role.lower(), "tool"), text))
    return turns


def _prompts(found: dict[str, Any]) -> Turns:
    """What a completions API was asked, which knows no roles: `llm.prompts.N.prompt.text`."""
    listed = decoded(found.get("llm.prompts"))
    given = listed if isinstance(listed, list) else []
    texts = [part.get("prompt.text") if isinstance(part, dict) else part for part in given]
    numbered = {m[1]: v for k, v in found.items() if (m := _FLAT_PROMPT.fullmatch(k))}
    texts += [numbered[number] for number in sorted(numbered, key=int)]
    said = "\n".join(text for text in texts if isinstance(text, str))
    return [("user", said)] if said else []


def _parts(contents: Any) -> list[str]:
    found = []
    for part in contents if isinstance(contents, list) else []:
        inner = part.get("message_content", part) if isinstance(part, dict) else {}
        text = inner.get("text", inner.get(_PART_TEXT)) if isinstance(inner, dict) else None
        if isinstance(text, str):
            found.append(text)
    return found
