"""Record shapes: what a source calls its fields becomes prompt and response."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import regex

from compass_core.turns import Exchange

ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "claude": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "function_call": "tool",
    "observation": "tool",
    "ipython": "tool",
}
ALLOWED = (
    "messages, conversations, instruction/output, inputs/targets, prompt/response, text; "
    "other names: columns of the corpus in compass.yaml"
)
_FIRST_SENTENCE = regex.compile(r".{10,}?[.!?।؟。！？…]+(?=\s|$|[^\p{N}\p{Latin}])", regex.S)


# What of a turn is a call of a tool or what came of it: OpenAI, Anthropic, OpenTelemetry.
_CALLS = ("tool_calls", "function_call")
_CALL_PARTS = {
    "tool_use",
    "server_tool_use",
    "tool_result",
    "tool_call",
    "tool_call_response",
    "function_call",
    "function_call_output",
}


_RESULT_PARTS = ("tool_result", "tool_call_response", "function_call_output")
_RESULTS = ("functionResponse", "function_response")  # Gemini's parts have no type


class ShapeError(ValueError):
    """The record has nothing that can be used; `reason` is what it is counted under."""

    def __init__(self, message: str, reason: str = "missing_field") -> None:
        super().__init__(message)
        self.reason = reason


class Conversation(NamedTuple):
    """What was said in a record, oldest first; the last exchange is the row's."""

    exchanges: list[Exchange]
    system: str | None = None


def conversation_of(record: dict[str, Any]) -> Conversation:
    """What was said in a record of any known shape.

    Earlier exchanges come from `messages`, ShareGPT's `conversations`, and a `history` of
    [prompt, response] pairs as LLaMA-Factory puts beside Alpaca's fields; the system turn from the
    turns, else from a field `system`, as LLaMA-Factory has it beside every shape. Raises ShapeError
    naming the field.
    """
    beside = _system_field(record)
    for name in ("messages", "conversations", "conversation"):
        if record.get(name) is not None:
            exchanges, system = _conversation(record[name], name)
            return Conversation(exchanges, beside if system is None else system)
    last = Exchange(*_one_exchange(record))
    return Conversation([*_history(record), last] if record.get("history") else [last], beside)


def _system_field(record: dict[str, Any]) -> str | None:
    value = record.get("system")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ShapeError(f"system: received {type(value).__name__}; allowed is text")
    return value if value.strip() else None


def _history(record: dict[str, Any]) -> list[Exchange]:
    pairs = record["history"]
    fits = isinstance(pairs, list) and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and all(isinstance(text, str) and text.strip() for text in pair)
        for pair in pairs
    )
    if not fits:
        raise ShapeError("history: allowed is a list of [prompt, response] pairs of text")
    return [Exchange(*pair) for pair in pairs]


def _one_exchange(record: dict[str, Any]) -> tuple[str, str]:
    """Prompt and response of a record of one turn.

    Shapes: `instruction` with optional `input` and `output` (Alpaca), `inputs` / `targets` (Aya),
    `prompt` / `response`, and plain `text`, whose first line (or sentence) is the prompt and whose
    rest is the response.
    """
    if "instruction" in record:
        prompt = _text(record, "instruction")
        extra = record.get("input")
        if isinstance(extra, str) and extra.strip():
            prompt = f"{prompt}\n{extra}"
        return prompt, _text(record, "output")
    if "inputs" in record:
        return _text(record, "inputs"), _text(record, "targets")
    if "prompt" in record:
        prompt = _text(record, "prompt")
        extra = record.get("input")
        if isinstance(extra, str) and extra.strip():
            prompt = f"{prompt}\n{extra}"
        return prompt, _text(record, "response")
    if "text" in record:
        return _split_text(_text(record, "text"))
    fields = ", ".join(sorted(map(str, record)))[:120]
    raise ShapeError(f"received fields {fields or 'none'}; allowed: {ALLOWED}")


def turns_of(value: Any, name: str) -> list[tuple[str, str]]:
    """(role, text) of each turn; role is user, assistant, system or tool.

    Takes OpenAI's {role, content}, ShareGPT's {from, value} and OpenTelemetry's {role, parts}, as
    a list or as its JSON text. Turns without text (an image alone) have an empty one; where it is
    the result of a tool that a user's turn brings, as Anthropic's API has it, the turn is a tool's.
    Raises ShapeError naming what is no turn.
    """
    found = []
    for role, turn in _turns(value, name):
        content = _content(turn)
        text = text_of(content)
        brings_result = role == "user" and not text.strip() and _has_result(content)
        found.append(("tool" if brings_result else role, text))
    return found


