"""The `compass` command: names, options and help; nothing heavy is imported until it is needed."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from compass_core.errors import CompassError, ConfigError

app = typer.Typer(
    help="Semantic gaps, targeted data, adapters: the loop for languages that a model knows badly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
quarantine_app = typer.Typer(help="Rows that could not be used: list, export, fix and replay.")
app.add_typer(quarantine_app, name="quarantine")

T = TypeVar("T")


class ExportFormat(StrEnum):
    """What `compass export` writes."""

    peft = "peft"
    merged = "merged"
    vllm = "vllm"
    llamafactory = "llamafactory"


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LanguageArgument = Annotated[str, typer.Argument(help="Target language, as sw.")]
VersionArgument = Annotated[str, typer.Argument(help="Adapter version, as v0003.")]
CorpusArgument = Annotated[str, typer.Argument(help="auxiliary, training or logs.")]
FileArgument = Annotated[Path, typer.Argument(help="JSONL file of the export.")]
ProjectOption = Annotated[
    Path | None, typer.Option("--project", help="Project folder; default: the nearest one upwards.")
]


@app.callback()
def _project(project: ProjectOption = None) -> None:
    if project is not None:
        os.environ["COMPASS_PROJECT"] = str(project)


def _guarded(work: Callable[[], int]) -> None:
    """Run; errors that are meant to be read become one message and an exit status."""
    try:
        status = work()
    except ConfigError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except CompassError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    sys.exit(status)


@app.command()
def init(directory: Annotated[Path, typer.Argument(help="Folder of the new project.")]) -> None:
    """Make a project: compass.yaml with every setting commented, and the data folders."""
    from compass_assets.cli.init_cmd import run_init

    _guarded(lambda: run_init(directory))


@app.command()
def demo() -> None:
    """Run the whole graph on the sample project and print what came out."""
    from compass_assets.cli.demo_cmd import run_demo
    from compass_assets.location import find_project

    _guarded(lambda: run_demo(find_project()))


@app.command()
def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page; one for each project.")] = 3000,
) -> None:
    """Start the Dagster UI and daemon for this project."""
    from compass_assets.cli.dev_cmd import run_dev
    from compass_assets.location import find_project

    _guarded(lambda: run_dev(find_project(), host, port))


@app.command()
def materialize(
    language: Annotated[
        list[str] | None, typer.Option(help="Only this target; repeatable.")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option(help="Only this asset, fresh or not; repeatable.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override for this run: sampling.budget=5000; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring languages up to date: ingest, embed, cluster, report, sample, train, score."""
    from compass_assets.cli.materialize_cmd import run_materialize
    from compass_assets.location import find_project

    _guarded(
        lambda: run_materialize(
            find_project(), language or [], select or [], settings or [], as_json
        )
    )


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names under `corpora`; none: all that wait.")
    ] = None,
) -> None:
    """Stream datasets that compass.yaml names into the input folders, at a pinned revision."""
    from compass_assets.cli.fetch_cmd import run_fetch
    from compass_assets.location import find_project

    _guarded(lambda: run_fetch(find_project(), names or []))


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Per language: what is fresh, what is stale and why, the last score, input that waits.

    Exit status 1 when an adapter is not fresh or input waits.
    """
    from compass_assets.cli.status_cmd import show_status
    from compass_assets.location import find_project

    _guarded(lambda: show_status(find_project(), as_json))


@app.command()
def gaps(
    language: LanguageArgument,
    most: Annotated[int, typer.Option(help="How many clusters.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """What users of a language ask that the training data does not cover."""
    from compass_assets.cli.query_cmd import show_gaps
    from compass_assets.location import find_project

    _guarded(lambda: show_gaps(find_project(), language, most, as_json))


@app.command()
def report(
    language: LanguageArgument,
    open_it: Annotated[
        bool, typer.Option("--open", help="Show it in this machine's browser.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Where the page of a language is: gaps, sample, scores, drift and versions in one file."""
    from compass_assets.cli.report_cmd import show_report
    from compass_assets.location import find_project

    _guarded(lambda: show_report(find_project(), language, open_it, as_json))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One statement over the views.")],
    as_json: JsonOption = False,
) -> None:
    """Run SQL over the views (read only); DESCRIBE and SHOW TABLES work as well."""
    from compass_assets.cli.query_cmd import show_query
    from compass_assets.location import find_project

    _guarded(lambda: show_query(find_project(), sql, as_json))


