"""From a folder of Parquet files to a COMPASS project: real instructions, prompts and questions.

The folder holds `instruction_pool`, `prompt_stream` and `multiple_choice`. Half of a target's own
instructions become its training corpus and the other half stays in the pool, so that there is
something to gain in the language itself. Prompt days are those of the data: for most they are the
day the prompt was published, which stands in for the day it was asked.
"""

import json
import os
from pathlib import Path

import polars as pl

from compass_assets.cli.init_cmd import DAGSTER_YAML, WORKSPACE_YAML
from compass_core.config.template import render_template
from compass_core.errors import InputError
from compass_core.hashing import unit_key
from compass_core.languages import standard_tag

NEEDED = ("instruction_pool", "prompt_stream", "multiple_choice")
TARGETS = ("tr", "vi", "pt", "bg")
SUITES = ("exams", "xcopa")
SEED = 17


def prepare_project(shared: Path, project: Path, models: Path) -> None:
    """Write project files and inputs; what is there already is written again, the same.

    Raises InputError naming the file that is missing.
    """
    frames = {}
    for name in NEEDED:
        path = shared / f"{name}.parquet"
        if not path.is_file():
            raise InputError(
                f"{path} is missing; SHARED has to hold {', '.join(NEEDED)} as .parquet"
            )
        frames[name] = pl.read_parquet(path)
    data = project / "data"
    _corpora(frames["instruction_pool"].filter("in_balanced"), data / "corpora")
    _logs(frames["prompt_stream"], data / "logs")
    _benchmarks(frames["multiple_choice"], data / "benchmarks")
    settings = {
        "name": "real",
        "languages": {"targets": list(TARGETS)},
        "embedder": {"model": os.path.relpath(models / "embedder", project)},
        "base_model": {"model": os.path.relpath(models / "base", project)},
        "usage": {"window_days": 366},
        "sampling": {"budget": 30_000},
        "adapter": {"learning_rate": 0.004, "epochs": 1.0, "max_tokens": 256},
        "benchmarks": {
            "suites": [{"name": name, "style": "cloze", "max_items": None} for name in SUITES]
        },
        "execution": {"threads": 1, "parallel": 2},
    }
    (project / "compass.yaml").write_text(render_template(settings))
    (project / "dagster.yaml").write_text(DAGSTER_YAML.format(base="data/dagster"))
    (project / "workspace.yaml").write_text(WORKSPACE_YAML)


def _corpora(pool: pl.DataFrame, folder: Path) -> None:
    keys = [unit_key(identity, SEED, "split") for identity in pool["id"]]
    rows = pool.with_columns(pl.Series("key", keys)).select(
        "id", "instruction", "input", "output", "source", "license", "lang", "key"
    )
    for (tag,), part in rows.group_by("lang", maintain_order=True):
        try:
            name = standard_tag(str(tag))
        except ValueError:
            continue  # `und`: nobody knows which language it is
        kept = part
        if name in TARGETS:
            own = part.filter(pl.col("key") < 0.5).drop("key", "lang")
            _parquet(own, folder / "training" / name / "instructions.parquet")
            kept = part.filter(pl.col("key") >= 0.5)
        _parquet(kept.drop("key", "lang"), folder / "auxiliary" / name / "instructions.parquet")


def _logs(stream: pl.DataFrame, folder: Path) -> None:
    dated = stream.filter(pl.col("lang").is_in(TARGETS) & (pl.col("ts").str.len_chars() >= 10))
    for (tag,), part in dated.group_by("lang", maintain_order=True):
        lines = [
            json.dumps(
                {"id": identity, "timestamp": stamp, "text": prompt, "user": user},
                ensure_ascii=False,
            )
            for identity, stamp, prompt, user in part.select(
                "id", "ts", "prompt", "user"
            ).iter_rows()
        ]
        path = folder / str(tag) / "prompts.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _benchmarks(items: pl.DataFrame, folder: Path) -> None:
    splits = {"train": "dev", "dev": "dev", "val": "dev", "validation": "dev", "test": "test"}
    rows = items.filter(
        pl.col("lang").is_in(TARGETS) & pl.col("source").is_in(SUITES)
    ).with_columns(pl.col("split").replace_strict(splits))
    for (suite, tag, split), part in rows.group_by("source", "lang", "split", maintain_order=True):
        path = folder / str(suite) / str(tag) / f"{split}.parquet"
        _parquet(part.select("id", "question", "choices", "answer", "subject"), path)


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
