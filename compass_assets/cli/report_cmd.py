"""`compass report`: where the page of a language is, and opening it."""

import json
import webbrowser
from pathlib import Path

import typer

from compass_assets.cli.materialize_cmd import target_language
from compass_assets.cli.terminal import terminal
from compass_core import layout
from compass_core.config.load import LoadedProject
from compass_core.errors import StoreError
from compass_core.workspace import Workspace


def show_report(loaded: LoadedProject, text: str, open_it: bool, as_json: bool) -> int:
    """Print the path of the page; `open_it` shows it in the browser of this machine.

    Raises StoreError, with the way out, when the page was not made yet.
    """
    language = target_language(loaded, text, "LANGUAGE")
    ws = Workspace.open(loaded)
    if ws.manifests.get("language_report", language) is None:
        raise StoreError(
            f"language_report[{language}] is not materialized yet; run "
            f"`compass materialize --language {language}`"
        )
    path = local_page(ws, language)
    state = ws.staleness().status("language_report", language).state
    if as_json:
        typer.echo(json.dumps({"language": language, "path": str(path), "state": state}))
    else:
        typer.echo(str(path))
        if state != "fresh":
            terminal(stderr=True).print(
                f"[yellow]{state}[/]: something it was made from changed since; "
                f"`compass materialize --language {language}` makes it again"
            )
    if open_it and not webbrowser.open(path.as_uri()):
        terminal(stderr=True).print("[yellow]no browser found here[/]: open the file by hand")
        return 1
    return 0


def local_page(ws: Workspace, language: str) -> Path:
    """The file in a local store; a remote one is copied into the project's data/cache first."""
    key = layout.report(language)
    if ws.store.is_local:
        return ws.store.local_path(key)
    path = ws.store.cache / key
    page = ws.store.read_bytes(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)
    return path
