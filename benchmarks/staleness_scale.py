"""Staleness with two years of daily logs for twenty languages: 14,600 partitions.

    python -m benchmarks.staleness_scale [--days 730] [--languages 20]

Makes a project with that many recorded days, checks that one new log file marks its language and no
other, and prints the seconds of each answer: Dagster's own resolver (what a partition's page asks),
the check's comparison, and one ingest. Peer: Dagster's resolver on an asset that maps straight onto
the days, which is what the roll-up replaces.
"""

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import dagster as dg
import typer
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from rich.console import Console
from rich.table import Table

from compass_assets.build import build_defs
from compass_assets.partitions import DAYS, usage_key
from compass_assets.rolls import window_event
from compass_assets.step import CODE_TAG, VERSION_TAG
from compass_assets.sync import sync_statuses
from compass_core import layout
from compass_core.config.load import load_project
from compass_core.config.template import render_template
from compass_core.manifests import Consumed, Manifest
from compass_core.workspace import Workspace

TAGS = [
    "sw",
    "hi",
    "ar",
    "th",
    "pt",
    "en",
    "yo",
    "ha",
    "ig",
    "zu",
    "am",
    "so",
    "rw",
    "ln",
    "sn",
    "xh",
    "af",
    "mg",
    "ny",
    "om",
]
T = TypeVar("T")


