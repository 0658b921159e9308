"""The stage as a whole, on a store made by hand: no model but the tokenizer, no vector store."""

import json
from functools import partial

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.benchmarks import contamination
from compass_core.config.schema import Project
from compass_core.hashing import text_hash
from compass_core.progress import Progress
from compass_core.stages import sampling as stage
from compass_core.storage import Store
from compass_core.turns import Exchange, earlier_turns
from compass_core.workspace import Workspace
from tests.core.sampling.test_select import gap_table, unit_vectors

QUESTION = "Ni mji gani wa pwani ambao ulikuwa makao makuu ya biashara ya karafuu?"


def text_rows(language, prompts, licence):
    rows = [
        dict.fromkeys(records.TEXT)
        | {
            "row_id": f"{language}{i}",
            "language": language,
            "prompt": prompt,
            "response": f"jibu {i}",
            "content_hash": text_hash(prompt),
            "source": "hadithi",
            "license": licence,
            "revision": f"{language}-2026",
        }
        for i, prompt in enumerate(prompts)
    ]
    return pl.DataFrame(rows, schema=records.TEXT)


@pytest.fixture
def ws(project, tmp_path, monkeypatch):
    settings = Project.model_validate(
        {
            "languages": {"targets": ["sw"]},
            "base_model": {"model": "models/llama"},
            "embedder": {"model": "models/embedder"},
            "sampling": {"budget": 12, "unit": "rows"},
        }
    )
    opened = Workspace(project, settings, settings, Store(tmp_path / "store"))
    store = opened.store
    corpora = {
        ("training", "sw"): text_rows("sw", ["bei ya chai", f"Swali: {QUESTION}"], "CC0-1.0"),
        ("auxiliary", "en"): text_rows("en", [f"question {i}" for i in range(20)], "MIT"),
        ("auxiliary", "hi"): text_rows("hi", ["Bei ya  Chai!", f"karibu {QUESTION} asante"], None),
    }
    placed = []
    for (role, language), rows in corpora.items():
        store.write_parquet(layout.corpus(role, language), rows)
        placed.append(
            rows.select(
                pl.lit("sw").alias("language"),
                pl.lit(role).alias("role"),
                pl.col("language").alias("row_language"),
                "row_id",
                "content_hash",
                (pl.int_range(pl.len()) % 4).alias("cluster_id"),
                pl.lit(0.5).alias("similarity"),
                pl.lit(False).alias("off_target"),
                pl.lit(False).alias("noise"),
            )
        )
    asked = dict.fromkeys(records.BENCHMARK) | {"item_id": "d1", "language": "sw", "suite": "qa"}
    items = [
        asked | {"split": "dev", "question": "habari gani", "choices": [], "content_hash": "d1"},
        asked
        | {"item_id": "t1", "split": "test", "question": QUESTION, "choices": ["Tanga", "Lindi"]},
    ]
    store.write_parquet(layout.benchmark("sw"), pl.DataFrame(items, schema=records.BENCHMARK))
    store.write_json(layout.window("sw"), {"days": {}})
    ready = {"vectors": "v", "text": "t"}
    store.write_json(layout.catalogue("sw"), {"pools": {"en": ready, "hi": ready}})
    parts = [records.conform(part, records.ASSIGNMENTS) for part in placed]
    store.write_parquet(layout.assignments("sw"), pl.concat(parts))
    store.write_parquet(layout.gaps("sw"), gap_table().with_columns(jsd_bits_best=pl.lit(0.1)))
    monkeypatch.setattr(stage, "vectors_of", lambda ws, role, rows: unit_vectors(rows.height))
    return opened


def test_what_is_written_is_explained_and_counted(ws):
    rows, selection, version = stage.sample_language(ws, "sw")
    dropped = ws.store.read_parquet(layout.dropped("sw"))
    by_row = {row["row_id"]: row for row in dropped.iter_rows(named=True)}
    assert by_row["hi0"]["reason"] == "in_training_corpus"
    assert by_row["hi1"]["reason"] == by_row["sw1"]["reason"] == "in_benchmark"
    assert by_row["hi1"]["detail"] == "qa test t1: question, 100 %"
    assert (by_row["sw1"]["origin"], by_row["hi1"]["origin"]) == ("training", "auxiliary")
    assert rows.height + dropped.height == 24
    assert rows["why"].null_count() == 0
    taken = rows.filter(pl.col("origin") == "auxiliary")
    assert taken.height == 12
    assert set(taken["license"]) == {"MIT"}
    assert set(rows.select("origin", "revision").rows()) == {
        ("training", "sw-2026"),
        ("auxiliary", "en-2026"),
    }
    lines = ws.store.read_bytes(layout.training_set("sw", "jsonl")).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == rows["row_id"].to_list()
    card = ws.store.read_bytes(layout.training_card("sw")).decode()
    assert "| MIT | 12 |" in card
    sample = ws.store.read_parquet(layout.samples("sw")).row(0, named=True)
    assert sample["spent"] == sample["rows"] == 12
    assert sample["jsd_bits_after"] == selection.summary["jsd_bits_after"]
    assert stage.sample_language(ws, "sw")[2] == version


