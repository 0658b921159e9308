"""`compass fetch`: datasets by name into the input folders."""

from collections.abc import Sequence

import typer

from compass_core.config.load import LoadedProject
from compass_core.stages.fetch import fetch_corpora
from compass_core.workspace import Workspace


def run_fetch(loaded: LoadedProject, names: Sequence[str]) -> int:
    """Fetch the named corpora, or all that wait; says what came and at which revision."""
    made = fetch_corpora(Workspace.open(loaded), names, report=typer.echo)
    for one in made:
        if one.unrouted or one.not_asked_for:
            typer.echo(
                f"{one.name}: {one.unrouted} rows name no known language (kept in _unrouted), "
                f"{one.not_asked_for} are in languages that are not asked for"
            )
    if not made:
        typer.echo("nothing to fetch: every dataset that compass.yaml names is there")
    return 0
