"""Items of the shapes that benchmarks are published in."""

import json

import pytest

from compass_core.corpora.books import Rejected
from compass_core.corpora.item_shapes import Answer, answer_of, shape_of
from compass_core.corpora.shapes import ShapeError

FOUR = ["a", "b", "c", "d"]
OPTIONS = {f"option_{c}": c for c in FOUR}
BELEBELE = {f"mc_answer{i}": c for i, c in enumerate(FOUR, 1)}


@pytest.mark.parametrize(
    ("record", "question", "choices", "position"),
    [
        ({"choices": FOUR, "answer": "C"}, "Q", FOUR, 2),
        ({**OPTIONS, "answer": "D", "subject": "law"}, "Q", FOUR, 3),  # Global-MMLU
        ({**OPTIONS, "option_d": None, "answer": "B"}, "Q", FOUR[:3], 1),
        ({f"option_{i}": c for i, c in enumerate(FOUR)} | {"answer": "C"}, "Q", FOUR, 2),
        ({"choices": {"text": FOUR, "label": FOUR}, "answerKey": "b"}, "Q", FOUR, 1),  # ARC
        (
            {"choices": {"text": ["3", "1", "2"], "label": ["1", "2", "3"]}, "answerKey": "3"},
            "Q",
            ["3", "1", "2"],
            2,
        ),
        ({"options": FOUR, "answer": "B", "answer_index": 1}, "Q", FOUR, 1),  # MMLU-Pro
        ({"options": FOUR, "answer_index": 3}, "Q", FOUR, 3),
        ({"choices": json.dumps(FOUR), "answer": "2"}, "Q", FOUR, 2),  # CSV
        ({"choices": ["x1", "y1"], "answer": " y1 "}, "Q", ["x1", "y1"], 1),
        ({"choices": ["12", "15"], "answer": "15"}, "Q", ["12", "15"], 1),
        ({"choices": FOUR, "answer": 2.0}, "Q", FOUR, 2),
        (
            {"flores_passage": "P", **BELEBELE, "correct_answer_num": "2"},
            "P\nQ",
            FOUR,
            1,
        ),
    ],
)
def test_what_a_source_calls_its_fields_becomes_an_item(record, question, choices, position):
    shape = shape_of({"question": "Q", **record})
    assert shape.question == question
    assert shape.choices == choices
    assert answer_of(shape, choices, 0).position == position


def test_only_integers_without_a_meaning_of_their_own_follow_the_setting():
    assert answer_of(shape_of({"question": "Q", "choices": FOUR, "answer": 1}), FOUR, 1) == Answer(
        0, 1
    )
    for named in ({"answer_index": 1}, {"answer": "b"}, {"answer": "B"}):
        shape = shape_of({"question": "Q", "choices": FOUR, **named})
        assert answer_of(shape, FOUR, 1) == Answer(1), named


@pytest.mark.parametrize("answer", [True, None, "", "e", "E", 4, -1, 1.5, "zz", ["a"]])
def test_an_answer_that_is_no_choice_is_refused(answer):
    shape = shape_of({"question": "Q", "choices": FOUR, "answer": answer})
    with pytest.raises(Rejected, match="allowed: 0 to 3, a letter from A, or the text"):
        answer_of(shape, FOUR, 0)


def test_a_number_that_is_one_choices_text_and_anothers_place_is_refused():
    shape = shape_of({"question": "Q", "choices": ["1", "2", "3"], "answer": "2"})
    with pytest.raises(Rejected, match="the text of one choice and the place of another"):
        answer_of(shape, ["1", "2", "3"], 0)
    assert answer_of(shape, ["1", "2", "3"], 1).position == 1  # both readings agree


@pytest.mark.parametrize(
    "record",
    [
        {"choices": "a, b, c"},
        {"choices": [1, 2]},
        {"choices": {"text": FOUR, "label": ["A"]}},
        {"choices": []},
        {},
    ],
)
def test_choices_of_no_known_shape_are_refused(record):
    with pytest.raises(ShapeError, match="choices: "):
        shape_of({"question": "Q", "answer": 0, **record})
