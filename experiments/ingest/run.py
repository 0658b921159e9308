"""Ingest all of a folder of real data and write down what came out.

    python -m experiments.ingest.run --shared ../shared/data --project data/all --out results.json

Uses what the assets use: `ingest_corpus`, `ingest_pending`, `ingest_benchmarks`, `publish_ingest`.
"""

import json
import os
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from compass_core import layout
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
) -> None:
    """Lay out, ingest, sum up."""
    laid = lay_out(shared, project.resolve())
    settings = project / "compass.yaml"
    text = settings.read_text().split("\ncleaning:")[0].rstrip()
    settings.write_text(f"{text}\ncleaning:\n  duplicates: {duplicates}\n")
    ws = Workspace.open(load_project(settings))
    started, cpu = time.monotonic(), time.process_time()
    parts = {
        "auxiliary_corpus": _corpora(ws),
        "usage_logs": _logs(ws),
        "benchmark_items": _benchmarks(ws),
    }
    wall_s, cpu_s = time.monotonic() - started, time.process_time() - cpu
    read = sum(part["read"] for part in parts.values())
    result = {
        "laid_out": {name: dict(counts) for name, counts in laid.items()},
        "duplicates": duplicates,
        "parts": parts,
        "rows_read": read,
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "rows_per_cpu_s": round(read / cpu_s),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "load": round(os.getloadavg()[0], 1),
    }
    out.write_text(json.dumps(result, ensure_ascii=False, indent=1))
    typer.echo(json.dumps({k: v for k, v in result.items() if k != "parts"}, indent=1))


def _corpora(ws: Workspace) -> dict[str, Any]:
    total = _Total()
    by_language = {}
    reasons_by_source: dict[str, Counter[str]] = {}
    for language in sorted(find_languages(ws.input_folder("auxiliary"))[0]):
        started = time.process_time()
        result = ingest_corpus(ws, "auxiliary", language).result
        key = layout.corpus("auxiliary", language)
        publish_ingest(ws.store, result, key, "auxiliary_corpus", language)
        total.add(result.rows_read, result.accepted.height, result.reasons, result.pii)
        for file, reason in result.quarantined.select("file", "reason").iter_rows():
            reasons_by_source.setdefault(file, Counter())[reason] += 1
        by_language[language] = {
            **language_facts(result.accepted),
            "rows": result.accepted.height,
            "cpu_s": round(time.process_time() - started, 2),
            "by_file": _flags_by_file(result.accepted),
        }
    sources = {name: dict(counts) for name, counts in reasons_by_source.items()}
    return {**total.facts(), "reasons_by_file": sources, "languages": by_language}


def _flags_by_file(frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    counted = frame.group_by("file", "language_flag").len().sort("file", "language_flag")
    found: dict[str, dict[str, int]] = {}
    for file, flag, count in counted.iter_rows():
        found.setdefault(file, {})[flag] = count
    return found


def _logs(ws: Workspace) -> dict[str, Any]:
    total = _Total()
    by_language = {}
    for language in sorted(find_languages(ws.logs_place)[0]):
        days = ingest_pending(ws, language)
        made = Ledger(ws.store, language).totals()
        total.add(made["rows_read"], made["rows_accepted"], made["reasons"], made["pii"])
        keys = [layout.usage_day(language, day.isoformat()) for day in days]
        if keys:
            rows = pl.concat([ws.store.read_parquet(key) for key in keys])
            by_language[language] = {**language_facts(rows), "rows": rows.height, "days": len(keys)}
    return {**total.facts(), "languages": by_language}


def _benchmarks(ws: Workspace) -> dict[str, Any]:
    total = _Total()
    for language in ws.targets:
        result = ingest_benchmarks(
            ws.input_folder("benchmarks"),
            language,
            ws.project.benchmarks.suites,
            ws.project.ingest,
        )
        publish_ingest(ws.store, result, layout.benchmark(language), "benchmark_items", language)
        total.add(result.rows_read, result.accepted.height, result.reasons, result.pii)
    return total.facts()


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