def _has_result(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(part, dict)
        and (str(part.get("type")) in _RESULT_PARTS or any(name in part for name in _RESULTS))
        for part in content
    )


def _turns(value: Any, name: str) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise ShapeError(f"{name}: received text that is no JSON list of turns") from None
    if not isinstance(value, list):
        raise ShapeError(f"{name}: allowed is a list of {{role, content}} or {{from, value}}")
    found = []
    for turn in value:
        if not isinstance(turn, dict):
            raise ShapeError(f"{name}: allowed is a list of {{role, content}} or {{from, value}}")
        said = turn.get("role", turn.get("from"))
        role = ROLES.get(str(said).lower())
        if role is None:
            raise ShapeError(
                f"{name}: received role {str(said)[:40]!r}; allowed: {', '.join(ROLES)}"
            )
        found.append((role, turn))
    return found


def _content(turn: dict[str, Any]) -> Any:
    for name in ("content", "value", "parts"):
        if turn.get(name) is not None:
            return turn[name]
    return None


def text_of(content: Any) -> str:
    """Text of a turn's content: a string, or the text parts of a list, one a line."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict) and str(part.get("type", "text")) in ("text", "input_text"):
            text = part.get("text", part.get("content"))
            if isinstance(text, str):
                parts.append(text)
    return "\n".join(parts)


def _conversation(value: Any, name: str) -> Conversation:
    """Each user turn with the last thing that the assistant said before the next one.

    A conversation with tools is refused: its answers rest on what the tools said, and calls are
    written otherwise by each family's template. So is one whose instructions change on the way.
    Where an earlier turn has no text (an image), or no answer, the last exchange is kept alone.
    """
    turns = _turns(value, name)
    if any(role == "tool" or _calls_a_tool(turn) for role, turn in turns):
        raise ShapeError(
            f"{name}: received a conversation with tool calls; allowed is text of user, assistant "
            "and system: correct the row, or take out the turns that call tools",
            "tool_calls",
        )
    texts = [(role, text_of(_content(turn))) for role, turn in turns]
    start = next((i for i, (role, _) in enumerate(texts) if role != "system"), len(texts))
    if any(role == "system" and text.strip() for role, text in texts[start:]):
        raise ShapeError(
            f"{name}: received a system turn after the conversation began; allowed: before it",
            "system_turn",
        )
    told = "\n\n".join(text for _, text in texts[:start] if text.strip())
    return Conversation(_exchanges(texts[start:], name), told or None)


def _calls_a_tool(turn: dict[str, Any]) -> bool:
    if any(turn.get(name) for name in _CALLS):
        return True
    content = _content(turn)
    return isinstance(content, list) and any(
        isinstance(part, dict) and str(part.get("type")) in _CALL_PARTS for part in content
    )


def _exchanges(turns: Sequence[tuple[str, str]], name: str) -> list[Exchange]:
    said: list[tuple[str, str]] = []
    for role, text in turns:
        if role == "user":
            said.append((text, ""))
        elif role == "assistant" and said and said[-1][0]:
            said[-1] = (said[-1][0], text)
    prompt, response = said[-1] if said else ("", "")
    for role, value in (("user", prompt), ("assistant", response)):
        if not value.strip():
            raise ShapeError(f"{name}: no text in the last {role} turn")
    if not all(a.strip() and b.strip() for a, b in said):
        said = said[-1:]
    return [Exchange(*pair) for pair in said]


def _split_text(text: str) -> tuple[str, str]:
    head, _, rest = text.strip().partition("\n")
    if not rest.strip():
        match = _FIRST_SENTENCE.match(text.strip())
        head = match.group() if match else text
        rest = text.strip()[len(head) :]
    if not rest.strip():
        raise ShapeError("text: received one sentence; allowed: a first line or sentence and more")
    return head, rest


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value is None else type(value).__name__
        raise ShapeError(
            f"{name}: received {got if value != '' else 'empty text'}; allowed is text"
        )
    return value
