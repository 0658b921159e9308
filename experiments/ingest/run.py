"""Ingest all of a folder of real data and write down what came out.

    python -m experiments.ingest.run --shared ../shared/data --project data/all --out results.json

Uses what the assets use: `ingest_corpus`, `ingest_pending`, `ingest_benchmarks`, `publish_ingest`.
"""

import json
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from compass_core import layout, records
from compass_core.benchmarks.contamination import BenchmarkIndex
from compass_core.config.load import load_project
from compass_core.corpora.benchmark_items import ingest_benchmarks
from compass_core.corpora.files import find_languages
from compass_core.corpora.log_ledger import Ledger
from compass_core.stages.corpora import ingest_corpus, language_facts
from compass_core.stages.logs import ingest_pending
from compass_core.stages.publish import publish_ingest
from compass_core.workspace import Workspace
from experiments.ingest.lay_out import lay_out


def main(
    shared: Annotated[Path, typer.Option()],
    project: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
    duplicates: Annotated[str, typer.Option(help="off, exact or near")] = "exact",
    only: Annotated[list[str] | None, typer.Option(help="Just this language; repeatable.")] = None,
    workers: Annotated[int, typer.Option(help="Languages at a time.")] = 1,
) -> None:
    """Lay out, ingest, sum up."""
    laid = lay_out(shared, project.resolve(), only or [])
    settings = project.resolve() / "compass.yaml"
    text = settings.read_text().split("\ncleaning:")[0].rstrip()
    settings.write_text(f"{text}\ncleaning:\n  duplicates: {duplicates}\n")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = {
            "auxiliary_corpus": _corpora(settings, pool),
            "usage_logs": _logs(settings, pool),
            "benchmark_items": _benchmarks(settings, pool),
        }
        contamination = _contamination(settings, pool)
    costs = [one for part in parts.values() for one in part["languages"].values()]
    cpu_s = sum(one["cpu_s"] for one in costs)
    read = sum(part["read"] for part in parts.values())
    result = {
        "laid_out": {name: dict(counts) for name, counts in laid.items()},
        "duplicates": duplicates,
        "only": sorted(only or []),
        "parts": parts,
        "contamination": contamination,
        "rows_read": read,
        "cpu_s": round(cpu_s, 1),
        "rows_per_cpu_s": round(read / cpu_s),
        "workers": workers,
        "peak_gib_of_a_worker": max(one["peak_gib"] for one in costs),
        "load": round(os.getloadavg()[0], 1),
    }
    out.write_text(json.dumps(result, ensure_ascii=False, indent=1))
    typer.echo(json.dumps({k: v for k, v in result.items() if k != "parts"}, indent=1))


def _corpora(file: Path, pool: ProcessPoolExecutor) -> dict[str, Any]:
    total = _Total()
    by_language = {}
    reasons_by_file: dict[str, Counter[str]] = {}
    languages = sorted(find_languages(_open(file).input_folder("auxiliary"))[0])
    results = pool.map(_corpus, [file] * len(languages), languages)
    for language, made in zip(languages, results, strict=True):
        total.add(*made.pop("account"))
        for name, reasons in made.pop("reasons").items():
            reasons_by_file.setdefault(name, Counter()).update(reasons)
        by_language[language] = made
    sources = {name: dict(counts) for name, counts in reasons_by_file.items()}
    return {**total.facts(), "reasons_by_file": sources, "languages": by_language}


def _corpus(file: Path, language: str) -> dict[str, Any]:
    """One language in a worker process: read, cleaned, identified, published."""
    return _once(file, f"auxiliary-{language}", lambda: _read_corpus(_open(file), language))


