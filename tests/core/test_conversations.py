import json

from compass_core.turns import Exchange, earlier_exchanges, earlier_turns, messages

SAID = [Exchange("Habari?", "Nzuri"), Exchange('"मूल्य"?', "पाँच\nरुपये")]


def test_turns_come_back_as_they_went():
    column = earlier_turns(SAID)
    assert earlier_exchanges(column) == SAID
    assert [turn["role"] for turn in json.loads(column)] == ["user", "assistant"] * 2
    assert "मूल्य" in column  # readable in a query


def test_nothing_said_is_null():
    assert earlier_turns([]) is None
    assert earlier_exchanges(None) == []
    assert messages(SAID[:1]) == [
        {"role": "user", "content": "Habari?"},
        {"role": "assistant", "content": "Nzuri"},
    ]
