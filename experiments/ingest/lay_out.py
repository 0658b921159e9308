"""A folder of Parquet files laid out as the inputs of a project, the way a user would.

Instructions, topic sentences, intents and open questions become auxiliary corpora (each with its
columns mapped in compass.yaml), prompts become logs, multiple-choice items benchmark suites.
Nothing is cleaned or dropped on the way; what has no known language is counted and left out.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from ruamel.yaml import YAML

from compass_core.languages import standard_tag

# Sets that say the same in every language are labels and not answers, but they are rows to ingest.
CORPORA: list[dict[str, Any]] = [
    {"name": "instructions", "files": "instruction_pool.parquet"},
    {
        "name": "sib200",
        "files": "sib200_topics.parquet",
        "columns": {"prompt": "text", "response": "topic"},
        "license": "CC-BY-SA-4.0",
    },
    {
        "name": "xsid",
        "files": "xsid_intents.parquet",
        "columns": {"prompt": "text", "response": "intent"},
        "license": "CC-BY-SA-4.0",
    },
    {
        "name": "open_qa",
        "files": "open_qa.parquet",
        "columns": {"prompt": "question", "input": "context", "response": "answer"},
    },
]
SPLITS = {
    "train": "dev",
    "dev": "dev",
    "val": "dev",
    "validation": "dev",
    "test": "test",
}


def lay_out(shared: Path, project: Path, only: Sequence[str] = ()) -> dict[str, Counter[str]]:
    """Write the inputs and compass.yaml; rows by file, and those with no known language.

    `only`: lay out just these values of the column `lang`; none: all.
    """
    counts: dict[str, Counter[str]] = {}
    data = project / "data"
    for entry in CORPORA:
        name = str(entry["files"]).removesuffix(".parquet")
        frame = _read(shared / f"{name}.parquet", only)
        if "answers" in frame.columns:
            frame = frame.with_columns(pl.col("answers").list.first().alias("answer"))
        folder = data / "corpora" / "auxiliary"
        counts[name] = _by_language(
            frame, lambda tag, part, n=name, f=folder: _parquet(part, f / tag / f"{n}.parquet")
        )
    stream = _read(shared / "prompt_stream.parquet", only)
    counts["prompt_stream"] = _by_language(
        stream, lambda tag, part: _log(part, data / "logs" / tag / "prompts.jsonl")
    )
    items = _read(shared / "multiple_choice.parquet", only)
    suites = sorted(items["source"].unique())
    counts["multiple_choice"] = _by_language(
        items, lambda tag, part: _items(part, data / "benchmarks", tag)
    )
    log_languages = sorted(path.name for path in (data / "logs").glob("*"))
    item_languages = {p.name for s in suites for p in (data / "benchmarks" / s).glob("*")}
    settings: dict[str, Any] = {
        "name": "all data",
        "languages": {"targets": sorted({*log_languages, *item_languages})},
        "corpora": CORPORA,
        "benchmarks": {"suites": [{"name": name} for name in suites]},
    }
    with (project / "compass.yaml").open("w", encoding="utf-8") as handle:
        YAML().dump(settings, handle)
    return counts


def _read(path: Path, only: Sequence[str]) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    return frame.filter(pl.col("lang").is_in(list(only))) if only else frame


def _by_language(frame: pl.DataFrame, write: Any) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (tag,), part in frame.group_by("lang", maintain_order=True):
        try:
            name = standard_tag(str(tag))
        except ValueError:
            counts["no known language"] += part.height
            continue
        write(name, part)
        counts["laid out"] += part.height
    return counts


def _log(part: pl.DataFrame, path: Path) -> None:
    """Prompts as log lines. Those without a time go in as they are, to be refused by name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as handle:
        for row in part.iter_rows(named=True):
            line = {"id": row["id"], "timestamp": row["ts"], "text": row["prompt"]}
            if row["user"]:
                line["user"] = row["user"]
            handle.write(json.dumps(line, ensure_ascii=False) + "\n")


def _items(part: pl.DataFrame, folder: Path, tag: str) -> None:
    asked = pl.concat_str("context", pl.lit("\n"), "question")  # null where there is no passage
    rows = part.with_columns(
        pl.coalesce(asked, "question").alias("question"),
        pl.col("split").replace_strict(SPLITS, default="test").alias("to"),
    )
    for (suite, split), some in rows.group_by("source", "to", maintain_order=True):
        kept = some.select("id", "question", "choices", "answer", "subject")
        _parquet(kept, folder / str(suite) / tag / f"{split}.parquet")


def _parquet(part: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part.write_parquet(path)
