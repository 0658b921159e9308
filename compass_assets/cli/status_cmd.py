"""`compass status`: per language what is fresh, what is stale and why, and the last score."""

import json
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from compass_assets.cli.terminal import terminal
from compass_core.adapters.registry import serving
from compass_core.config.load import LoadedProject
from compass_core.corpora.log_ledger import PendingFiles
from compass_core.stages.logs import pending_logs
from compass_core.stages.sources import ChangedSource, beyond_targets, changed_sources
from compass_core.stages.status import warnings_of
from compass_core.staleness import Staleness, Status
from compass_core.workspace import Workspace

SHOWN = ("usage_window", "gap_report", "sampled_training_set", "adapter", "benchmark_scores")


def status_rows(ws: Workspace) -> list[dict[str, Any]]:
    """One dict a target language; the same comparison as the check in the UI."""
    staleness = ws.staleness()
    changed, problems = changed_sources(ws)
    pending = {language: pending_logs(ws, language) for language in ws.targets}
    problems += [problem for found in pending.values() for problem in found.problems]
    spare = beyond_targets(ws)
    return [
        _language_row(ws, staleness, language, changed, pending[language])
        | ({"problems": problems} if problems else {})
        | ({"beyond_targets": spare} if spare else {})
        | {"warnings": warnings_of(ws, [language])}
        for language in ws.targets
    ]


def _language_row(
    ws: Workspace,
    staleness: Staleness,
    language: str,
    changed: list[ChangedSource],
    pending: PendingFiles,
) -> dict[str, Any]:
    statuses = {name: staleness.status(name, language) for name in SHOWN}
    scores = statuses["benchmark_scores"].manifest
    waiting = [f"{c.asset}: {c.files} files" for c in changed if c.partition == language]
    if pending.has_work:
        waiting.append(f"logs: {len(pending.complete)} files")
    if pending.waiting:
        waiting.append(f"logs: {len(pending.waiting)} files not complete yet")
    return {
        "language": language,
        "adapter": statuses["adapter"].state,
        "scores": statuses["benchmark_scores"].state,
        "causes": [
            {"asset": c.asset, "kind": c.kind, "since": c.since, "text": c.text()}
            for c in statuses["adapter"].causes
        ],
        "assets": {name: status.state for name, status in statuses.items()},
        "version": _fact(statuses["adapter"], "version"),
        "serving": serving(ws.store, language),
        "score": scores.facts if scores else None,
        "waiting": waiting,
    }


def _fact(status: Status, name: str) -> Any:
    return status.manifest.facts.get(name) if status.manifest else None


def show_status(loaded: LoadedProject, as_json: bool) -> int:
    """Print; returns 1 when an adapter is stale or missing or input waits, else 0."""
    rows = status_rows(Workspace.open(loaded))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _print(rows)
    return int(any(row["adapter"] != "fresh" or row["waiting"] for row in rows))


def show_warnings(warnings: list[str]) -> None:
    """Checks that failed and stopped nothing; the asset's page has their figures."""
    for text in warnings:
        terminal().print(f"[yellow]check:[/] {escape(text)}", soft_wrap=True)


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(title="Adapters by language")
    columns = ("language", "adapter", "scores", "why", "newest", "its score", "serves", "waiting")
    for name in columns:
        table.add_column(name, overflow="fold")
    colours = {"fresh": "green", "stale": "yellow", "missing": "red"}
    for row in rows:
        causes = ", ".join(dict.fromkeys(cause["text"] for cause in row["causes"]))
        since = min((cause["since"] for cause in row["causes"]), default="")[:16]
        score = row["score"] or {}
        shown = ""
        if score.get("items"):
            shown = f"{score['adapter_percent']:.1f} % (base {score['base_percent']:.1f} %)"
        table.add_row(
            row["language"],
            f"[{colours[row['adapter']]}]{row['adapter']}[/]",
            f"[{colours[row['scores']]}]{row['scores']}[/]",
            f"{causes} since {since.replace('T', ' ')}" if causes else "",
            row["version"] or "",
            shown,
            row["serving"] or ("[yellow]none[/]" if row["version"] else ""),
            ", ".join(row["waiting"]),
        )
    console = terminal()
    console.print(table)
    for problem in rows[0].get("problems", []) if rows else []:
        console.print(f"[yellow]problem:[/] {problem}")
    show_warnings([text for row in rows for text in row["warnings"]])
    for language in rows[0].get("beyond_targets", []) if rows else []:
        console.print(
            f"there is training data for {language}, which is not in languages.targets of "
            "compass.yaml, so nothing is made for it"
        )
