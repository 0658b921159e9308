"""A small project, materialized once for the session; each test works on its own copy."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from compass_assets.build import build_defs
from compass_assets.runner import Runner
from compass_assets.sync import sync_statuses
from compass_assets.worker import run as run_worker
from compass_core.config.load import LoadedProject, load_project
from compass_core.warehouse import catalogue_path, ensure_catalogue, query
from compass_core.workspace import Workspace
from compass_core.world.generate import write_sample_project

ROOT = Path(__file__).parent.parent.parent

PROJECT = """
name: tiny
seed: 5
languages:
  targets: [sw, hi, ar]
  auxiliary:
    ar: [ar, en]
embedder: {model: MODELS/embedder}
base_model: {model: MODELS/base}
clusters: {k_min: 8, k_max: 12, k_steps: 2, method: kmeans}
sampling: {budget: 300}
adapter: {epochs: 1, rank: 4}
ingest: {settle_s: 0}
execution: {threads: 1}
"""


class InProcessPipes:
    """Stands in for the Pipes client: the worker's own code, without a process for each test."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def run(self, *, context: Any, command: list[str], extras: dict[str, Any], env: Any) -> Any:
        self.tasks.append(extras["task"])
        outer = self

        class Messages:
            log = context.log

            def __init__(self) -> None:
                self.extras = extras

            def get_custom_messages(self) -> list[Any]:
                return [{"result": outer.result}]

        messages = Messages()
        self.result = run_worker(messages)  # type: ignore[arg-type]
        return messages


@dataclass
class Bench:
    """A project with an instance, as a test sees it."""

    loaded: LoadedProject
    instance: dg.DagsterInstance
    pipes: InProcessPipes

    @property
    def directory(self) -> Path:
        return self.loaded.directory

    @property
    def ws(self) -> Workspace:
        return Workspace.open(self.loaded)

    @property
    def defs(self) -> dg.Definitions:
        return build_defs(self.loaded, {"pipes": self.pipes})

    def reload(self, **replacements: str) -> None:
        """Edit the project file by text and read it again, as a reload of the location does."""
        text = self.loaded.file.read_text()
        for old, new in replacements.items():
            assert old in text
            text = text.replace(old, new)
        self.loaded.file.write_text(text)
        self.loaded = load_project(self.loaded.file)

    def runner(self, override: dict[str, Any] | None = None) -> Runner:
        return Runner(self.loaded, self.instance, override, defs=self.defs)

    def run(
        self, job: str, partition: str | None = None, assets: list[str] | None = None, **config: Any
    ) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(a) for a in assets] if assets else None,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, **config},
            raise_on_error=False,
        )

    def ingest_logs(self, language: str) -> dg.ExecuteInProcessResult:
        ops = {"ingest_logs_op": {"config": {"language": language}}}
        return self.run("ingest_logs", ops=ops)

    def query(self, sql: str) -> pl.DataFrame:
        """Ask the analysts' file, built anew: the copied one names the folder it came from."""
        store = self.ws.store
        return query(ensure_catalogue(store, catalogue_path(store, self.directory)), sql)

    def core_states(self) -> dict[str, str]:
        return {status.partition: status.state for status in sync_statuses(self.ws)}

    def dagster_state(self, asset: str, partition: str) -> str:
        """State that the UI shows on the partition's page."""
        from dagster._core.definitions.data_version import CachingStaleStatusResolver
        from dagster._core.loader import LoadingContextForTest

        resolver = CachingStaleStatusResolver(
            self.instance, self.defs.resolve_asset_graph(), LoadingContextForTest(self.instance)
        )
        return str(resolver.get_status(dg.AssetKey(asset), partition).value).lower()

    def check_table(self) -> dict[str, str]:
        """language -> state, from the last recorded evaluation of the in-sync check."""
        from compass_assets.sync import CHECK

        key = dg.AssetCheckKey(dg.AssetKey("adapter"), CHECK)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        evaluation = records[0].event.dagster_event.event_specific_data  # type: ignore[union-attr]
        lines = evaluation.metadata["languages"].value.splitlines()[2:]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return {row[0]: row[1] for row in cells}


def make_project(directory: Path) -> LoadedProject:
    directory.mkdir(parents=True, exist_ok=True)
    text = PROJECT.replace("MODELS", str(ROOT / "data" / "models"))
    (directory / "compass.yaml").write_text(text)
    write_sample_project(directory / "data", seed=5, scale=0.12)
    return load_project(directory / "compass.yaml")


def open_bench(directory: Path) -> Bench:
    home = directory / "dagster"
    home.mkdir(exist_ok=True)
    return Bench(
        load_project(directory / "compass.yaml"),
        dg.DagsterInstance.local_temp(str(home)),
        InProcessPipes(),
    )


@pytest.fixture(scope="session")
def materialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("materialized") / "project"
    make_project(directory)
    bench = open_bench(directory)
    bench.runner().materialize()
    bench.instance.dispose()
    return directory


@pytest.fixture
def bench(materialized: Path, tmp_path: Path) -> Iterator[Bench]:
    """A copy of the materialized project with its instance."""
    directory = tmp_path / "project"
    shutil.copytree(materialized, directory)
    opened = open_bench(directory)
    yield opened
    opened.instance.dispose()


@pytest.fixture
def open_at() -> Iterator[Callable[[Path], Bench]]:
    """Opens a project folder that the test made by itself."""
    opened: list[Bench] = []

    def open_folder(directory: Path) -> Bench:
        opened.append(open_bench(directory))
        return opened[-1]

    yield open_folder
    for bench in opened:
        bench.instance.dispose()


@pytest.fixture
def empty_bench(tmp_path: Path) -> Iterator[Bench]:
    """A project with inputs and nothing materialized."""
    directory = tmp_path / "project"
    make_project(directory)
    opened = open_bench(directory)
    yield opened
    opened.instance.dispose()
