"""Measure each identifier on real sentences and prompts, one process a library.

    python -m experiments.language_id.compare --shared ../shared/data --library lingua --out x.json

Sentences: SIB-200, `--sentences` a language (drawn by row id). Prompts: `prompt_stream`, the same
number a language. A prediction is right where its standard tag has the base language of the row's
(script and territory do not count: no library of these tells zh from zh-Hant reliably).
"""

import json
import resource
import time
from pathlib import Path
from typing import Annotated

import polars as pl
import psutil
import typer

from compass_core.hashing import unit_key
from compass_core.languages import standard_tag
from experiments.language_id.libraries import LIBRARIES

SEED = 17


def main(
    shared: Annotated[Path, typer.Option()],
    library: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
    sentences: Annotated[int, typer.Option(help="Rows a language and source.")] = 200,
) -> None:
    """Write accuracy by source and language, confusions, seconds and memory as JSON."""
    frame = pl.concat(
        [
            _part(shared, "sib200_topics", "text", sentences),
            _part(shared, "prompt_stream", "prompt", sentences),
        ]
    )
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    identify = LIBRARIES[library]()
    identify(["Habari ya asubuhi, mvua itanyesha lini?"])
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    found = identify(frame["text"].to_list())
    wall_s = time.perf_counter() - started
    scored = frame.with_columns(
        pl.Series("found", [base(tag) for tag, _ in found]),
        pl.Series("confidence", [value for _, value in found]),
    ).with_columns((pl.col("found") == pl.col("base")).alias("right"))
    result = {
        "library": library,
        "rows": frame.height,
        "load_s": round(load_s, 2),
        "rows_per_s": round(frame.height / wall_s),
        "rss_mib": round((psutil.Process().memory_info().rss - before) / 2**20),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
        "accuracy": {
            source: dict(
                part.group_by("lang").agg(pl.col("right").mean().round(4)).sort("lang").iter_rows()
            )
            for (source,), part in scored.group_by("source", maintain_order=True)
        },
        "confusions": scored.filter(~pl.col("right"))
        .group_by("source", "lang", "found")
        .len("rows")
        .sort("rows", "lang", "found", descending=[True, False, False])
        .head(150)
        .rows(),
    }
    out.write_text(json.dumps(result, ensure_ascii=False, indent=1))


def _part(shared: Path, name: str, column: str, count: int) -> pl.DataFrame:
    rows = pl.read_parquet(shared / f"{name}.parquet").filter(
        ~pl.col("lang").str.starts_with("und")
    )
    keys = [unit_key(identity, SEED, "language id") for identity in rows["id"]]
    return (
        rows.with_columns(pl.Series("key", keys))
        .sort("lang", "key")
        .group_by("lang", maintain_order=True)
        .head(count)
        .select(
            pl.lit(name).alias("source"),
            "lang",
            pl.col("lang").map_elements(base, return_dtype=pl.String).alias("base"),
            pl.col(column).alias("text"),
        )
    )


def base(tag: str) -> str:
    """Base language of whatever a library or source writes; `und` where it is none."""
    try:
        return standard_tag(tag).split("-")[0]
    except ValueError:
        return "und"


if __name__ == "__main__":
    typer.run(main)
