"""`compass materialize`: bring languages up to date, with one line for each step."""

import json
import time
from collections.abc import Sequence
from typing import Any

import typer

from compass_assets.cli.terminal import terminal
from compass_core.config.load import LoadedProject, with_overrides
from compass_core.errors import ConfigError
from compass_core.graph import NODES
from compass_core.languages import standard_tag


def run_materialize(
    loaded: LoadedProject,
    languages: Sequence[str],
    select: Sequence[str],
    settings: Sequence[str],
    as_json: bool,
    *,
    compare: bool = False,
) -> int:
    """Materialize and print; raises ConfigError on unknown names, RunFailed when a step fails.

    `compare`: then also the comparison of sampling strategies, where it is not fresh.
    """
    tags = [target_language(loaded, text, "--language") for text in languages]
    strange = [name for name in select if name not in NODES]
    if strange:
        raise ConfigError(
            f"--select: received {', '.join(strange)}; allowed are {', '.join(NODES)}"
        )
    override = parse_settings(settings)
    if override:
        with_overrides(loaded.project, override)
    # Dagster is imported here and not above, so that `compass --help` answers at once.
    from compass_assets import step
    from compass_assets.cli.status_cmd import show_warnings
    from compass_assets.runner import Runner, open_instance
    from compass_core.stages.status import warnings_of

    console = terminal(stderr=as_json)
    started = time.monotonic()

    def show(asset: str, partition: str, text: str) -> None:
        if text != "started":
            console.print(
                f"[dim]{time.monotonic() - started:6.1f} s[/]  [cyan]{partition:<8}[/] "
                f"[bold]{asset}[/]  {text}",
                soft_wrap=True,
            )

    step.listeners.append(show)
    try:
        with (
            open_instance(loaded) as instance,
            Runner(loaded, instance, override, console.print) as runner,
        ):
            outcome = runner.materialize(tags or None, select or None, compare=compare)
    finally:
        step.listeners.remove(show)
    if as_json:
        typer.echo(
            json.dumps(
                {"runs": outcome.runs, "assets": outcome.assets, "wall_s": outcome.wall_s}, indent=2
            )
        )
    elif not outcome.runs:
        console.print("everything is fresh, nothing to do")
    else:
        console.print(f"{len(outcome.assets)} partitions materialized in {outcome.wall_s:.1f} s")
    if not as_json:
        show_warnings(warnings_of(runner.workspace, tags or loaded.project.languages.targets))
    return 0


def target_language(loaded: LoadedProject, text: str, option: str) -> str:
    """Standard tag of a target; raises ConfigError naming the option and what is allowed."""
    targets = loaded.project.languages.targets
    try:
        tag = standard_tag(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
    if tag not in targets:
        raise ConfigError(
            f"{option}: received {text!r}; allowed are {', '.join(targets)} "
            "(languages.targets in compass.yaml)"
        )
    return tag


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """`sampling.budget=5000` pairs to a nested dict; values are YAML."""
    from ruamel.yaml import YAML

    nested: dict[str, Any] = {}
    for pair in settings:
        key, mark, value = pair.partition("=")
        if not mark or not key:
            raise ConfigError(
                f"--set: received {pair!r}; allowed is key=value, as sampling.budget=5000"
            )
        place = nested
        *sections, last = key.strip().split(".")
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = YAML(typ="safe").load(value)
    return nested