@app.command()
def update(language: LanguageArgument, as_json: JsonOption = False) -> None:
    """Train the adapter on from the version that serves, on what is new to it; score and gate."""
    from compass_assets.cli.promotion_cmd import run_update
    from compass_assets.location import find_project

    _guarded(lambda: run_update(find_project(), language, as_json))


@app.command()
def promote(
    language: LanguageArgument,
    version: VersionArgument,
    force: Annotated[bool, typer.Option("--force", help="Although the gate fails.")] = False,
    reason: Annotated[str, typer.Option(help="Kept in the history.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make an adapter version serve; past a failing gate only with --force and a --reason."""
    from compass_assets.cli.promotion_cmd import run_promote
    from compass_assets.location import find_project

    _guarded(lambda: run_promote(find_project(), language, version, force, reason, as_json))


@app.command()
def rollback(
    language: LanguageArgument,
    reason: Annotated[str, typer.Option(help="Kept in the history.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Serve the adapter version that served before."""
    from compass_assets.cli.promotion_cmd import run_rollback
    from compass_assets.location import find_project

    _guarded(lambda: run_rollback(find_project(), language, reason, as_json))


@app.command()
def compare(
    language: LanguageArgument,
    one: VersionArgument,
    two: VersionArgument,
    as_json: JsonOption = False,
) -> None:
    """Compare two adapter versions on the same items, and what they were made from."""
    from compass_assets.cli.promotion_cmd import run_compare
    from compass_assets.location import find_project

    _guarded(lambda: run_compare(find_project(), language, one, two, as_json))


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check versions, disk, memory, GPU, store, models and configuration; say what to do."""
    from compass_assets.cli.doctor_cmd import show_doctor
    from compass_assets.location import find_project_file

    _guarded(lambda: show_doctor(find_project_file(), as_json))


@app.command()
def config(as_json: JsonOption = False) -> None:
    """Check compass.yaml and print what it comes to, defaults included."""
    from compass_assets.cli.query_cmd import show_config
    from compass_assets.location import find_project

    _guarded(lambda: show_config(find_project(), as_json))


@app.command()
def export(
    language: LanguageArgument,
    to: Annotated[Path, typer.Option(help="Folder to write into.")],
    form: Annotated[
        ExportFormat, typer.Option("--format", help="peft, merged, vllm or llamafactory.")
    ] = ExportFormat.peft,
    version: Annotated[
        str | None, typer.Option(help="Adapter version; default: the one that serves.")
    ] = None,
) -> None:
    """Write an adapter (PEFT, merged, vLLM) or a training set (LLaMA-Factory) for other tools."""
    from compass_assets.cli.export_cmd import run_export
    from compass_assets.location import find_project

    _guarded(lambda: run_export(find_project(), language, to, form.value, version))


@quarantine_app.command("list")
def quarantine_list(as_json: JsonOption = False) -> None:
    """Quarantined rows by corpus, language and reason."""
    from compass_assets.cli.quarantine_cmd import list_quarantine
    from compass_assets.location import find_project

    _guarded(lambda: list_quarantine(find_project(), as_json))


@quarantine_app.command("export")
def quarantine_export(
    corpus: CorpusArgument, language: LanguageArgument, file: FileArgument
) -> None:
    """Write the quarantined rows of a corpus (auxiliary, training or logs) to be edited."""
    from compass_assets.cli.quarantine_cmd import export
    from compass_assets.location import find_project

    _guarded(lambda: export(find_project(), corpus, language, file))


@quarantine_app.command("replay")
def quarantine_replay(
    corpus: CorpusArgument, language: LanguageArgument, file: FileArgument
) -> None:
    """Take an edited export: changed lines are read in place of the bad ones from now on."""
    from compass_assets.cli.quarantine_cmd import replay
    from compass_assets.location import find_project

    _guarded(lambda: replay(find_project(), corpus, language, file))