def main(
    days: Annotated[int, typer.Option()] = 730, languages: Annotated[int, typer.Option()] = 20
) -> None:
    """Build, measure, print; exits with an error if a mark is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        values = {"languages": {"targets": TAGS[:languages]}, "ingest": {"settle_s": 0.0}}
        (directory / "compass.yaml").write_text(render_template(values))
        loaded = load_project(directory / "compass.yaml")
        (directory / "dagster").mkdir()
        instance = dg.DagsterInstance.local_temp(str(directory / "dagster"))
        ws, defs = Workspace.open(loaded), build_defs(loaded)
        made_s, _ = _timed(lambda: _history(ws, instance, days))
        rows = [("recording the history", made_s)]
        before_s, before = _timed(lambda: _states(instance, defs, ws.targets))
        rows.append((f"Dagster's state of {languages} adapters", before_s))
        _expect(before, dict.fromkeys(ws.targets, "fresh"))
        _drop(directory, TAGS[0])
        config = {"ops": {"ingest_logs_op": {"config": {"language": TAGS[0]}}}}
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        job = defs.resolve_job_def("ingest_logs")
        ingest_s, done = _timed(
            lambda: job.execute_in_process(instance=instance, run_config={**config, **quiet})
        )
        rows.append(("one ingest: file to marks", ingest_s))
        if not done.success:
            raise SystemExit("the ingest failed")
        after_s, after = _timed(lambda: _states(instance, defs, ws.targets))
        rows.append((f"Dagster's state of {languages} adapters, after", after_s))
        wanted = {**before, TAGS[0]: "stale"}
        _expect(after, wanted)
        core_s, core = _timed(lambda: {s.partition: s.state for s in sync_statuses(ws)})
        rows.append((f"the check's comparison of {languages} adapters", core_s))
        _expect(core, wanted)
        peer_s, peer = _timed(lambda: _direct(instance, ws.targets[0]))
        rows.append(("peer: an asset on the days themselves, one language", peer_s))
        instance.dispose()
    table = Table(title=f"{days * languages} log partitions")
    table.add_column("what")
    table.add_column("seconds", justify="right")
    for name, seconds in rows:
        table.add_row(name, f"{seconds:.3f}")
    Console().print(table)
    Console().print(f"marks exact; the peer calls an outdated language {peer!r}")


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _history(ws: Workspace, instance: dg.DagsterInstance, days: int) -> None:
    """Days, windows and trained adapters, as events and manifests; no text is needed for marks."""
    first = date(2024, 1, 1)
    names = [(first + timedelta(days=i)).isoformat() for i in range(days)]
    instance.add_dynamic_partitions(DAYS, names)
    for language in ws.targets:
        for day in names:
            tags = {VERSION_TAG: "v", CODE_TAG: ws.code_versions["usage_logs"]}
            instance.report_runless_asset_event(
                dg.AssetMaterialization("usage_logs", partition=usage_key(day, language), tags=tags)
            )
        book = {day: {"version": "v", "rows": 3} for day in names}
        ws.store.write_json(layout.usage_days(language), book)
        instance.report_runless_asset_event(window_event(ws, instance, language, ""))
        _adapter(ws, instance, language)


def _adapter(ws: Workspace, instance: dg.DagsterInstance, language: str) -> None:
    window = ws.manifests.require("usage_window", language)
    record = instance.get_latest_data_version_record(dg.AssetKey("usage_window"), False, language)
    pointer = record.storage_id if record else None
    code = ws.code_versions["adapter"]
    consumed = {"usage_window": Consumed(window.data_version, pointer)}
    ws.manifests.put(Manifest("adapter", language, "a", code, consumed))
    parents = [key for key in _PARENTS if key != "usage_window"]
    tags = {
        VERSION_TAG: "a",
        CODE_TAG: code,
        "dagster/input_data_version/usage_window": window.data_version,
        "dagster/input_event_pointer/usage_window": str(pointer),
        **{f"dagster/input_data_version/{key}": "x" for key in parents},
        **{f"dagster/input_event_pointer/{key}": "1" for key in parents},
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization("adapter", partition=language, tags=tags)
    )


_PARENTS = (
    "sampled_training_set",
    "gap_report",
    "semantic_clusters",
    "usage_window",
    "auxiliary_catalogue",
    "training_corpus",
    "benchmark_items",
)


def _states(
    instance: dg.DagsterInstance, defs: dg.Definitions, languages: list[str]
) -> dict[str, str]:
    resolver = CachingStaleStatusResolver(
        instance, defs.resolve_asset_graph(), LoadingContextForTest(instance)
    )
    key = dg.AssetKey("adapter")
    return {name: str(resolver.get_status(key, name).value).lower() for name in languages}


def _drop(directory: Path, language: str) -> None:
    folder = directory / "data" / "logs" / language
    folder.mkdir(parents=True)
    row = {"timestamp": "2026-01-01T08:00:00Z", "text": "bei ya mahindi ni ngapi"}
    (folder / "new.jsonl").write_text(json.dumps(row) + "\n")


def _direct(instance: dg.DagsterInstance, language: str) -> str:
    """State of an asset without the roll-up: made before the newest day, so it should be stale."""
    days = dg.DynamicPartitionsDefinition(name=DAYS)
    languages = dg.StaticPartitionsDefinition(TAGS)
    both = dg.MultiPartitionsDefinition({"day": days, "language": languages})

    @dg.asset(partitions_def=both, code_version="1")
    def usage_logs() -> None: ...

    mapping = dg.MultiToSingleDimensionPartitionMapping("language")
    dep = dg.AssetDep("usage_logs", partition_mapping=mapping)

    @dg.asset(partitions_def=languages, code_version="1", deps=[dep])
    def straight() -> None: ...

    tags = {
        VERSION_TAG: "s",
        CODE_TAG: "1",
        "dagster/input_data_version/usage_logs": "x",
        "dagster/input_event_pointer/usage_logs": "1",
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization("straight", partition=language, tags=tags)
    )
    graph = dg.Definitions(assets=[usage_logs, straight]).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return str(resolver.get_status(dg.AssetKey("straight"), language).value).lower()


def _expect(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    wrong = {name: found[name] for name in wanted if found[name] != wanted[name]}
    if wrong:
        raise SystemExit(f"wrong marks: {wrong}; wanted {wanted}")


if __name__ == "__main__":
    typer.run(main)
