"""Shapes of multiple-choice records: what a source calls its fields becomes an item's."""

import json
import re
from dataclasses import dataclass
from typing import Any

from compass_core.config.benchmarks import ItemColumns
from compass_core.corpora.books import Rejected
from compass_core.corpora.mapping import look_up
from compass_core.corpora.shapes import ShapeError

LETTERS = "abcdefghijklmnopqrst"
# What a field calls the first choice; None: what the suite's `answers_from` says.
ANSWERS: dict[str, int | None] = {
    "answer": None,
    "answerKey": None,
    "answer_index": 0,
    "correct_answer_num": 1,
}
CHOICES = (
    "choices or options (a list of texts, or {text, label}, also as JSON text), option_a to "
    "option_d, option_0 to option_9, mc_answer1 to mc_answer4; other names: columns of the suite "
    "in compass.yaml"
)


@dataclass(frozen=True)
class Shape:
    """An item as its source gives it. `labels`: what it calls the choices, or none.

    `first`: what its integers call the first choice, where the shape says so.
    """

    question: str
    choices: list[str]
    labels: list[str]
    answer: Any
    first: int | None


@dataclass(frozen=True)
class Answer:
    """`position` counts from 0; `number` is the integer that it was read from by `answers_from`."""

    position: int
    number: int | None = None


def renamed(record: dict[str, Any], columns: ItemColumns | None) -> dict[str, Any]:
    """The record under our names; raises ShapeError naming a column that it lacks."""
    if columns is None:
        return record
    row = dict(record)
    for ours, theirs in columns.model_dump(exclude_none=True).items():
        names = theirs if isinstance(theirs, list) else [theirs]
        values = [look_up(record, name) for name in names]
        if None in values and ours in ("question", "choices", "answer"):
            fields = ", ".join(sorted(map(str, record)))[:120]
            lacking = names[values.index(None)]
            raise ShapeError(f"{ours}: no column {lacking!r}; the row has {fields or 'none'}")
        row[ours] = values if isinstance(theirs, list) else values[0]
    return row


def shape_of(record: dict[str, Any]) -> Shape:
    """Question, choices and answer of a record of any known shape; raises ShapeError."""
    question = record.get("question")
    if not isinstance(question, str):
        raise ShapeError("question: allowed is text")
    passage = record.get("passage", record.get("flores_passage"))
    if isinstance(passage, str) and passage.strip():
        question = f"{passage.strip()}\n{question}"
    choices, labels = _choices(record)
    name = next((n for n in ANSWERS if record.get(n) not in (None, "")), "answer")
    return Shape(question, choices, labels, record.get(name), ANSWERS[name])


def _choices(record: dict[str, Any]) -> tuple[list[str], list[str]]:
    found: Any = record.get("choices") or record.get("options")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            raise ShapeError(
                f"choices: received text that is no JSON; allowed: {CHOICES}"
            ) from None
    labels: Any = []
    if isinstance(found, dict):
        found, labels = found.get("text"), found.get("label") or []
    if found is None:
        many = range(len(LETTERS))
        names = (
            [f"option_{letter}" for letter in LETTERS],
            [f"option_{number}" for number in many],
            [f"mc_answer{number + 1}" for number in many],
        )
        found = next((texts for several in names if (texts := _numbered(record, several))), None)
    if not isinstance(found, list) or not found or not all(isinstance(c, str) for c in found):
        raise ShapeError(f"choices: allowed: {CHOICES}")
    if not isinstance(labels, list) or len(labels) not in (0, len(found)):
        raise ShapeError("choices: `label` has to name each text of `text`")
    return found, [str(label) for label in labels]


def _numbered(record: dict[str, Any], names: list[str]) -> list[Any]:
    """Values of the first of `names`, up to the first that is not there or empty."""
    values = [record.get(name) or None for name in names]
    return values[: values.index(None)] if None in values else values


def answer_of(shape: Shape, choices: list[str], answers_from: int) -> Answer:
    """Which of the cleaned choices is right: by label, letter, number or text; raises Rejected."""
    value, first = shape.answer, answers_from if shape.first is None else shape.first
    text = value.strip() if isinstance(value, str) else ""
    if text in shape.labels:
        return Answer(shape.labels.index(text))
    number = number_of(value)
    read: dict[str, int] = {}
    if number is not None and 0 <= number - first < len(choices):
        read["number"] = number - first
    if re.fullmatch(r"[A-Za-z]", text) and ord(text.upper()) - ord("A") < len(choices):
        read["letter"] = ord(text.upper()) - ord("A")
    if text and text in choices:
        read["text"] = choices.index(text)
    if len(set(read.values())) > 1:
        raise Rejected(
            "bad_answer",
            f"received {value!r}, the text of one choice and the place of another; allowed: an "
            "integer that is no text",
        )
    if not read:
        hint = ""
        if shape.first is None and answers_from == 0 and number == len(choices):
            hint = "; where the first choice is called 1, set answers_from: 1 of the suite"
        raise Rejected(
            "bad_answer",
            f"received {value!r}; allowed: {first} to {first + len(choices) - 1}, a letter from A, "
            f"or the text of a choice{hint}",
        )
    by_setting = shape.first is None and "number" in read
    return Answer(next(iter(read.values())), number if by_setting else None)


def number_of(value: Any) -> int | None:
    """The integer that an answer is, also as text or, from a table with gaps, as a float."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
