"""The training set for other trainers: JSONL and Parquet, a data card, LLaMA-Factory's entry."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.languages import display_name
from compass_core.workspace import Workspace

INFO = "dataset_info.json"


def export_llamafactory(ws: Workspace, language: str, to: Path) -> Path:
    """Write compass_<language>.jsonl, .parquet and .md into `to`; returns `dataset_info.json`.

    The JSONL has chat messages, after `base_model.system_prompt` where one is set; the Parquet has
    every column, with the reason why a row was chosen. The entry is added to a `dataset_info.json`
    that is there already.
    """
    ws.manifests.require("sampled_training_set", language)
    name = f"compass_{language.replace('-', '_').lower()}"
    to.mkdir(parents=True, exist_ok=True)
    lines = ws.store.read_bytes(layout.training_set(language, "jsonl"))
    _replace(to / f"{name}.jsonl", _with_system(lines, ws.project.base_model.system_prompt))
    _replace(to / f"{name}.parquet", ws.store.read_bytes(layout.training_set(language, "parquet")))
    rows = records.widened(
        ws.store.read_parquet(layout.training_set(language, "parquet")), records.SELECTIONS
    )
    _replace(to / f"{name}.md", data_card(ws, language, rows).encode())
    path = to / INFO
    entries: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    entries[name] = {
        "file_name": f"{name}.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    _replace(path, json.dumps(entries, ensure_ascii=False, indent=2, sort_keys=True).encode())
    return path


def data_card(ws: Workspace, language: str, rows: pl.DataFrame) -> str:
    """The card as Markdown, with the metadata that data hubs read."""
    tags = sorted({str(tag).split("-")[0] for tag in rows["row_language"]})
    manifest = ws.manifests.require("sampled_training_set", language)
    lines = [
        "---",
        f"language: [{', '.join(tags)}]",
        "task_categories: [text-generation]",
        "tags: [compass, instruction]",
        "---",
        "",
        f"# Training set for {display_name(language)}",
        "",
        f"{rows.height} prompts with answers, {int(rows['supervised_tokens'].sum())} supervised "
        f"tokens: the training corpus of {language} and auxiliary rows chosen by "
        f"`{ws.project.sampling.strategy}` to bring the whole closest to what users ask. "
        f"Data version `{manifest.data_version}`.",
    ]
    for title, column in (
        ("origin", "origin"),
        ("language", "row_language"),
        ("licence", "license"),
        ("source", "source"),
        ("revision of the source", "revision"),
    ):
        counted = (
            rows.group_by(pl.col(column).fill_null("unknown"))
            .agg(pl.len().alias("rows"), pl.col("supervised_tokens").sum().alias("tokens"))
            .sort("rows", column, descending=[True, False])
        )
        lines += ["", f"| {title} | rows | supervised tokens |", "|---|---:|---:|"]
        lines += [f"| {name} | {count} | {tokens} |" for name, count, tokens in counted.iter_rows()]
    return "\n".join([*lines, ""])


def _with_system(lines: bytes, prompt: str | None) -> bytes:
    """JSONL of chats with the system turn before each, as this project's training puts it there.

    The stored set is without it: the prompt is a setting of the training and none of the data. A
    conversation with a system turn of its own keeps that one.
    """
    if prompt is None:
        return lines
    turn = {"role": "system", "content": prompt}
    chats = [json.loads(line) for line in lines.decode().splitlines()]
    told = [
        chat
        if chat["messages"][0]["role"] == "system"
        else {**chat, "messages": [turn, *chat["messages"]]}
        for chat in chats
    ]
    return "".join(json.dumps(chat, ensure_ascii=False) + "\n" for chat in told).encode()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
