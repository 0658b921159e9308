"""Text in: every kind of bad input is counted with a reason, and nothing is lost."""

import csv
import gzip
import json
from functools import partial

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compass_core.config.schema import Cleaning, Ingest
from compass_core.corpora import ingest, readers
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.rules import Rules
from compass_core.errors import InputError
from compass_core.hashing import text_hash
from compass_core.progress import Progress
from compass_core.turns import earlier_exchanges, earlier_turns, system_turn

RULES = Rules(ingest=Ingest(max_chars=200))


def put(folder, name, *rows):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in rows
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def row(prompt="Mvua itanyesha lini?", response="Kesho", **more):
    return {"prompt": prompt, "response": response, **more}


def reasons(folder, language="sw"):
    result = ingest_text(folder, language, RULES)
    assert result.rows_read == result.accepted.height + result.quarantined.height
    return result.reasons


def test_all_shapes_become_prompt_and_response(tmp_path):
    put(
        tmp_path,
        "a.jsonl",
        {"messages": [{"role": "user", "content": "नमस्ते"}, {"role": "assistant", "content": "जी"}]},
        {"instruction": "Tafsiri", "input": "paka", "output": "cat"},
        {"inputs": "ฝนตกไหม", "targets": "ตก"},
        {"prompt": "ما اسمك؟", "response": "سلمى"},
    )
    rows = ingest_text(tmp_path, "sw", RULES).accepted
    assert set(rows.select("prompt", "response").rows()) == {
        ("नमस्ते", "जी"),
        ("Tafsiri\npaka", "cat"),
        ("ฝนตกไหม", "ตก"),
        ("ما اسمك؟", "سلمى"),
    }


