"""Benchmark items that no row may hold: those of the language, and of the languages it samples.

A pool row in Thai can be the Thai version of an item that a Swahili adapter is scored on. So each
row is compared with the items of the target and with those of its own language.
"""

from dataclasses import dataclass

import polars as pl

from compass_core import layout, records
from compass_core.benchmarks.contamination import BenchmarkIndex, Screened
from compass_core.corpora.benchmark_items import ingest_benchmarks
from compass_core.corpora.files import SourceFile, find_languages
from compass_core.hashing import version_of
from compass_core.stages import frames
from compass_core.workspace import Workspace

COLUMNS = ["language", "suite", "split", "item_id", "question", "choices"]


def other_languages(ws: Workspace, language: str) -> list[str]:
    """Languages other than the target's that suites have items in and it may sample from."""
    root = ws.input_folder("benchmarks")
    found: set[str] = set()
    for suite in ws.project.benchmarks.suites:
        if suite.kind == "local":
            found |= set(find_languages(root / suite.name)[0])
    return [
        tag for tag in ws.base.languages.auxiliary_for(language, sorted(found)) if tag != language
    ]


@dataclass(frozen=True)
class OtherItems:
    """Items of other languages (COLUMNS), the files that they come from, and their version."""

    items: pl.DataFrame
    files: list[SourceFile]
    version: str


def ingest_others(ws: Workspace, language: str) -> OtherItems:
    """Read the items of the languages that a target samples from. Cost: a read of their files."""
    parts, files, versions = [records.empty(records.BENCHMARK).select(COLUMNS)], [], []
    for other in other_languages(ws, language):
        taken = ingest_benchmarks(
            ws.input_folder("benchmarks"),
            other,
            ws.project.benchmarks.suites,
            ws.project.ingest,
        )
        parts.append(taken.accepted.select(COLUMNS))
        files += taken.files
        versions.append(taken.data_version)
    return OtherItems(pl.concat(parts), files, version_of(versions) if files else "")


class Screening:
    """Looks for benchmark items in the rows of a target and of its pool."""

    def __init__(self, ws: Workspace, language: str) -> None:
        self._own = BenchmarkIndex(frames.benchmark_rows(ws, language))
        key = layout.other_benchmarks(language)
        empty = records.empty(records.BENCHMARK).select(COLUMNS)
        self._others = ws.store.read_parquet(key) if ws.store.exists(key) else empty

    def screen(self, rows: pl.DataFrame) -> Screened:
        """As `BenchmarkIndex.screen`, of rows in any languages (row_id, language, prompt, ...).

        Cost: twice that for rows in a language that has items of its own, whose index is built
        here and not kept: no more than two are held.
        """
        found = self._own.screen(rows)
        hits = [found.hits]
        for (tag,), mine in rows.group_by("language", maintain_order=True):
            items = self._others.filter(pl.col("language") == tag)
            if items.height:
                hits.append(BenchmarkIndex(items).screen(mine).hits)
        return Screened(
            found.rows,
            pl.concat(hits).unique("row_id", keep="first", maintain_order=True),
        )
