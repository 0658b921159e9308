import json

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
