"""The command: `python -m experiments.selection [world|real|report]`; without a name all three."""

import time
from pathlib import Path
from typing import Annotated

import typer

from compass_core.sampling.strategies import STRATEGIES

app = typer.Typer(add_completion=False, no_args_is_help=False, help=__doc__)
HERE = Path(__file__).parent
WORK = Path("data/experiments/selection")
WORLDS = "17,18"
SEEDS = "17,18,19,20,21,22"
BUDGETS = "1200"
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


@app.command()
def world(
    work: Annotated[Path, typer.Option(help="Projects and finished cells.")] = WORK,
    worlds: Annotated[str, typer.Option(help="Seeds of worlds.")] = WORLDS,
    seeds: Annotated[str, typer.Option(help="Runs, dealt to the worlds in turn.")] = SEEDS,
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
    numbers, folder = _numbers(worlds), work.resolve() / "world"
    projects = {n: sample.prepare(n, work.resolve() / f"world-{n}", report) for n in numbers}
    for turn, seed in enumerate(_numbers(seeds)):
        number = numbers[turn % len(numbers)]
        facts = sample.WorldFacts(projects[number])
        wanted = [
            cells.Cell(f"w{number}", language, name, budget, seed, full and name == "all_data")
            for language in sample.LANGUAGES
            for budget in _numbers(budgets)
            for name in names
        ]
        if choose_only:
            cells.run_choices(projects[number], wanted, folder, facts, report)
            continue
        trained = cells.run_cells(
            projects[number], wanted, folder, facts, sample.score, report, refresh
        )
        report(f"seed {seed} in world {number}: {len(wanted)} cells, {trained} trained now")


if __name__ == "__main__":
    app()
