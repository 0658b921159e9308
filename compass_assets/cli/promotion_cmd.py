"""`compass promote`, `rollback`, `compare` and `update`: the same jobs as in the UI."""

import json
from typing import Any

import typer
from rich.table import Table

from compass_assets.cli.materialize_cmd import target_language
from compass_assets.cli.terminal import terminal
from compass_core.config.load import LoadedProject
from compass_core.workspace import Workspace


def run_promote(
    loaded: LoadedProject, language: str, version: str, force: bool, reason: str, as_json: bool
) -> int:
    tag = target_language(loaded, language, "language")
    config = {"language": tag, "version": version, "force": force, "reason": reason}
    _run(loaded, "promote_adapter", config)
    return _say(loaded, tag, as_json)


def run_rollback(loaded: LoadedProject, language: str, reason: str, as_json: bool) -> int:
    tag = target_language(loaded, language, "language")
    _run(loaded, "rollback_adapter", {"language": tag, "reason": reason})
    return _say(loaded, tag, as_json)


def run_compare(loaded: LoadedProject, language: str, one: str, two: str, as_json: bool) -> int:
    """Prints two minus one; versions that were never scored are scored first."""
    from compass_core.stages.promotion import compare, unscored

    tag = target_language(loaded, language, "language")
    ws = Workspace.open(loaded)
    if unscored(ws, tag, [one, two]):
        _run(loaded, "compare_adapters", {"language": tag, "one": one, "two": two})
    found = compare(ws, tag, one, two)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return 0
    console = terminal()
    table = Table(title=f"{tag}: {two} against {one} on {found['items']} items")
    for name in ("", one, two):
        table.add_column(name, overflow="fold")
    for key in ("status", "training_mode", "parent", "training_rows", "loss_last", "created_at"):
        table.add_row(key, *(_cell(found["versions"][name][key]) for name in (one, two)))
    table.add_row("accuracy", *(_cell(found["accuracy_percent"][name]) for name in (one, two)))
    console.print(table)
    console.print(
        f"{found['difference_points']:+.1f} points [{found['low_points']:+.1f}, "
        f"{found['high_points']:+.1f}], p = {found['p_value']:.3g}; {found['gained']} items "
        f"gained, {found['lost']} lost"
    )
    console.print(f"they differ in: {', '.join(found['lineage_differs']) or 'nothing'}")
    return 0


def run_update(loaded: LoadedProject, language: str, as_json: bool) -> int:
    """Run the job `update_adapter`; prints what was trained and what serves."""
    from compass_assets.jobs import UPDATE_JOB
    from compass_assets.runner import Runner, open_instance

    tag = target_language(loaded, language, "language")
    with open_instance(loaded) as instance, Runner(loaded, instance) as runner:
        runner.job(UPDATE_JOB, tag)
    return _say(loaded, tag, as_json)


def _run(loaded: LoadedProject, job: str, config: dict[str, Any]) -> None:
    from compass_assets.runner import Runner, open_instance

    with open_instance(loaded) as instance, Runner(loaded, instance) as runner:
        runner.job(job, None, {"ops": {f"{job}_op": {"config": config}}})


def _say(loaded: LoadedProject, language: str, as_json: bool) -> int:
    from compass_core.adapters.registry import promotions, serving, versions

    store = Workspace.open(loaded).store
    now = serving(store, language)
    last = promotions(store, language).tail(1).to_dicts()
    newest = versions(store, language).tail(1).to_dicts()
    answer = {
        "language": language,
        "serving": now,
        "last_change": last[0] if last else None,
        "newest_version": newest[0] if newest else None,
    }
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str))
        return 0
    typer.echo(f"{language}: {now or 'nothing'} serves")
    if last:
        forced = ", forced" if last[0]["forced"] else ""
        typer.echo(f"{last[0]['action']}{forced}: {last[0]['reason']}")
    if newest:
        typer.echo(f"newest version {newest[0]['version']}: {newest[0]['training_reason']}")
    return 0


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
