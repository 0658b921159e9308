"""Shapes of corpora, and columns with names of their own."""

import json

import pyarrow as pa
import pytest

from compass_core.config.schema import Corpus
from compass_core.corpora.files import source_files
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.mapping import readings
from compass_core.corpora.rules import Rules
from compass_core.corpora.shapes import (
    ShapeError,
    conversation_of,
    turns_of,
)
from compass_core.turns import system_turn

TURNS = [
    {"from": "system", "value": "Be kind."},
    {"from": "human", "value": "Habari"},
    {"from": "gpt", "value": "Nzuri"},
    {"from": "human", "value": "Bei gani?"},
    {"from": "gpt", "value": "Mia mbili"},
]


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": TURNS},
        {"conversations": json.dumps(TURNS)},
        {"messages": [{"role": t["from"], "content": t["value"]} for t in TURNS]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Bei gani?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Mia mbili"}]},
            ]
        },
        {"instruction": "Bei gani?", "input": "", "output": "Mia mbili"},
        {"inputs": "Bei gani?", "targets": "Mia mbili", "language_code": "swh"},
        {"text": "Bei gani?\nMia mbili"},
    ],
)
def test_each_shape_gives_the_last_question_and_its_answer(record):
    prompt, response = conversation_of(record).exchanges[-1]
    assert (prompt.strip(), response.strip()) == ("Bei gani?", "Mia mbili")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"conversations": [{"from": "alien", "value": "x"}]}, "received role 'alien'"),
        ({"conversations": TURNS[:2]}, "no text in the last assistant turn"),
        ({"text": "One sentence only."}, "received one sentence"),
        ({"messages": "[{"}, "no JSON list"),
        ({"instruction": "a", "output": "b", "history": [["c"]]}, "history: allowed is a list of"),
        ({"question": "x"}, "columns of the corpus in compass.yaml"),
    ],
)
def test_what_is_no_exchange_says_what_is_missing(record, said):
    with pytest.raises(ShapeError, match=said.replace("[", r"\[")):
        conversation_of(record)


def said(*turns):
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


ALPACA = {"instruction": "Bei gani?", "output": "Mia mbili"}


def test_earlier_exchanges_are_kept():
    both = [("Habari", "Nzuri"), ("Bei gani?", "Mia mbili")]
    assert conversation_of({"conversations": TURNS}).exchanges == both
    assert conversation_of(ALPACA) == ([("Bei gani?", "Mia mbili")], None)
    assert conversation_of(ALPACA | {"history": [["Habari", "Nzuri"]]}).exchanges == both
    twice = said(("user", "a"), ("assistant", "b"), ("assistant", "c"), ("user", "d"))
    twice["messages"].append({"role": "assistant", "content": "e"})
    assert conversation_of(twice).exchanges == [("a", "c"), ("d", "e")]


ASKED = [("user", "a"), ("assistant", "b")]


@pytest.mark.parametrize(
    ("record", "system"),
    [
        ({"conversations": TURNS}, "Be kind."),
        (said(("system", "x"), ("developer", "y"), *ASKED), "x\n\ny"),
        (said(("system", " "), *ASKED), None),
        (said(("system", "x"), ("user", ""), ("assistant", "c"), *ASKED), "x"),
        (ALPACA | {"system": "Be brief."}, "Be brief."),
        (ALPACA | {"system": ""}, None),
        (said(*ASKED) | {"system": "beside"}, "beside"),
        (said(("system", "inside"), *ASKED) | {"system": "beside"}, "inside"),
    ],
)
def test_the_system_turn_is_kept(record, system):
    assert conversation_of(record).system == system


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (said(*ASKED, ("system", "From now on be rude."), *ASKED), "system_turn"),
        (ALPACA | {"system": ["x"]}, "missing_field"),
        (said(("user", "a"), ("assistant", "call"), ("tool", "7"), ("assistant", "c")), "tool"),
        ({"conversations": [*TURNS, {"from": "function_call", "value": "{}"}]}, "tool"),
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "I look.", "tool_calls": [{"id": "1"}]},
                ]
            },
            "tool",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {
                        "role": "assistant",
                        "content": [{"type": "text", "text": "b"}, {"type": "tool_use", "id": "1"}],
                    },
                ]
            },
            "tool",
        ),
    ],
)
def test_what_would_be_lost_on_the_way_takes_the_row_with_it(record, reason):
    with pytest.raises(ShapeError) as caught:
        conversation_of(record)
    assert caught.value.reason == {"tool": "tool_calls"}.get(reason, reason)


