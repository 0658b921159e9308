"""Conversations as the store keeps them: what was said before a row's prompt, as JSON text."""

import json
from collections.abc import Sequence
from typing import NamedTuple


class Exchange(NamedTuple):
    """What a user said, and what the assistant answered to it."""

    prompt: str
    response: str


def earlier_turns(exchanges: Sequence[Exchange], system: str | None = None) -> str | None:
    """The column `earlier_turns`: a JSON list of {role, content}, oldest first; None for none.

    `system`: the conversation's system turn, which is the first of the list.
    """
    if not exchanges and system is None:
        return None
    return json.dumps(messages(exchanges, system), ensure_ascii=False)


def messages(exchanges: Sequence[Exchange], system: str | None = None) -> list[dict[str, str]]:
    """Chat messages, user and assistant in turn, after the system turn where there is one."""
    first = [] if system is None else [{"role": "system", "content": system}]
    return first + [
        {"role": role, "content": text}
        for exchange in exchanges
        for role, text in zip(("user", "assistant"), exchange, strict=True)
    ]


def earlier_exchanges(column: str | None) -> list[Exchange]:
    """The exchanges in a value of the column `earlier_turns`."""
    return _read(column)[1]


def system_turn(column: str | None) -> str | None:
    """The system turn in a value of the column `earlier_turns`, or None."""
    return _read(column)[0]


def earlier_texts(column: str | None) -> list[str]:
    """Every text in a value of the column `earlier_turns`, that of the system turn as well."""
    return [turn["content"] for turn in json.loads(column)] if column else []


def _read(column: str | None) -> tuple[str | None, list[Exchange]]:
    if not column:
        return None, []
    turns = json.loads(column)
    system = turns.pop(0)["content"] if turns[0]["role"] == "system" else None
    said = [turn["content"] for turn in turns]
    return system, [Exchange(*pair) for pair in zip(said[::2], said[1::2], strict=True)]
