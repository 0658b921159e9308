import json

import polars as pl

from compass_core.config.schema import Ingest, Suite
from compass_core.corpora.benchmark_items import ingest_benchmarks

SUITES = [Suite(name="qa")]


def item(question, choices, answer, **more):
    return {"question": question, "choices": choices, "answer": answer, **more}


def put(tmp_path, split, *items, language="th"):
    folder = tmp_path / "qa" / language
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items)
    (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")


def test_letters_and_numbers_are_answers(tmp_path):
    put(tmp_path, "test", item("กี่โมง", ["หนึ่ง", "สอง"], "B"), item("ที่ไหน", ["บ้าน", "ตลาด"], 0))
    rows = ingest_benchmarks(tmp_path, "th", SUITES, Ingest()).accepted
    assert dict(rows.select("question", "answer").rows()) == {"กี่โมง": 1, "ที่ไหน": 0}


def test_what_cannot_be_scored_is_quarantined(tmp_path):
    put(
        tmp_path,
        "test",
        item("a", ["x"], 0),
        item("b", ["x", "x"], 0),
        item("c", ["x", "y"], 2),
        item("d", ["x", "y"], "?"),
        {"question": "e"},
    )
    result = ingest_benchmarks(tmp_path, "th", SUITES, Ingest())
    assert result.reasons == {"bad_choices": 2, "bad_answer": 2, "missing_field": 1}
    assert result.accepted.height == 0


def test_a_dev_item_that_another_suite_tests_with_more_choices_is_kept_out(tmp_path):
    """As MMLU-ProX adds choices to items of MMLU: what is asked is the same."""
    suites = [Suite(name="one"), Suite(name="two")]
    for suite, split, choices in (
        ("one", "dev", ["กรุงเทพ", "ปารีส"]),
        ("two", "test", ["ปารีส", "กรุงเทพ", "โซล"]),
    ):
        folder = tmp_path / suite / "th"
        folder.mkdir(parents=True)
        items = [item("เมืองหลวงคือ?", choices, 0)]
        if suite == "one":
            items.append(item("เมืองหลวงคือ?", ["ลอนดอน", "โรม"], 0))  # another question
        lines = "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    result = ingest_benchmarks(tmp_path, "th", suites, Ingest())
    assert result.reasons == {"in_both_splits": 1}
    kept = result.accepted.filter(pl.col("split") == "dev")
    assert kept["choices"].to_list() == [["ลอนดอน", "โรม"]]


def test_signs_alone_tell_items_apart(tmp_path):
    put(tmp_path, "test", item("?", ["+", "-"], 0))
    put(tmp_path, "dev", item("!", ["+", "-"], 0), item("?", ["*", "/"], 0))
    result = ingest_benchmarks(tmp_path, "th", SUITES, Ingest())
    assert result.reasons == {}


def test_dev_and_test_share_no_item_however_it_is_spelt(tmp_path):
    put(tmp_path, "test", item("เมืองหลวงคือ?", ["กรุงเทพ", "ปารีส"], 0))
    put(tmp_path, "dev", item("เมือง หลวง คือ", ["ปารีส", "กรุงเทพ "], 1), item("อื่น", ["ก", "ข"], 0))
    result = ingest_benchmarks(tmp_path, "th", SUITES, Ingest())
    assert result.reasons == {"in_both_splits": 1}
    assert result.accepted.select("split", "question").sort("split").rows() == [
        ("dev", "อื่น"),
        ("test", "เมืองหลวงคือ?"),
    ]
    assert result.rows_read == result.accepted.height + result.quarantined.height


def test_a_suite_without_the_language_is_noted(tmp_path):
    result = ingest_benchmarks(tmp_path, "sw", SUITES, Ingest())
    assert result.notes == ["suite qa has no items in sw"]


def test_validation_is_dev_also_in_files_as_the_hub_names_them(tmp_path):
    put(tmp_path, "validation", item("a", ["x", "y"], 0))
    put(tmp_path, "test-00000-of-00001", item("b", ["x", "y"], 0))
    put(tmp_path, "train", item("c", ["x", "y"], 0))
    result = ingest_benchmarks(tmp_path, "th", SUITES, Ingest())
    assert result.accepted.select("split", "question").sort("split").rows() == [
        ("dev", "a"),
        ("test", "b"),
    ]
    assert result.reasons == {"unknown_split": 1}


def answers(tmp_path, suite, *items, split="test"):
    put(tmp_path, split, *items)
    result = ingest_benchmarks(tmp_path, "th", [suite], Ingest())
    return dict(result.accepted.select("question", "answer").rows()), result


FOUR = ["ก", "ข", "ค", "ง"]


def test_integers_that_cannot_count_from_0_are_quarantined_until_the_suite_says_so(tmp_path):
    items = [item(f"q{n}", FOUR, n) for n in (1, 2, 4)] + [item("letter", FOUR, "B")]
    found, result = answers(tmp_path, SUITES[0], *items)
    assert found == {"letter": 1}
    assert result.reasons == {"answers_from": 2, "bad_answer": 1}
    assert result.rows_read == result.accepted.height + result.quarantined.height
    rows = {row["raw"]: row for row in result.quarantined.to_dicts()}
    assert rows["q2"]["file"] == "qa/th/test.jsonl"
    assert rows["q2"]["line"] == 2
    assert all("answers_from: 1" in row["detail"] for row in rows.values())
    found, result = answers(tmp_path, Suite(name="qa", answers_from=1), *items)
    assert found == {"q1": 0, "q2": 1, "q4": 3, "letter": 1}
    assert not result.reasons


def test_one_answer_of_0_shows_that_integers_count_from_0(tmp_path):
    items = [item(f"q{n}", FOUR, n) for n in (0, 1, 4)]
    found, result = answers(tmp_path, SUITES[0], *items)
    assert found == {"q0": 0, "q1": 1}
    assert result.reasons == {"bad_answer": 1}
    found, result = answers(tmp_path, SUITES[0], item("q1", FOUR, 1), item("q3", FOUR, "3"))
    assert found == {"q1": 1, "q3": 3}  # nothing says that they do not


def test_columns_of_a_suite_have_the_names_that_it_says(tmp_path):
    columns = {
        "question": "Question",
        "choices": ["A", "B", "C"],
        "answer": "meta.key",
        "subject": "Field",
    }
    row = {"Question": "q", "A": "x", "B": "y", "C": "z", "meta": {"key": "C"}, "Field": "law"}
    lacking = {k: v for k, v in row.items() if k != "B"}
    found, result = answers(tmp_path, Suite(name="qa", columns=columns), row, lacking)
    assert found == {"q": 2}
    assert result.accepted["subject"].to_list() == ["law"]
    assert result.quarantined["detail"].to_list() == [
        "choices: no column 'B'; the row has A, C, Field, Question, meta"
    ]
