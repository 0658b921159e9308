"""Does λ mean the same at every size? One stream, base models and ranks of several sizes.

    python -m experiments.continual.sizes [--seeds 2] [--rate 0.25]    # resumable; prints its table

Base models of the sample world with half, once and twice the width (made here with the shipped
recipe but for the width), and adapters of ranks 4, 16 and 64 on the shipped one. Each is updated by
naive fine-tuning, by the penalty alone at λ = 2, and by the penalty with its raw Fisher (s = 1),
at a share of the learning rate of a full training: 1, or the default of updates, 0.25.
What must not depend on size for λ to mean the same: what the quadratic takes the rise of the old
loss for, over the real rise, where an update ends. Beside it penalty / task loss, and the share of
naive forgetting that is left; these depend on how much there is to forget.
"""

import argparse
import json
import os
from dataclasses import replace
from statistics import mean
from typing import Any

from compass_core.config.schema import BaseModelSettings
from compass_core.world.language_model import LanguageModelRecipe, make_language_model
from compass_core.world.plan import SEED
from experiments.continual.chain import ADAPTER, METHODS, ROOT, Method, run_chain
from experiments.continual.report import figures, spread_of
from experiments.continual.run import RESULTS, WORK
from experiments.continual.stream import make_stream

WIDTHS = {48: 96, 96: 192, 192: 384}  # hidden: feed-forward
RANKS = (4, 16, 64)
SHIPPED = 96
USED = {
    "naive": METHODS["naive"],
    "ewc": METHODS["ewc"],
    "ewc raw": Method(lambda_=2.0, scale=1.0),
}


def base_of(hidden: int) -> BaseModelSettings:
    """The base model of that width, made once."""
    if hidden == SHIPPED:
        return BaseModelSettings(model="data/models/base")
    folder = WORK / "bases" / str(hidden)
    if not (folder / "config.json").exists():
        recipe = replace(LanguageModelRecipe(), hidden=hidden, feed_forward=WIDTHS[hidden])
        make_language_model(folder, seed=SEED, recipe=recipe)
    return BaseModelSettings(model=str(folder.relative_to(ROOT)))


def cells() -> list[tuple[int, int]]:
    """(width, rank), the shipped model's ranks first."""
    return [(SHIPPED, rank) for rank in RANKS] + [(w, 16) for w in WIDTHS if w != SHIPPED]


def run_cell(hidden: int, rank: int, seed: int, name: str, rate: float) -> dict[str, Any]:
    label = name.replace(" ", "_") + ("" if rate == 1 else f"_rate={rate:g}")
    path = RESULTS / "sizes" / f"{label}-w{hidden}-r{rank}-{seed}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    adapter = ADAPTER.model_copy(update={"rank": rank, "alpha": 2 * rank})
    work = WORK / "sizes" / f"w{hidden}-r{rank}-{seed}"
    method = replace(USED[name], rate=rate)
    result = run_chain(make_stream(seed), method, seed, work, base_of(hidden), adapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1))
    os.replace(temporary, path)
    return result


def row(hidden: int, rank: int, results: dict[str, list[dict[str, Any]]]) -> str:
    """One line of the table; forgetting in points, each method's mean over seeds."""
    made = {name: [figures(result) for result in found] for name, found in results.items()}
    naive = mean(f["forgetting"] for f in made["naive"])
    cells = [str(hidden), str(rank), str(len(made["naive"])), f"{naive:.1f}"]
    for name in ("ewc", "ewc raw"):
        left = mean(f["forgetting"] for f in made[name])
        ratios = [ratio for f in made[name] for ratio in f["ratios"]] or [0.0]
        cells += [f"{left:.1f} ({100 * left / naive:.0f} %)", f"{mean(ratios):.3f}"]
        cells.append(spread_of([rate for f in made[name] for rate in f["rates"]]))
    scales = [scale for f in made["ewc"] for scale in f["scales"]] or [0.0]
    return "| " + " | ".join([*cells, f"{min(scales):.1f} to {max(scales):.1f}"]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--widths", type=int, nargs="*", default=list(WIDTHS), choices=list(WIDTHS))
    arguments = parser.parse_args()
    penalty = "forgets | penalty / task | surrogate / rise"
    print(
        f"| width | rank | seeds | naive forgets | λ = 2: {penalty} | raw Fisher: {penalty} | s |"
    )
    print("|" + "---:|" * 11)
    for hidden, rank in cells():
        if hidden not in arguments.widths:
            continue
        results = {
            name: [run_cell(hidden, rank, s, name, arguments.rate) for s in range(arguments.seeds)]
            for name in USED
        }
        print(row(hidden, rank, results), flush=True)


if __name__ == "__main__":
    main()
