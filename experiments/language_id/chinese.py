"""How often Chinese in the wrong script is flagged, and Chinese in the right one wrongly.

    python -m experiments.language_id.chinese --shared ../shared/data --out chinese.json

Each text is identified twice: declared to be in its own script, and in the other one. SIB-200's
sentences are translations of one another; prompts and instructions are other texts in each. Texts
that occur twice count once.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from compass_core.config.text import LanguageId
from compass_core.corpora.language_id import identify

SOURCES = (
    ("sib200_topics", "text"),
    ("prompt_stream", "prompt"),
    ("instruction_pool", "instruction"),
)
OTHER = {"zh": "zh-Hant", "zh-Hant": "zh-CN"}


def main(shared: Annotated[Path, typer.Option()], out: Annotated[Path, typer.Option()]) -> None:
    """Write counts of flags and of detected tags by source and script."""
    found = {}
    for name, column in SOURCES:
        frame = pl.read_parquet(shared / f"{name}.parquet")
        for tag, other in OTHER.items():
            texts = frame.filter(pl.col("lang") == tag)[column].unique().sort().to_list()
            own, wrong = (identify(texts, declared, LanguageId()) for declared in (tag, other))
            found[f"{name} {tag}"] = {
                "texts": len(texts),
                "declared_as_it_is": dict(Counter(verdict.flag for verdict in own)),
                "declared_the_other": dict(Counter(verdict.flag for verdict in wrong)),
                "detected": dict(Counter(str(verdict.tag) for verdict in own).most_common(4)),
            }
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
