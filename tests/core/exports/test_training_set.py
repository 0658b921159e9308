import io
import json
from dataclasses import replace

import polars as pl

from compass_core import layout, records
from compass_core.exports.training_set import export_llamafactory
from compass_core.manifests import Manifest
from compass_core.turns import Exchange, messages


def given(ws, language):
    rows = pl.DataFrame(
        [
            {
                "language": language,
                "origin": origin,
                "row_id": str(i),
                "row_language": tag,
                "supervised_tokens": 5,
                "prompt": "Swali",
                "response": "Jibu",
                "license": licence,
                "source": "s",
            }
            for i, (origin, tag, licence) in enumerate(
                [("training", "sw", "CC0-1.0"), ("auxiliary", "pt-BR", None)]
            )
        ]
    )
    full = records.empty(records.SELECTIONS)
    rows = pl.concat([full, rows], how="diagonal")
    ws.store.write_parquet(layout.training_set(language, "parquet"), rows)
    turns = [{"role": "user", "content": "Swali"}, {"role": "assistant", "content": "Jibu"}]
    lines = [json.dumps({"id": str(i), "messages": turns}) for i in range(2)]
    ws.store.write_bytes(layout.training_set(language, "jsonl"), "\n".join(lines).encode())
    ws.manifests.put(
        Manifest(
            asset="sampled_training_set",
            partition=language,
            data_version="d1",
            code_version="c1",
            facts={},
            run_id="r",
        )
    )


def test_the_entry_leads_to_chat_messages(ws, tmp_path):
    given(ws, "sw")
    path = export_llamafactory(ws, "sw", tmp_path)
    entry = json.loads(path.read_text())["compass_sw"]
    rows = [json.loads(x) for x in (tmp_path / entry["file_name"]).read_text().splitlines()]
    turns = rows[0][entry["columns"]["messages"]]
    tags = entry["tags"]
    assert [turn[tags["role_tag"]] for turn in turns] == [tags["user_tag"], tags["assistant_tag"]]
    assert turns[1][tags["content_tag"]] == "Jibu"
    frame = pl.read_parquet(io.BytesIO((tmp_path / "compass_sw.parquet").read_bytes()))
    assert frame["origin"].to_list() == ["training", "auxiliary"]


def test_the_system_prompt_of_the_training_is_the_first_turn(ws, tmp_path):
    given(ws, "sw")
    base = ws.project.base_model.model_copy(update={"system_prompt": "Jibu kwa Kiswahili."})
    project = ws.project.model_copy(update={"base_model": base})
    path = export_llamafactory(replace(ws, project=project), "sw", tmp_path)
    entry = json.loads(path.read_text())["compass_sw"]
    rows = [json.loads(x) for x in (tmp_path / entry["file_name"]).read_text().splitlines()]
    assert [row["id"] for row in rows] == ["0", "1"]
    for row in rows:
        first, *rest = row["messages"]
        system = {"role": entry["tags"]["system_tag"], "content": "Jibu kwa Kiswahili."}
        assert first == system
        assert [turn["role"] for turn in rest] == ["user", "assistant"]


def test_a_conversation_keeps_a_system_turn_of_its_own(ws, tmp_path):
    given(ws, "sw")
    turns = messages([Exchange("Swali", "Jibu")], "Kwa ufupi.")
    key = layout.training_set("sw", "jsonl")
    ws.store.write_bytes(key, json.dumps({"id": "0", "messages": turns}).encode())
    base = ws.project.base_model.model_copy(update={"system_prompt": "Jibu kwa Kiswahili."})
    project = ws.project.model_copy(update={"base_model": base})
    export_llamafactory(replace(ws, project=project), "sw", tmp_path)
    (line,) = (tmp_path / "compass_sw.jsonl").read_text().splitlines()
    assert json.loads(line)["messages"] == turns


def test_a_set_stored_before_revisions_were_kept_is_exported(ws, tmp_path):
    given(ws, "sw")
    key = layout.training_set("sw", "parquet")
    ws.store.write_parquet(key, ws.store.read_parquet(key).drop("revision"))
    export_llamafactory(ws, "sw", tmp_path)
    assert "| revision of the source |" in (tmp_path / "compass_sw.md").read_text("utf-8")


def test_other_entries_stay(ws, tmp_path):
    given(ws, "sw")
    given(ws, "zh-Hant")
    (tmp_path / "dataset_info.json").write_text(json.dumps({"mine": {"file_name": "x.json"}}))
    export_llamafactory(ws, "sw", tmp_path)
    found = json.loads(export_llamafactory(ws, "zh-Hant", tmp_path).read_text())
    assert sorted(found) == ["compass_sw", "compass_zh_hant", "mine"]


def test_the_data_card_counts_licences_and_languages(ws, tmp_path):
    given(ws, "sw")
    export_llamafactory(ws, "sw", tmp_path)
    card = (tmp_path / "compass_sw.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlanguage: [pt, sw]\n")
    assert "| unknown | 1 | 5 |" in card
    assert "| CC0-1.0 | 1 | 5 |" in card
    assert "| pt-BR | 1 | 5 |" in card
    assert "Data version `d1`" in card
