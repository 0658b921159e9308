"""Items in the languages that a target samples from are looked for as well."""

import json

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.benchmarks.contamination import BenchmarkIndex
from compass_core.config.schema import Project
from compass_core.corpora.benchmark_items import ingest_benchmarks, without_tested
from compass_core.stages import sources
from compass_core.stages.screening import (
    Screening,
    ingest_others,
    not_looked_for,
    other_languages,
)
from compass_core.storage import Store
from compass_core.workspace import Workspace

ASKED = {
    "sw": "Mji mkuu wa Kenya unaitwaje siku hizi, na uko kando ya mto gani?",
    "th": "เมืองหลวงของประเทศเคนยาในปัจจุบันมีชื่อว่าอะไร",
    "ar": "ما اسم عاصمة كينيا في هذه الأيام وعلى أي نهر تقع؟",
}
LINE = '{"question": "%s", "choices": ["Nairobi", "Mombasa"], "answer": 0}\n'


@pytest.fixture
def ws(tmp_path):
    """A project that samples from every language, with items in three."""
    settings = Project.model_validate(
        {"languages": {"targets": ["sw"]}, "benchmarks": {"suites": [{"name": "qa"}]}}
    )
    opened = Workspace(tmp_path, settings, settings, Store(tmp_path / "store"))
    for tag, question in ASKED.items():
        folder = opened.input_folder("benchmarks") / "qa" / tag
        folder.mkdir(parents=True)
        (folder / "test.jsonl").write_text(LINE % question)
    suites, ingest = settings.benchmarks.suites, settings.ingest
    own = ingest_benchmarks(opened.input_folder("benchmarks"), "sw", suites, ingest)
    opened.store.write_parquet(layout.benchmark("sw"), own.accepted)
    opened.store.write_parquet(layout.other_benchmarks("sw"), ingest_others(opened, "sw").items)
    return opened


def rows(**prompts):
    lines = [
        dict.fromkeys(records.TEXT)
        | {"row_id": tag, "language": tag, "prompt": prompt, "response": "Nairobi"}
        for tag, prompt in prompts.items()
    ]
    return pl.DataFrame(lines, schema=records.TEXT)


def test_a_row_is_compared_with_the_items_of_its_own_language(ws):
    assert other_languages(ws, "sw") == ["ar", "th"]
    pool = rows(**ASKED, en="What is the capital of Kenya called today, and on which river?")
    alone = BenchmarkIndex(ws.store.read_parquet(layout.benchmark("sw"))).screen(pool).hits
    assert alone["row_id"].to_list() == ["sw"]
    found = Screening(ws, "sw").screen(pool)
    assert sorted(found.hits["row_id"]) == ["ar", "sw", "th"]
    assert found.rows["row_id"].to_list() == pool["row_id"].to_list()
    assert all("qa test" in detail for detail in found.hits["detail"])


def test_it_says_how_far_it_is_evenly_over_both_looks(ws, monkeypatch):
    monkeypatch.setattr("compass_core.benchmarks.contamination.BATCH_ROWS", 2)
    pool = rows(**ASKED, en="What is the capital of Kenya called today?", hi="Nairobi kahan hai?")
    told = []
    Screening(ws, "sw").screen(pool, told.append)
    # Five rows, and the Arabic and the Thai one once more: seven looks.
    assert told == [2 * 5 // 7, 4 * 5 // 7, 5 * 5 // 7, 6 * 5 // 7, 5]
    said = []
    hits = Screening(ws, "sw").hits(pool, "sw", "training rows", said.append)
    assert sorted(hits["row_id"]) == ["ar", "sw", "th"]
    assert said == ["sw: 5 of 5 training rows looked through for benchmark items"]


def test_items_of_another_language_count_in_the_version_and_are_seen_to_change(ws):
    before = ingest_others(ws, "sw")
    assert [file.path for file in before.files] == ["qa/ar/test.jsonl", "qa/th/test.jsonl"]
    file = ws.input_folder("benchmarks") / "qa" / "th" / "test.jsonl"
    file.write_text(file.read_text() + LINE % "ใครเป็นประธานาธิบดีคนแรกของประเทศเคนยา")
    assert ingest_others(ws, "sw").version != before.version
    changed, _ = sources.changed_sources(ws)
    found = {c.partition: c.files for c in changed if c.asset == "benchmark_items"}
    assert found["sw"] == 3


def test_items_of_harness_tasks_are_looked_for_in_their_local_copy(ws):
    folder = ws.directory / "copies" / "sw"
    folder.mkdir(parents=True)
    asked = "Ni kiungo kipi cha mwili kinachosafisha damu ya binadamu kila siku?"
    letters = {"option_a": "Moyo", "option_b": "Figo", "option_c": "Ini", "option_d": "Pafu"}
    pl.DataFrame([{"question": asked, **letters, "answer": "B"}]).write_parquet(
        folder / "test-00000-of-00001.parquet"
    )
    numbers = {f"option_{i}": text for i, text in enumerate(["Tembo", "Twiga", "Simba"])}
    tall = "Ni mnyama gani mrefu kuliko wote wanaoishi katika nyika za Afrika?"
    pl.DataFrame([{"question": tall, **numbers, "answer": "B"}, {"question": None}]).write_parquet(
        folder / "validation-00000-of-00001.parquet"
    )
    suites = [{"name": "qa"}, {"name": "gm", "kind": "lm_eval", "data": "copies"}]
    settings = Project.model_validate(
        {
            "languages": {"targets": ["sw"]},
            "benchmarks": {"suites": [*suites, {"name": "bare", "kind": "lm_eval"}]},
        }
    )
    opened = Workspace(ws.directory, settings, settings, ws.store)
    assert not_looked_for(opened) == ["bare"]
    others = ingest_others(opened, "sw")
    assert others.problems == ["gm/sw/: 1 rows are no items of choices, not looked for"]
    assert others.version != ingest_others(ws, "sw").version
    # What the copy tests is asked by no dev item that could stand for usage.
    (ws.input_folder("benchmarks") / "qa" / "sw" / "dev.jsonl").write_text(
        json.dumps({"question": asked.upper(), "choices": ["Figo", "Ini"], "answer": 0})
        + "\n"
        + LINE % "Mji gani ni mkubwa?"
    )
    own = ingest_benchmarks(
        ws.input_folder("benchmarks"), "sw", settings.benchmarks.suites, settings.ingest
    )
    kept = without_tested(own, others.tests_in("sw"))
    assert kept.reasons == {"in_both_splits": 1}
    asked_of = kept.accepted.filter(pl.col("split") == "dev")["question"]
    assert asked_of.to_list() == ["Mji gani ni mkubwa?"]
    ws.store.write_parquet(layout.other_benchmarks("sw"), others.items)
    said = rows(sw=f"Swali: {asked}", en=tall, hi="Ni mnyama gani?")
    hits = dict(Screening(opened, "sw").screen(said).hits.iter_rows())
    assert set(hits) == {"sw", "en"}
    assert hits["sw"].startswith("gm test")
    assert hits["en"].startswith("gm dev")
