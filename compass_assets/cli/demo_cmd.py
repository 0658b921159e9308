"""`compass demo`: the sample project, the whole graph, a small table, and where to look next."""

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compass_assets.cli.materialize_cmd import run_materialize
from compass_assets.cli.terminal import terminal
from compass_core import layout
from compass_core.config.load import LoadedProject
from compass_core.workspace import Workspace

SAMPLE_SEED = 17
MARK = "data/corpora/.sample-complete"


def run_demo(loaded: LoadedProject) -> int:
    """Make the sample inputs once, materialize what is not fresh, compare with random sampling."""
    console = terminal()
    started = time.monotonic()
    prepare_sample(loaded.directory, console)
    # The comparison draws the same budget at random: without it the gain would say nothing.
    run_materialize(loaded, [], [], [], as_json=False, compare=True)
    ws = Workspace.open(loaded)
    console.print(_table(ws))
    console.print(_verdict(ws))
    console.print(
        f"\n[dim]{time.monotonic() - started:.0f} s.[/] Where to look:\n"
        "  make dev                         the graph in the Dagster UI, http://127.0.0.1:3000\n"
        "  .venv/bin/compass status         what is fresh, what is stale and why\n"
        "  .venv/bin/compass gaps sw        what Swahili users ask that training lacks\n"
        "  .venv/bin/compass report sw      everything about Swahili on one page; --open shows it\n"
        f'  .venv/bin/compass query "SELECT * FROM scores_summary"\n'
    )
    return 0


def prepare_sample(directory: Path, console: Console) -> None:
    """Write the sample inputs unless they are there; never over files that a person put there."""
    from compass_core.world.generate import write_sample_project

    mark = directory / MARK
    if mark.exists():
        return
    console.print("making the sample project: corpora, 30 days of logs, benchmark items")
    write_sample_project(directory / "data", seed=SAMPLE_SEED)
    mark.write_text("made by `compass demo`; delete this file to have the sample made again\n")


def _comparison(ws: Workspace, language: str) -> dict[str, dict[str, Any]]:
    frame = ws.store.read_parquet(layout.comparison(language))
    return {row["strategy"]: row for row in frame.to_dicts()}


def _table(ws: Workspace) -> Table:
    table = Table(
        title="Accuracy on held-out items, per cent",
        caption="base: the model alone; corpus: trained on the training corpus; + random, + aimed: "
        "and on the same budget of auxiliary data, drawn at random or aimed at the gaps",
    )
    columns = ("language", "items", "base", "corpus", "+ random", "+ aimed")
    for name in (*columns, "aimed - random", "p"):
        table.add_column(name, justify="left" if name == "language" else "right")
    for language in ws.targets:
        rows = _comparison(ws, language)
        gap, none, drawn = rows["gap_waterfill"], rows["none"], rows["random"]
        table.add_row(
            language,
            str(gap["items"]),
            f"{100 * gap['base_accuracy']:.1f}",
            f"{100 * none['accuracy']:.1f}",
            f"{100 * drawn['accuracy']:.1f}",
            f"{100 * gap['accuracy']:.1f}",
            f"{gap['difference_points']:+.1f} "
            f"[{gap['low_points']:+.1f}, {gap['high_points']:+.1f}]",
            f"{gap['p_value']:.4f}",
        )
    return table


def _verdict(ws: Workspace) -> str:
    """Said from the figures: the effect may fail to appear, and then this says so."""
    helped: list[str] = []
    harmed: list[str] = []
    unclear: list[str] = []
    for language in ws.targets:
        gap = _comparison(ws, language)["gap_waterfill"]
        if gap["p_value"] < 0.05:
            (helped if gap["difference_points"] > 0 else harmed).append(language)
        else:
            unclear.append(language)
    parts = []
    if helped:
        parts.append(f"better than random sampling of the same budget: {', '.join(helped)}")
    if unclear:
        parts.append(f"no significant difference: {', '.join(unclear)}")
    if harmed:
        parts.append(f"worse: {', '.join(harmed)}")
    return "Gap-targeted data, paired test on the same items: " + "; ".join(parts) + "."