def test_no_calls_are_no_tools():
    turns = said(*ASKED)
    for turn in turns["messages"]:
        turn |= {"tool_calls": None, "function_call": {}}
    assert conversation_of(turns).exchanges == [("a", "b")]


@pytest.mark.parametrize(
    "before",
    [
        [("user", "a"), ("user", "b"), ("assistant", "c")],  # a was never answered
        [("user", ""), ("assistant", "c")],  # an image
    ],
)
def test_of_a_conversation_that_cannot_be_rendered_the_last_exchange_is_kept(before):
    told = said(*before, ("user", "d"), ("assistant", "e"))
    assert conversation_of(told).exchanges == [("d", "e")]


def test_a_turn_without_text_is_empty_and_not_an_error():
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
    assert turns_of([image], "messages") == [("user", "")]


def test_files_with_other_columns_are_read_as_the_entry_says(tmp_path):
    (tmp_path / "mt-1.csv").write_text("q,a,ref\nBei gani?,Mia mbili,r1\n,Hakuna,r2\n")
    (tmp_path / "own.jsonl").write_text('{"prompt": "Habari", "response": "Nzuri"}\n')
    entry = Corpus(
        name="mt",
        files="mt-*.csv",
        columns={"prompt": "q", "response": "a", "id": "ref"},
        license="CC0-1.0",
        revision="v3",
    )
    result = ingest_text(tmp_path, "sw", Rules(), corpora=[entry])
    assert result.reasons == {"missing_field": 1}
    assert "no column 'q'" in result.quarantined["detail"][0]
    by_source = {r["source"]: r for r in result.accepted.to_dicts()}
    assert by_source["mt"]["prompt"] == "Bei gani?"
    assert (by_source["mt"]["license"], by_source["mt"]["revision"]) == ("CC0-1.0", "v3")
    assert by_source[None]["revision"] is None


def test_a_system_column_of_another_name_goes_with_a_known_shape_and_with_a_mapped_one(tmp_path):
    told = {"system_prompt": "Be brief.", "prompt": "Bei gani?", "response": "Mia mbili"}
    (tmp_path / "a.jsonl").write_text(json.dumps(told) + "\n")
    for more in ({}, {"prompt": "prompt", "response": "response"}):
        entry = Corpus(name="a", files="a.jsonl", columns={"system": "system_prompt", **more})
        (row,) = ingest_text(tmp_path, "sw", Rules(), corpora=[entry]).accepted.to_dicts()
        assert (row["prompt"], row["response"]) == ("Bei gani?", "Mia mbili")
        assert system_turn(row["earlier_turns"]) == "Be brief."


def test_a_changed_mapping_is_a_changed_source_and_a_new_revision_no_changed_row(tmp_path):
    (tmp_path / "mt.csv").write_text("q,a\nBei gani?,Mia mbili\n")
    (tmp_path / "own.jsonl").write_text('{"prompt": "Habari", "response": "Nzuri"}\n')

    def digests(**given):
        entry = Corpus(name="mt", files="mt.csv", columns={"prompt": "q", "response": "a"}, **given)
        names = [f.path for f in source_files(tmp_path)]
        read_as = readings(names, [entry], "auxiliary")
        version = ingest_text(tmp_path, "sw", Rules(), corpora=[entry]).data_version
        found = {f.path: f.digest for f in source_files(tmp_path, readings=read_as)}
        return found, version

    one, version_one = digests(revision="v1")
    two, version_two = digests(revision="v2")
    assert one["mt.csv"] != two["mt.csv"]
    assert one["own.jsonl"] == two["own.jsonl"]
    assert version_one == version_two


def test_zstandard_is_read_and_a_cut_file_keeps_what_came(tmp_path):
    lines = "".join(
        json.dumps({"prompt": f"swali {i} {i * 7919}", "response": "x"}) + "\n" for i in range(900)
    )
    with pa.CompressedOutputStream(str(tmp_path / "a.jsonl.zst"), "zstd") as out:
        out.write(lines.encode())
    assert ingest_text(tmp_path, "sw", Rules()).accepted.height == 900
    whole = (tmp_path / "a.jsonl.zst").read_bytes()
    (tmp_path / "a.jsonl.zst").write_bytes(whole[: len(whole) // 2])
    result = ingest_text(tmp_path, "sw", Rules())
    assert set(result.reasons) <= {"truncated_file", "bad_json"}
    assert result.quarantined.height >= 1