def test_it_says_how_much_of_the_pool_was_looked_through(ws, monkeypatch, quiet):
    monkeypatch.setattr(stage, "Progress", partial(Progress, every_s=0.0))
    monkeypatch.setattr(contamination, "BATCH_ROWS", 15)
    stage.sample_language(ws, "sw", quiet)
    what = "pool rows looked through for benchmark items"
    assert quiet.lines[0] == "sw: 2 of 2 training rows looked through for benchmark items"
    assert [line.partition(", ")[0] for line in quiet.lines[1:]] == [
        f"sw: {done} of 22 {what}" for done in (15, 20, 22)
    ]
    assert quiet.lines[1].endswith(" s left")


def test_a_conversation_is_chosen_whole(ws):
    key = layout.corpus("auxiliary", "en")
    pool = ws.store.read_parquet(key)
    exchange = Exchange("hello", "how can I help with the harvest of cloves today")
    said = earlier_turns([exchange], "Be brief.")
    told = pool.with_columns(earlier_turns=pl.lit(said))
    before = stage.select_language(ws, "sw")[0].filter(pl.col("row_language") == "en")
    ws.store.write_parquet(key, told)
    rows, _, version = stage.sample_language(ws, "sw")
    chosen = rows.filter(pl.col("row_language") == "en")
    assert chosen.height
    assert chosen["supervised_tokens"].min() > before["supervised_tokens"].max()
    lines = ws.store.read_bytes(layout.training_set("sw", "jsonl")).decode().splitlines()
    found = {line["id"]: line["messages"] for line in map(json.loads, lines)}
    turns = found[chosen["row_id"][0]]
    assert [turn["role"] for turn in turns] == ["system", *["user", "assistant"] * 2]
    assert [turn["content"] for turn in turns[:2]] == ["Be brief.", "hello"]
    other = pool.with_columns(earlier_turns=pl.lit(said.replace("harvest", "price")))
    ws.store.write_parquet(key, other)
    assert stage.sample_language(ws, "sw")[2] != version
    ws.store.write_parquet(
        key,
        pool.with_columns(earlier_turns=pl.lit(earlier_turns([Exchange(QUESTION, "Zanzibar")]))),
    )
    assert not stage.select_language(ws, "sw")[0].filter(pl.col("row_language") == "en").height
    shown = pool.with_columns(earlier_turns=pl.lit(earlier_turns([], f"{QUESTION}\nZanzibar")))
    ws.store.write_parquet(key, shown)
    assert not stage.select_language(ws, "sw")[0].filter(pl.col("row_language") == "en").height


def test_a_corpus_stored_before_there_were_conversations_is_read(ws):
    key = layout.corpus("auxiliary", "en")
    expected = stage.select_language(ws, "sw")[0]
    ws.store.write_parquet(key, ws.store.read_parquet(key).drop("earlier_turns"))
    assert stage.select_language(ws, "sw")[0].equals(expected)


def test_a_pool_too_large_to_hold_its_vectors_gives_the_same_rows(ws, monkeypatch):
    held = stage.select_language(ws, "sw")[0]["row_id"].to_list()
    pool_rows, read = 22, []

    class Vectors:
        def __init__(self, store):
            pass

        def fetch(self, role, fingerprint, hashes):
            read.append(len(hashes))
            order = [text_hash(f"question {i}") for i in range(20)]
            order += [text_hash(p) for p in ("Bei ya  Chai!", f"karibu {QUESTION} asante")]
            return unit_vectors(pool_rows)[[order.index(name) for name in hashes]]

    monkeypatch.setattr(stage, "HELD_ROWS", 5)
    monkeypatch.setattr(stage, "VectorStore", Vectors)
    assert stage.select_language(ws, "sw")[0]["row_id"].to_list() == held
    assert 0 < sum(read) <= pool_rows


def test_langrank_reads_the_texts_that_it_compares(ws):
    from compass_core.config.load import with_overrides

    asked = with_overrides(ws.project, {"sampling": {"strategy": "langrank"}})
    other = Workspace(ws.directory, ws.base, asked, ws.store)
    rows, selection = stage.select_language(other, "sw")
    assert set(selection.summary["langrank"]) == {"en", "hi"}
    assert rows.filter(pl.col("origin") == "auxiliary").height == 12


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("logs", ["habari", "leo"]),
        ("proxy", ["habari gani"]),
        ("blend", ["habari", "leo", "habari gani"]),
    ],
)
def test_rows_are_ranked_by_what_usage_was_measured_on(ws, monkeypatch, source, asked):
    from compass_core.config.load import with_overrides

    def rows(role, prompts):
        return pl.DataFrame(
            {
                "row_id": [f"{role}{i}" for i in range(len(prompts))],
                "language": ["sw"] * len(prompts),
                "content_hash": prompts,
                "prompt": prompts,
            }
        )

    roles = {
        "usage": rows("usage", ["habari", "leo"]),
        "proxy": rows("proxy", ["habari gani"]),
        "training": rows("training", []).cast(pl.String),
    }
    monkeypatch.setattr(stage.frames, "role_rows", lambda ws, language: roles)
    placed = pl.concat(
        roles[role].select(pl.lit(role).alias("role"), "row_id", pl.lit(0).alias("cluster_id"))
        for role in ("usage", "proxy")
    )
    project = with_overrides(ws.project, {"usage": {"source": source}})
    target = stage._target(Workspace(ws.directory, ws.base, project, ws.store), "sw", placed)
    assert target.texts == asked
    assert len(target.cluster_ids) == len(target.vectors) == len(asked)
