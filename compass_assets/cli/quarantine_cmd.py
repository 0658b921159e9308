"""`compass quarantine`: what was set aside, and bringing it back once it is fixed."""

from pathlib import Path

import polars as pl
import typer
from rich.table import Table

from compass_assets.cli.terminal import terminal
from compass_core import layout
from compass_core.config.load import LoadedProject
from compass_core.corpora.corrections import apply_corrections, export_quarantine
from compass_core.corpora.files import find_languages
from compass_core.corpora.places import Place
from compass_core.errors import ConfigError
from compass_core.languages import standard_tag
from compass_core.warehouse import as_json as rows_as_json
from compass_core.workspace import Workspace

ASSETS = {
    "auxiliary": "auxiliary_corpus",
    "training": "training_corpus",
    "logs": "usage_logs",
}


def list_quarantine(loaded: LoadedProject, as_json: bool) -> int:
    """Counts by corpus, language and reason."""
    ws = Workspace.open(loaded)
    parts = []
    for corpus, asset in {**ASSETS, "benchmarks": "benchmark_items"}.items():
        for key in ws.store.keys(f"quarantine/{asset}", ".parquet"):
            frame = ws.store.read_parquet(key)
            counted = frame.group_by("reason").len("rows").sort("reason")
            language = key.rsplit("/", 1)[-1].removesuffix(".parquet")
            parts.append(
                counted.select(
                    pl.lit(corpus).alias("corpus"), pl.lit(language).alias("language"), pl.all()
                )
            )
    table = pl.concat(parts) if parts else pl.DataFrame(schema={"corpus": pl.String})
    if as_json:
        typer.echo(rows_as_json(table))
        return 0
    shown = Table(title=f"{table['rows'].sum() if parts else 0} quarantined rows")
    for name in ("corpus", "language", "reason", "rows"):
        shown.add_column(name)
    for row in table.iter_rows():
        shown.add_row(*map(str, row))
    terminal().print(shown)
    return 0


def export(loaded: LoadedProject, corpus: str, language: str, file: Path) -> int:
    """Write the rows; the person edits the field `fixed`."""
    ws = Workspace.open(loaded)
    key = layout.quarantine(_asset(corpus), _tag(language))
    count = export_quarantine(ws.store.read_parquet(key), file) if ws.store.exists(key) else 0
    typer.echo(
        f"{count} rows written to {file}; edit `fixed`, then: "
        f"compass quarantine replay {corpus} {language} {file}"
        if count
        else f"nothing of {corpus} {language} is in quarantine"
    )
    return 0


def replay(loaded: LoadedProject, corpus: str, language: str, file: Path) -> int:
    """Store the corrections beside the input; the sensors (or materialize) read it again."""
    _asset(corpus)
    if not file.is_file():
        raise ConfigError(f"FILE: {file} does not exist; make it with: compass quarantine export")
    ws = Workspace.open(loaded)
    place = ws.logs_place if corpus == "logs" else Place(ws.input_folder(corpus))
    names, _ = find_languages(place)
    tag = _tag(language)
    count = apply_corrections(file, place / names.get(tag, tag))
    typer.echo(f"{count} corrected lines; they are read at the next ingest of {corpus} {tag}")
    return 0


def _asset(corpus: str) -> str:
    if corpus not in ASSETS:
        raise ConfigError(f"CORPUS: received {corpus!r}; allowed: {', '.join(ASSETS)}")
    return ASSETS[corpus]


def _tag(language: str) -> str:
    try:
        return standard_tag(language)
    except ValueError as error:
        raise ConfigError(f"LANGUAGE: {error}") from None
