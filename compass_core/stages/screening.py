"""Benchmark items that no row may hold: those of the language, and of the languages it samples.

A pool row in Thai can be the Thai version of an item that a Swahili adapter is scored on. So each
row is compared with the items of the target and with those of its own language. Items of the
harness's tasks are looked for where a suite names a local copy of their data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from compass_core import layout, records
from compass_core.benchmarks.contamination import BenchmarkIndex, Screened
from compass_core.config.schema import Suite
from compass_core.corpora.benchmark_items import SPLITS, ingest_benchmarks
from compass_core.corpora.books import Rejected
from compass_core.corpora.files import SourceFile, find_languages, source_files
from compass_core.corpora.item_shapes import shape_of
from compass_core.corpora.readers import read_lines
from compass_core.corpora.shapes import ShapeError
from compass_core.hashing import text_hash, version_of, version_of_set
from compass_core.progress import Progress, Report
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
        elif suite.kind == "lm_eval" and suite.data:
            found |= set(find_languages(_copy(ws, suite))[0])
    return [
        tag for tag in ws.base.languages.auxiliary_for(language, sorted(found)) if tag != language
    ]


def not_looked_for(ws: Workspace) -> list[str]:
    """Suites of the harness whose items are not here to be looked for."""
    suites = ws.project.benchmarks.suites
    return sorted(s.name for s in suites if s.kind == "lm_eval" and not s.data)


def copied_folders(ws: Workspace, language: str) -> list[tuple[Suite, str, Path, str]]:
    """Suite, language, folder and the prefix of its files, of the local copies of harness data."""
    found = []
    for suite in ws.project.benchmarks.suites:
        if suite.kind != "lm_eval" or not suite.data:
            continue
        root = _copy(ws, suite)
        names = find_languages(root)[0]
        for tag in (language, *other_languages(ws, language)):
            if tag in names:
                found.append((suite, tag, root / names[tag], f"{suite.name}/{names[tag]}/"))
    return found


def _copy(ws: Workspace, suite: Suite) -> Path:
    """Folder of a copy that has one folder a language, as a Hub data set is laid out."""
    root = ws.directory / str(suite.data)
    return root / "data" if (root / "data").is_dir() else root


@dataclass(frozen=True)
class OtherItems:
    """Items (COLUMNS) that are looked for and not scored here, the files that they come from, their
    version, and what could not be read."""

    items: pl.DataFrame
    files: list[SourceFile]
    version: str
    problems: list[str]

    def tests_in(self, language: str) -> pl.DataFrame:
        """Items of test splits in this language: of copies of harness data."""
        return self.items.filter((pl.col("language") == language) & (pl.col("split") == "test"))


def ingest_others(ws: Workspace, language: str) -> OtherItems:
    """Read the items of the languages that a target samples from, and copies of harness data.

    Cost: a read of their files.
    """
    parts, files, problems = [records.empty(records.BENCHMARK).select(COLUMNS)], [], []
    for other in other_languages(ws, language):
        taken = ingest_benchmarks(
            ws.input_folder("benchmarks"),
            other,
            ws.project.benchmarks.suites,
            ws.project.ingest,
        )
        parts.append(taken.accepted.select(COLUMNS))
        files += taken.files
    for suite, tag, folder, prefix in copied_folders(ws, language):
        copied = source_files(folder, prefix=prefix)
        part, strange = _copied_items(suite, tag, folder, prefix, copied)
        parts.append(part)
        files += copied
        if strange:
            problems.append(f"{prefix}: {strange} rows are no items of choices, not looked for")
    items = pl.concat(parts)
    said = items.select(
        pl.format("{}/{}/{}", "item_id", "question", pl.col("choices").list.join("/"))
    )
    version = version_of(version_of_set(said.to_series())) if files else ""
    return OtherItems(items, files, version, problems)


def _copied_items(
    suite: Suite, language: str, folder: Path, prefix: str, files: list[SourceFile]
) -> tuple[pl.DataFrame, int]:
    """Items of the dev, validation and test files, and how many rows are none."""
    rows, strange = [], 0
    for file in files:
        name = file.path.removeprefix(prefix)
        split = next((s for s in SPLITS if name.startswith(s)), None)
        for line in read_lines(folder / name) if split else ():
            try:
                if line.record is None:
                    raise ShapeError("no record")
                shape = shape_of(line.record)
            except (ShapeError, Rejected):
                strange += 1
                continue
            rows.append(
                {
                    "language": language,
                    "suite": suite.name,
                    "split": SPLITS[str(split)],
                    "item_id": text_hash(suite.name, language, name, str(line.number)),
                    "question": shape.question,
                    "choices": list(shape.choices),
                }
            )
    schema = records.empty(records.BENCHMARK).select(COLUMNS).schema
    return pl.DataFrame(rows, schema=schema), strange


class Screening:
    """Looks for benchmark items in the rows of a target and of its pool."""

    def __init__(self, ws: Workspace, language: str) -> None:
        key = layout.other_benchmarks(language)
        empty = records.empty(records.BENCHMARK).select(COLUMNS)
        stored = ws.store.read_parquet(key) if ws.store.exists(key) else empty
        mine = stored.filter(pl.col("language") == language)
        own = frames.benchmark_rows(ws, language).select(COLUMNS)
        self._own = BenchmarkIndex(pl.concat([own, mine]))
        self._others = stored.filter(pl.col("language") != language)

    def screen(self, rows: pl.DataFrame, at: Callable[[int], None] = lambda done: None) -> Screened:
        """As `BenchmarkIndex.screen`, of rows in any languages (row_id, language, prompt, ...).

        Cost: twice that for rows in a language that has items of its own, whose index is built
        here and not kept: no more than two are held. What `at` is told grows evenly with the work,
        up to the number of rows.
        """
        again = [
            (items, mine)
            for (tag,), mine in rows.group_by("language", maintain_order=True)
            if (items := self._others.filter(pl.col("language") == tag)).height
        ]
        work = rows.height + sum(mine.height for _items, mine in again)
        before = 0

        def evenly(done: int) -> None:
            at((before + done) * rows.height // max(1, work))

        found = self._own.screen(rows, evenly)
        hits, before = [found.hits], rows.height
        for items, mine in again:
            hits.append(BenchmarkIndex(items).screen(mine, evenly).hits)
            before += mine.height
        return Screened(
            found.rows,
            pl.concat(hits).unique("row_id", keep="first", maintain_order=True),
        )

    def hits(self, rows: pl.DataFrame, label: str, what: str, report: Report) -> pl.DataFrame:
        """Which of the rows hold an item, and which (row_id, detail); says how far it is."""
        what = f"{what} looked through for benchmark items"
        return self.screen(rows, Progress(report, label, rows.height, what).at).hits