def _once(file: Path, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of an earlier, cut run, or of the work: a run of hours can be gone on with."""
    path = file.parent / "results" / f"{name}.json"
    if not path.is_file():
        made = json.dumps(work(), ensure_ascii=False)
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".tmp").write_text(made)
        path.with_suffix(".tmp").rename(path)
    done: dict[str, Any] = json.loads(path.read_text())
    return done


def _read_corpus(ws: Workspace, language: str) -> dict[str, Any]:
    started = time.process_time()
    result = ingest_corpus(ws, "auxiliary", language).result
    key = layout.corpus("auxiliary", language)
    publish_ingest(ws.store, result, key, "auxiliary_corpus", language)
    reasons: dict[str, Counter[str]] = {}
    for name, reason in result.quarantined.select("file", "reason").iter_rows():
        reasons.setdefault(name, Counter())[reason] += 1
    return {
        "account": (result.rows_read, result.accepted.height, result.reasons, result.pii),
        "reasons": reasons,
        **language_facts(result.accepted),
        "rows": result.accepted.height,
        "by_file": _flags_by_file(result.accepted),
        **_cost(started),
    }


def _cost(started: float) -> dict[str, float]:
    return {
        "cpu_s": round(time.process_time() - started, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def _open(file: Path) -> Workspace:
    return Workspace.open(load_project(file))


def _flags_by_file(frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    counted = frame.group_by("file", "language_flag").len().sort("file", "language_flag")
    found: dict[str, dict[str, int]] = {}
    for file, flag, count in counted.iter_rows():
        found.setdefault(file, {})[flag] = count
    return found


def _logs(file: Path, pool: ProcessPoolExecutor) -> dict[str, Any]:
    total = _Total()
    languages = sorted(find_languages(_open(file).logs_place)[0])
    made = list(pool.map(_log, [file] * len(languages), languages))
    for one in made:
        total.add(*one.pop("account"))
    return {**total.facts(), "languages": dict(zip(languages, made, strict=True))}


def _log(file: Path, language: str) -> dict[str, Any]:
    return _once(file, f"logs-{language}", lambda: _read_log(_open(file), language))


def _read_log(ws: Workspace, language: str) -> dict[str, Any]:
    started = time.process_time()
    days = ingest_pending(ws, language)
    made = Ledger(ws.store, language).totals()
    keys = [layout.usage_day(language, day.isoformat()) for day in days]
    empty = [records.empty(records.USAGE)]
    rows = pl.concat([*empty, *(ws.store.read_parquet(key) for key in keys)])
    account = (made["rows_read"], made["rows_accepted"], made["reasons"], made["pii"])
    return {
        "account": account,
        **language_facts(rows),
        "rows": rows.height,
        "days": len(keys),
        **_cost(started),
    }


def _benchmarks(file: Path, pool: ProcessPoolExecutor) -> dict[str, Any]:
    total = _Total()
    languages = _open(file).targets
    made = list(pool.map(_items, [file] * len(languages), languages))
    for one in made:
        total.add(*one.pop("account"))
    return {**total.facts(), "languages": dict(zip(languages, made, strict=True))}


def _items(file: Path, language: str) -> dict[str, Any]:
    return _once(file, f"items-{language}", lambda: _read_items(_open(file), language))


def _read_items(ws: Workspace, language: str) -> dict[str, Any]:
    started = time.process_time()
    folder, suites = ws.input_folder("benchmarks"), ws.project.benchmarks.suites
    result = ingest_benchmarks(folder, language, suites, ws.project.ingest)
    publish_ingest(ws.store, result, layout.benchmark(language), "benchmark_items", language)
    account = (result.rows_read, result.accepted.height, result.reasons, result.pii)
    return {"account": account, **_cost(started)}


def _contamination(file: Path, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """Rows of each language's auxiliary corpus that hold one of its benchmark items."""
    languages = _open(file).targets
    made = list(pool.map(_screen, [file] * len(languages), languages))
    return dict(zip(languages, made, strict=True))


def _screen(file: Path, language: str) -> dict[str, Any]:
    return _once(file, f"contamination-{language}", lambda: _screened(_open(file), language))


def _screened(ws: Workspace, language: str) -> dict[str, Any]:
    started = time.process_time()
    key = layout.corpus("auxiliary", language)
    rows = ws.store.read_parquet(key) if ws.store.exists(key) else records.empty(records.TEXT)
    items = ws.store.read_parquet(layout.benchmark(language))
    hits = BenchmarkIndex(items).screen(rows).hits
    found = rows.join(hits, on="row_id").with_columns(
        pl.col("detail").str.split(" ").list.first().alias("suite")
    )
    by = found.group_by("file", "suite").len().sort("file", "suite")
    return {
        "rows": rows.height,
        "items": items.height,
        "hits": found.height,
        "by_file_and_suite": {f"{name} / {suite}": n for name, suite, n in by.iter_rows()},
        "examples": found.sort("row_id")["detail"].head(3).to_list(),
        **_cost(started),
    }


class _Total:
    def __init__(self) -> None:
        self.read = self.accepted = 0
        self.reasons: Counter[str] = Counter()
        self.pii: Counter[str] = Counter()

    def add(self, read: int, accepted: int, reasons: dict[str, int], pii: dict[str, int]) -> None:
        if read != accepted + sum(reasons.values()):
            raise AssertionError(f"{read} rows read, {accepted} + {sum(reasons.values())} kept")
        self.read += read
        self.accepted += accepted
        self.reasons.update(reasons)
        self.pii.update(pii)

    def facts(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "accepted": self.accepted,
            "quarantined": sum(self.reasons.values()),
            "reasons": dict(self.reasons.most_common()),
            "pii": dict(self.pii.most_common()),
        }


if __name__ == "__main__":
    typer.run(main)
