"""The command: `python -m experiments.selection [world|real|report]`; without a name all three."""

import time
from pathlib import Path
from typing import Annotated

import typer

from compass_core.sampling.strategies import STRATEGIES

app = typer.Typer(add_completion=False, no_args_is_help=False, help=__doc__)
HERE = Path(__file__).parent
WORK = Path("data/experiments/selection")
SHARED = Path("../shared/data")
WORLDS = "17,18,19,20,21"
SEEDS = "17,18,19,20,21"
BUDGETS = "600,1200,2400"
DOCUMENT = Path("docs/experiments/selection.md")
started = time.monotonic()


def report(text: str) -> None:
    print(f"{time.monotonic() - started:7.0f} s  {text}", flush=True)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.strip()]


@app.callback(invoke_without_command=True)
def everything(context: typer.Context) -> None:
    """All steps, one after the other, unless one is named."""
    if context.invoked_subcommand is None:
        world()
        real()
        write()


@app.command()
def world(
    work: Annotated[Path, typer.Option(help="Projects and finished cells.")] = WORK,
    worlds: Annotated[str, typer.Option(help="Seeds of worlds.")] = WORLDS,
    seeds: Annotated[str, typer.Option(help="Runs, dealt to the worlds in turn.")] = SEEDS,
    languages: Annotated[str, typer.Option(help="Target languages.")] = "sw,hi,ar",
    budgets: Annotated[str, typer.Option(help="Supervised tokens of auxiliary data.")] = BUDGETS,
    strategies: Annotated[str, typer.Option(help="Names; default: all there are.")] = "",
    full: Annotated[bool, typer.Option(help="all_data with its whole epochs.")] = False,
    refresh: Annotated[bool, typer.Option(help="Choose again; train what changed.")] = False,
    choose_only: Annotated[bool, typer.Option(help="Train nothing.")] = False,
) -> None:
    """All strategies x languages x budgets x seeds on the sample world."""
    from experiments.selection import cells
    from experiments.selection import world as sample

    names = strategies.split(",") if strategies else list(STRATEGIES)
    numbers, runs, folder = _numbers(worlds), _numbers(seeds), work.resolve() / "world"
    projects = {n: sample.prepare(n, work.resolve() / f"world-{n}", report) for n in numbers}
    facts_of = {n: sample.WorldFacts(ws) for n, ws in projects.items()}
    turns = [(language, *turn) for language in languages.split(",") for turn in enumerate(runs)]
    for language, turn, seed in turns:
        number = numbers[turn % len(numbers)]
        facts = facts_of[number]
        wanted = [
            cells.Cell(f"w{number}", language, name, budget, seed, full and name == "all_data")
            for budget in _numbers(budgets)
            for name in names
        ]
        if choose_only:
            cells.run_choices(projects[number], wanted, folder, facts, report)
            continue
        trained = cells.run_cells(
            projects[number], wanted, folder, facts, sample.score, report, refresh
        )
        report(f"{language}, seed {seed}, world {number}: {len(wanted)} cells, {trained} trained")


@app.command()
def real(
    shared: Annotated[Path, typer.Option(help="Folder with instruction_pool.parquet.")] = SHARED,
    work: Annotated[Path, typer.Option(help="Projects and finished cells.")] = WORK,
    seeds: Annotated[str, typer.Option(help="Runs.")] = SEEDS,
    languages: Annotated[str, typer.Option(help="Target languages.")] = "tr,bg,vi",
    budgets: Annotated[str, typer.Option(help="Supervised tokens of auxiliary data.")] = "3000",
    strategies: Annotated[str, typer.Option(help="Names; default: all there are.")] = "",
    choose_only: Annotated[bool, typer.Option(help="Train nothing.")] = False,
) -> None:
    """The same on real text, with models made from a part of it."""
    from experiments.selection import cells
    from experiments.selection import real as text

    ws = text.prepare(shared, work.resolve() / "real-text", report)
    facts, folder = text.RealFacts(ws, shared), work.resolve() / "real"
    for language in languages.split(","):
        for seed in _numbers(seeds):
            wanted = [
                cells.Cell("real", language, name, budget, seed)
                for budget in _numbers(budgets)
                for name in (strategies.split(",") if strategies else STRATEGIES)
            ]
            if choose_only:
                cells.run_choices(ws, wanted, folder, facts, report)
                continue
            trained = cells.run_cells(ws, wanted, folder, facts, text.score, report)
            report(f"{language}, seed {seed}: {len(wanted)} cells, {trained} trained now")


@app.command("report")
def write(
    work: Annotated[Path, typer.Option(help="Where the finished cells are.")] = WORK,
    document: Annotated[Path, typer.Option(help="Its marked parts are rewritten.")] = DOCUMENT,
) -> None:
    """CSV files, tables and pictures from the cells there are."""
    from experiments.selection.report import write_report

    for name in write_report(work.resolve(), HERE, document):
        report(f"wrote {name}")


if __name__ == "__main__":
    app()