def chat(*texts, **more):
    roles = ["user", "assistant"] * (len(texts) // 2)
    turns = zip(roles, texts, strict=True)
    return {"messages": [{"role": r, "content": t} for r, t in turns], **more}


def test_of_a_conversation_the_last_exchange_is_the_row_and_the_others_stay_with_it(tmp_path):
    put(tmp_path, "a.jsonl", chat("bei\x07", "b"), chat("a ", "piga 0754 123 456", "c", "d"))
    result = ingest_text(tmp_path, "sw", RULES)
    kept = result.accepted.row(0, named=True)
    assert (kept["prompt"], kept["response"]) == ("c", "d")
    assert earlier_exchanges(kept["earlier_turns"]) == [("a", "piga <PHONE>")]
    assert (kept["pii"], result.pii) == (1, {"phone": 1})
    put(tmp_path, "a.jsonl", chat("a", "b\x07", "c", "d"))
    assert reasons(tmp_path) == {"control_characters": 1}


def test_personal_data_is_counted_in_the_rows_that_are_kept(tmp_path):
    call = "piga 0754 123 456 au a@b.co"
    dropped = [row(call, "sawa", id=2), row(call, "\x07"), row(call, "b", license=["x"])]
    put(tmp_path, "a.jsonl", row(call, "sawa", id=1), *dropped)
    result = ingest_text(tmp_path, "sw", RULES)
    assert result.accepted["pii"].to_list() == [2]
    assert result.pii == {"phone": 1, "email": 1}


def test_what_was_said_before_tells_rows_apart(tmp_path):
    put(tmp_path, "a.jsonl", chat("a", "b", "c", "d"), chat("x", "y", "c", "d"), chat("c", "d"))
    rows = ingest_text(tmp_path, "sw", RULES).accepted
    assert rows.height == rows["row_hash"].n_unique() == rows["row_id"].n_unique() == 3
    assert rows["content_hash"].n_unique() == 1
    put(tmp_path, "b.jsonl", chat("A ", "b", "c", "d"))
    assert reasons(tmp_path) == {"exact_duplicate": 1}


def with_system(text, *texts):
    told = chat(*texts)
    return {"messages": [{"role": "system", "content": text}, *told["messages"]]}


def test_a_system_turn_is_cleaned_and_stays_with_the_row(tmp_path):
    put(tmp_path, "a.jsonl", with_system(" Piga 0754 123 456.", "c", "d"))
    kept = ingest_text(tmp_path, "sw", RULES).accepted.row(0, named=True)
    assert system_turn(kept["earlier_turns"]) == "Piga <PHONE>."
    assert (kept["prompt"], kept["response"], kept["pii"]) == ("c", "d", 1)
    assert kept["content_hash"] == text_hash("c")  # of what is embedded
    said = earlier_turns([], "Piga <PHONE>.")
    assert kept["row_id"] == text_hash("sw", "c", "d", said)
    put(tmp_path, "a.jsonl", with_system("a\x07", "c", "d"))
    assert reasons(tmp_path) == {"control_characters": 1}


def test_another_system_turn_before_the_same_words_is_no_other_row(tmp_path):
    put(tmp_path, "a.jsonl", with_system("x", "c", "d"), with_system("y", "c", "d"), chat("c", "d"))
    assert reasons(tmp_path) == {"exact_duplicate": 2}


def test_a_long_system_turn_that_rows_share_makes_them_no_duplicates(tmp_path):
    long = " ".join(f"Sheria ya {i * 7919}: jibu kwa maneno {i}." for i in range(60))
    rows = [with_system(long, f"Bei ya kitabu {i}?", f"Shilingi {i}00") for i in (2, 3)]
    put(tmp_path, "a.jsonl", *rows)
    near = Rules(cleaning=Cleaning(duplicates="near"))
    assert ingest_text(tmp_path, "sw", near).accepted.height == 2


def test_a_system_turn_may_repeat_itself_and_speak_of_terms(tmp_path):
    told = "Never quote our Terms of Use. Answer in Swahili.\n" * 40
    put(tmp_path, "a.jsonl", with_system(told, "c", "d"))
    strict = Rules(cleaning=Cleaning(boilerplate=True))
    (kept,) = ingest_text(tmp_path, "sw", strict).accepted.to_dicts()
    assert system_turn(kept["earlier_turns"]) == told.strip()


def test_conversations_with_tools_are_counted_and_kept_to_be_corrected(tmp_path):
    told = chat("Mvua?", "Kesho.")
    told["messages"].insert(1, {"role": "tool", "content": "rain: tomorrow"})
    put(tmp_path, "a.jsonl", told)
    result = ingest_text(tmp_path, "sw", RULES)
    assert result.reasons == {"tool_calls": 1}
    assert "take out the turns that call tools" in result.quarantined["detail"][0]
    assert "rain: tomorrow" in result.quarantined["raw"][0]


def test_a_row_of_one_turn_has_the_hashes_it_had_before_there_were_conversations(tmp_path):
    put(tmp_path, "a.jsonl", chat("c", "d", source="s", license="l", id="7"))
    kept = ingest_text(tmp_path, "sw", RULES).accepted.row(0, named=True)
    assert kept["row_hash"] == text_hash("sw", "c", "d", "s", "l", "7")
    assert kept["row_id"] == text_hash("sw", "s", "7")
    assert kept["earlier_turns"] is None


def test_every_kind_of_bad_line_has_its_reason(tmp_path):
    put(
        tmp_path,
        "bad.jsonl",
        row(),
        b'{"prompt": "nusu',
        b"[1, 2]",
        '{"prompt": "caf\u00e9", "response": "x"}'.encode("latin-1"),
        {"prompt": "swali bila jibu"},
        {"prompt": 5, "response": "x"},
        {"other": "x"},
        row("  \n ", "x"),
        row("a\x00b", "x"),
        row("neno " * 100, "x"),
        row("habari", "x", id="7", source="s"),
        row("habari nyingine", "x", id="7", source="s"),
        row(),
        row("kwa Kihindi", "x", language="hi"),
        row("lugha gani", "x", language="hakuna"),
        row("habari ya leo", "x", source=["list"]),
    )
    assert reasons(tmp_path) == {
        "bad_encoding": 1,
        "bad_json": 2,
        "control_characters": 1,
        "duplicate_id": 1,
        "duplicate_row": 1,
        "language_mismatch": 1,
        "missing_field": 5,
        "too_long": 1,
        "unknown_language": 1,
    }


def test_quarantine_names_the_place_and_keeps_the_line(tmp_path):
    put(tmp_path, "sub/bad.jsonl", row(), b'{"prompt": "nusu')
    bad = ingest_text(tmp_path, "sw", RULES).quarantined.row(0, named=True)
    assert (bad["file"], bad["line"], bad["raw"]) == ("sub/bad.jsonl", 2, '{"prompt": "nusu')
    assert "Unterminated string" in bad["detail"]


def test_joiners_and_direction_marks_stay_and_text_is_composed(tmp_path):
    put(tmp_path, "a.jsonl", row("क\u094dष\u200d", "می\u200cخواهم"), row("e\u0301", "x\r\ny"))
    rows = ingest_text(tmp_path, "hi", RULES).accepted
    found = dict(rows.select("prompt", "response").rows())
    assert found == {"क\u094dष\u200d": "می\u200cخواهم", "é": "x\ny"}


def test_other_formats(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([row("moja"), "x", row("mbili")]))
    with (tmp_path / "b.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerows([["prompt", "response"], ["tatu, na", "ndiyo"], ["nne"]])
    pl.DataFrame([row("tano"), row("sita")]).write_parquet(tmp_path / "c.parquet")
    with gzip.open(tmp_path / "d.jsonl.gz", "wb") as handle:
        handle.write(json.dumps(row("saba")).encode() + b"\n")
    (tmp_path / "e.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(row("nane")).encode())
    (tmp_path / "f.jsonl").write_bytes(b"")
    result = ingest_text(tmp_path, "sw", RULES)
    assert set(result.accepted["prompt"]) == {
        "moja",
        "mbili",
        "tatu, na",
        "tano",
        "sita",
        "saba",
        "nane",
    }
    assert result.reasons == {"bad_csv": 1, "bad_json": 1}


def test_endings_in_capitals_and_ndjson_are_read_too(tmp_path):
    put(tmp_path, "a.JSONL", row("moja"))
    put(tmp_path, "b.ndjson", row("mbili"))
    (tmp_path / "c.NDJSON.GZ").write_bytes(gzip.compress(json.dumps(row("tatu")).encode()))
    result = ingest_text(tmp_path, "sw", RULES)
    assert sorted(result.accepted["prompt"]) == ["mbili", "moja", "tatu"]


def test_one_object_and_an_object_a_line_may_be_called_json(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(row("moja"), indent=2))
    (tmp_path / "b.json").write_text(json.dumps(row("mbili")))
    put(tmp_path, "c.json", row("tatu"), b'{"cut', row("nne"))
    (tmp_path / "d.json").write_text(
        "\n" + json.dumps(row("tano")) + "\n" + json.dumps(row("sita"))
    )
    result = ingest_text(tmp_path, "sw", RULES)
    assert sorted(result.accepted["prompt"]) == ["mbili", "moja", "nne", "sita", "tano", "tatu"]
    assert (result.rows_read, result.reasons) == (7, {"bad_json": 1})
    (bad,) = result.quarantined.to_dicts()
    assert (bad["file"], bad["line"]) == ("c.json", 2)


def test_ids_without_a_source_lose_no_row_and_files_do_not_count(tmp_path):
    files = {name: [row(f"swali {name} {i}", id=i) for i in range(3)] for name in ("one", "two")}
    for name, rows in files.items():
        put(tmp_path / "two files", f"{name}.jsonl", *rows)
    put(tmp_path / "one file", "all.jsonl", *files["two"], *files["one"])
    parted, joined = (ingest_text(tmp_path / n, "sw", RULES) for n in ("two files", "one file"))
    assert (parted.accepted.height, parted.reasons, joined.reasons) == (6, {}, {})
    assert parted.accepted["row_id"].n_unique() == 6
    assert set(parted.accepted["row_id"]) == set(joined.accepted["row_id"])
    assert parted.data_version == joined.data_version


def test_an_id_with_a_source_is_one_row(tmp_path):
    put(tmp_path, "a.jsonl", row("moja", id=1, source="s"))
    put(tmp_path, "b.jsonl", row("mbili", id=1, source="s"))
    assert reasons(tmp_path) == {"duplicate_id": 1}


def test_broken_files_keep_what_could_be_read(tmp_path):
    whole = gzip.compress(b"".join(json.dumps(row(f"n{i}")).encode() + b"\n" for i in range(999)))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "utf16.jsonl").write_bytes(json.dumps(row()).encode("utf-16"))
    result = ingest_text(tmp_path, "sw", RULES)
    assert result.accepted.height > 100
    assert result.reasons == {"truncated_file": 2, "bad_encoding": 1}


def test_an_absurdly_long_line_does_not_stop_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_LINE_BYTES", 1_000)
    put(tmp_path, "a.jsonl", row("x" * 5_000), row("fupi"))
    result = ingest_text(tmp_path, "sw", RULES)
    assert result.accepted["prompt"].to_list() == ["fupi"]
    assert result.reasons == {"too_long": 1}


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = put(tmp_path, "a.jsonl", row(), row("pili"))
    real = readers.parse_json_line

    def slow(number, data):
        with path.open("ab") as handle:
            handle.write(b'{"prompt": "tatu", "response": "x"}\n')
        monkeypatch.setattr(readers, "parse_json_line", real)
        return real(number, data)

    monkeypatch.setattr(readers, "parse_json_line", slow)
    with pytest.raises(InputError, match="changed while it was read"):
        ingest_text(tmp_path, "sw", RULES)


def test_the_data_version_is_of_content_and_not_of_layout(tmp_path):
    rows = [row(f"swali {i}") for i in range(6)]
    put(tmp_path / "one", "all.jsonl", *rows)
    put(tmp_path / "two", "a.jsonl", *rows[4:])
    put(tmp_path / "two", "b.jsonl", *reversed(rows[:4]))
    one, two = (ingest_text(tmp_path / n, "sw", RULES).data_version for n in ("one", "two"))
    assert one == two
    put(tmp_path / "two", "c.jsonl", row("mpya"))
    assert ingest_text(tmp_path / "two", "sw", RULES).data_version != one


def test_it_says_how_many_bytes_are_read_and_how_long_the_rest_takes(tmp_path, monkeypatch):
    rows = [row(f"swali la {i}") for i in range(40)]
    monkeypatch.setattr(ingest, "Progress", partial(Progress, every_s=0.0))
    monkeypatch.setattr(ingest, "megabytes", str)  # the counts themselves
    put(tmp_path, "a.jsonl", *rows[:10])
    (tmp_path / "b.json").write_text(json.dumps(rows[10:20]))
    text = "".join(f"{r['prompt']},{r['response']}\n" for r in rows[20:30])
    (tmp_path / "c.csv").write_text(f"prompt,response\n{text}")
    pl.DataFrame(rows[30:40]).write_parquet(tmp_path / "d.parquet")
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    said: list[str] = []
    ingest_text(tmp_path, "sw", RULES, said.append)
    assert said[-1] == f"sw: {total} of {total} MB read, 40 rows"
    assert all(line.endswith(" s left") for line in said[:-1])
    done = [int(line.split()[1]) for line in said]
    assert done == sorted(done)
    assert len(said) == 41  # one a line, and the end
    assert done[9] == (tmp_path / "a.jsonl").stat().st_size
    assert len(set(done[:20])) == len(set(done[30:40])) + 10 == 20, "it moves within a file"


def test_a_missing_folder_says_nothing(tmp_path):
    said: list[str] = []
    ingest_text(tmp_path / "none", "sw", RULES, said.append)
    assert said == []


def test_a_missing_folder_has_no_rows(tmp_path):
    result = ingest_text(tmp_path / "none", "sw", RULES)
    assert (result.rows_read, result.accepted.height, result.files) == (0, 0, [])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)), max_size=8)
)
def test_whatever_comes_read_is_accepted_plus_quarantined(tmp_path, lines):
    good = json.dumps(row()).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*lines, good]) + b"\n")
    result = ingest_text(tmp_path, "sw", RULES)
    assert result.rows_read == result.accepted.height + result.quarantined.height
    assert all(result.quarantined["reason"])
