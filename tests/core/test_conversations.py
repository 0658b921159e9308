import json

import pytest

from compass_core.turns import (
    Exchange,
    earlier_exchanges,
    earlier_texts,
    earlier_turns,
    messages,
    system_turn,
)

SAID = [Exchange("Habari?", "Nzuri"), Exchange('"मूल्य"?', "पाँच\nरुपये")]


def test_turns_come_back_as_they_went():
    column = earlier_turns(SAID)
    assert earlier_exchanges(column) == SAID
    assert [turn["role"] for turn in json.loads(column)] == ["user", "assistant"] * 2
    assert "मूल्य" in column  # readable in a query
    assert system_turn(column) is None


@pytest.mark.parametrize("said", [SAID, []])
def test_a_system_turn_is_the_first_and_no_exchange(said):
    column = earlier_turns(said, "Jibu kwa ufupi.")
    assert system_turn(column) == "Jibu kwa ufupi."
    assert earlier_exchanges(column) == said
    assert json.loads(column) == messages(said, "Jibu kwa ufupi.")
    assert earlier_texts(column) == ["Jibu kwa ufupi.", *(t for e in said for t in e)]


def test_nothing_said_is_null():
    assert earlier_turns([]) is None
    assert earlier_exchanges(None) == earlier_texts(None) == []
    assert system_turn(None) is None
    assert messages(SAID[:1]) == [
        {"role": "user", "content": "Habari?"},
        {"role": "assistant", "content": "Nzuri"},
    ]
