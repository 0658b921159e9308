"""`compass export`: adapters and training sets in other tools' formats."""

from pathlib import Path

import typer

from compass_assets.cli.materialize_cmd import target_language
from compass_core.config.load import LoadedProject
from compass_core.errors import ConfigError
from compass_core.workspace import Workspace


def run_export(loaded: LoadedProject, text: str, to: Path, kind: str, version: str | None) -> int:
    """Write and say where. Raises CompassError with the way out where a format cannot hold it."""
    if kind == "llamafactory" and version is not None:
        raise ConfigError(
            f"--version: received {version}; a training set is kept as it is now and not by the "
            "adapter's version: leave it out, or use --format peft, merged or vllm"
        )
    ws = Workspace.open(loaded)
    language = target_language(loaded, text, "LANGUAGE")
    if kind == "peft":
        from compass_core.exports.adapter import export_peft

        typer.echo(str(export_peft(ws, language, version, to)))
    elif kind == "merged":
        from compass_core.exports.adapter import export_merged

        typer.echo(str(export_merged(ws, language, version, to)))
    elif kind == "vllm":
        from compass_core.exports.vllm import export_vllm

        typer.echo(str(export_vllm(ws, language, version, to)))
    else:
        from compass_core.exports.training_set import export_llamafactory

        typer.echo(str(export_llamafactory(ws, language, to)))
    return 0
