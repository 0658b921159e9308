"""Conversations as the store keeps them: what was said before a row's prompt, as JSON text."""

import json
from collections.abc import Sequence
from typing import NamedTuple


class Exchange(NamedTuple):
    """What a user said, and what the assistant answered to it."""

    prompt: str
    response: str


def earlier_turns(exchanges: Sequence[Exchange]) -> str | None:
    """The column `earlier_turns`: a JSON list of {role, content}, oldest first; None for none."""
    if not exchanges:
        return None
    return json.dumps(messages(exchanges), ensure_ascii=False)


def messages(exchanges: Sequence[Exchange]) -> list[dict[str, str]]:
    """Chat messages, user and assistant in turn."""
    return [
        {"role": role, "content": text}
        for exchange in exchanges
        for role, text in zip(("user", "assistant"), exchange, strict=True)
    ]


def earlier_exchanges(column: str | None) -> list[Exchange]:
    """The exchanges in a value of the column `earlier_turns`."""
    if not column:
        return []
    said = [turn["content"] for turn in json.loads(column)]
    return [Exchange(*pair) for pair in zip(said[::2], said[1::2], strict=True)]
