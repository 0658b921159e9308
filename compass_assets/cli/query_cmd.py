"""`compass gaps`, `compass query` and `compass config`: looking at what is there."""

import json

import typer

from compass_assets.cli.materialize_cmd import target_language
from compass_assets.cli.status_cmd import show_warnings
from compass_assets.cli.table import print_rows
from compass_assets.cli.terminal import terminal
from compass_core import layout
from compass_core.config.load import LoadedProject
from compass_core.gaps.covered import in_words, under_covered
from compass_core.stages.status import warnings_of
from compass_core.warehouse import as_json as rows_as_json
from compass_core.warehouse import catalogue_path, ensure_catalogue, query
from compass_core.workspace import Workspace


def show_gaps(loaded: LoadedProject, text: str, most: int, as_json: bool) -> int:
    """The largest gaps of a language. Raises StoreError when there is no report yet."""
    language = target_language(loaded, text, "LANGUAGE")
    ws = Workspace.open(loaded)
    ws.manifests.require("gap_report", language)
    frame = ws.store.read_parquet(layout.gaps(language))
    top = under_covered(frame).head(most)
    if as_json:
        typer.echo(rows_as_json(top))
        return 0
    columns = ["title", "gap", "p_usage", "p_training", "coverage", "usage_rows", "pool_rows"]
    first, last = frame["usage_first_day"][0], frame["usage_last_day"][0]
    now, best = frame["jsd_bits"][0], frame["jsd_bits_best"][0]
    print_rows(top.select(columns), f"{language}: asked {first} to {last}, and not covered")
    terminal().print(
        f"{in_words(frame)}; divergence of training data from usage "
        f"{now:.3f} bits; {attainable(now, best)} with this pool and budget"
    )
    show_warnings(warnings_of(ws, [language]))
    return 0


def attainable(now: float, best: float) -> str:
    """The best divergence that a sample of the budget can reach, beside the present one."""
    if best <= now:
        return f"{best:.3f} attainable"
    return (
        f"at best {best:.3f} after a sample: the data is nearer to usage already than this much "
        "more of it can be, so lower sampling.budget"
    )


def show_query(loaded: LoadedProject, sql: str, as_json: bool) -> int:
    """Rows of one statement. Raises InputError with DuckDB's message."""
    ws = Workspace.open(loaded)
    path = ensure_catalogue(ws.store, catalogue_path(ws.store, ws.directory))
    frame = query(path, sql)
    if as_json:
        typer.echo(rows_as_json(frame))
    else:
        print_rows(frame, "1 row" if frame.height == 1 else f"{frame.height} rows")
    return 0


def show_config(loaded: LoadedProject, as_json: bool) -> int:
    """All settings, defaults included; reading them has checked them."""
    text = json.dumps(loaded.project.model_dump(mode="json"), indent=2, ensure_ascii=False)
    typer.echo(text if as_json else f"{loaded.file} is valid\n{text}")
    return 0
