"""Record shapes: what a source calls its fields becomes prompt and response."""

from typing import Any


class ShapeError(ValueError):
    """The record has no prompt or no response that can be used."""


def prompt_and_response(record: dict[str, Any]) -> tuple[str, str]:
    """Prompt and response of a record in any known shape; raises ShapeError naming the field.

    Shapes: `messages` (the last user turn and the assistant's answer to it), `instruction` with
    optional `input` and `output`, `inputs` / `targets`, `prompt` / `response`.
    """
    if "messages" in record:
        return _messages(record["messages"])
    if "instruction" in record:
        prompt = _text(record, "instruction")
        extra = record.get("input")
        if isinstance(extra, str) and extra.strip():
            prompt = f"{prompt}\n{extra}"
        return prompt, _text(record, "output")
    if "inputs" in record:
        return _text(record, "inputs"), _text(record, "targets")
    if "prompt" in record:
        return _text(record, "prompt"), _text(record, "response")
    fields = ", ".join(sorted(map(str, record)))[:120]
    raise ShapeError(
        f"received fields {fields or 'none'}; allowed: messages, instruction/output, "
        "inputs/targets, prompt/response"
    )


def _messages(turns: Any) -> tuple[str, str]:
    if not isinstance(turns, list):
        raise ShapeError("messages: allowed is a list of {role, content}")
    prompt = response = None
    for turn in turns:
        if not isinstance(turn, dict):
            raise ShapeError("messages: allowed is a list of {role, content}")
        role, content = turn.get("role"), turn.get("content")
        if role == "user":
            prompt, response = content, None
        elif role == "assistant" and prompt is not None:
            response = content
    for name, value in (("user", prompt), ("assistant", response)):
        if not isinstance(value, str) or not value.strip():
            raise ShapeError(f"messages: no text in the last {name} turn")
    return str(prompt), str(response)


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value is None else type(value).__name__
        raise ShapeError(
            f"{name}: received {got if value != '' else 'empty text'}; allowed is text"
        )
    return value
