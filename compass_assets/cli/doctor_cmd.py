"""`compass doctor`: the findings as a table."""

import json
from dataclasses import asdict
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from compass_assets.cli.terminal import terminal
from compass_core.doctor import examine

COLOURS = {"ok": "green", "warn": "yellow", "error": "red"}


def show_doctor(project_file: Path, as_json: bool) -> int:
    """Print; returns 1 when something is an error."""
    findings = examine(project_file)
    if as_json:
        typer.echo(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=2))
    else:
        table = Table(title="compass doctor")
        for name in ("", "what", "found", "what to do"):
            table.add_column(name, overflow="fold")
        for f in findings:
            mark = f"[{COLOURS[f.level]}]{f.level}[/]"
            table.add_row(mark, f.subject, escape(f.found), escape(f.advice))
        terminal().print(table)
    return int(any(f.level == "error" for f in findings))
