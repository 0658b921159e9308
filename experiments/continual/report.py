"""Tables of the experiment, from its result files: `python -m experiments.continual.report`.

Writes docs/experiments/continual.md. Whatever is complete is reported, with the number of seeds.
"""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

RESULTS = Path(__file__).parent / "results"
REAL = RESULTS / "real"
OUT = Path(__file__).parent.parent.parent / "docs" / "experiments" / "continual.md"
HEAD = Path(__file__).parent / "head.md"
SEEN_RISE = 0.02  # nats per token: what the old loss has to rise for a ratio to mean something


def figures(result: dict[str, Any]) -> dict[str, Any]:
    """Accuracy over time and what follows from it, in points; costs in supervised tokens.

    `matrix[t][s]`: accuracy after step t on the usage of step s. Forgetting: mean over earlier
    steps of the best accuracy there before the last step, minus the one at the end. Backward
    transfer: mean over earlier steps of the accuracy at the end minus that when it was current.
    """
    usages, steps = result["usage"], result["accuracy"]
    last = len(usages) - 1
    matrix = [[100 * sum(u[k] * a[k] for k in u) for u in usages] for a in steps]
    costs = result["costs"][1:]
    return {
        "new": [matrix[t][t] for t in range(last + 1)],
        "final_new": matrix[last][last],
        "final_old": mean(matrix[last][s] for s in range(last)),
        "forgetting": mean(
            max(matrix[t][s] for t in range(s, last)) - matrix[last][s] for s in range(last)
        ),
        "backward": mean(matrix[last][s] - matrix[s][s] for s in range(last)),
        "tokens": sum(c["tokens"] + c["fisher_tokens"] + c.get("probe_tokens", 0) for c in costs),
        "wall_s": sum(c["wall_s"] + c["fisher_s"] for c in costs),
        "ratios": _given(costs, "penalty_per_task_loss"),
        "scales": _given(costs, "scale"),
        "rates": [
            c["final_surrogate"] / c["final_rise"]
            for c in costs
            if (c.get("final_rise") or 0) > SEEN_RISE
        ],
    }


def _given(costs: list[dict[str, Any]], name: str) -> list[float]:
    """A figure of those updates that have it; 0 is one."""
    return [c[name] for c in costs if c.get(name) is not None]


def main() -> None:
    text = HEAD.read_text(encoding="utf-8").rstrip()
    sections = {"The stream of the sample world": RESULTS, "The stream of real prompts": REAL}
    for title, folder in sections.items():
        by_name = _read(folder)
        if by_name:
            tables = (_main_table(by_name), _time_table(by_name), _scale_table(by_name))
            text += f"\n\n## {title}\n\n" + "\n\n".join(tables)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(text + "\n", encoding="utf-8")


def _read(folder: Path) -> dict[str, dict[int, dict[str, Any]]]:
    by_name: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        by_name[result["name"]][result["seed"]] = figures(result)
    return by_name


def _main_table(by_name: dict[str, dict[int, dict[str, Any]]]) -> str:
    """Costs and forgetting are relative to `full` and `naive` of the same seeds."""
    lines = [
        "| method | seeds | new usage, end | old usage, end | forgetting | share of naive's | "
        "backward transfer | tokens / full | seconds / full |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, seeds in by_name.items():
        cells = [name, str(len(seeds))]
        for key in ("final_new", "final_old", "forgetting"):
            cells.append(_spread([f[key] for f in seeds.values()]))
        cells.append(_relative(seeds, by_name.get("naive", {}), "forgetting"))
        cells.append(_spread([f["backward"] for f in seeds.values()]))
        cells += [_relative(seeds, by_name.get("full", {}), key) for key in ("tokens", "wall_s")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _time_table(by_name: dict[str, dict[int, dict[str, Any]]]) -> str:
    lines = ["Accuracy on the usage of the step itself, as the stream goes on:", ""]
    steps = len(next(iter(next(iter(by_name.values())).values()))["new"])
    lines.append("| method | " + " | ".join(f"step {t}" for t in range(steps)) + " |")
    lines.append("|---|" + "---:|" * steps)
    for name, seeds in by_name.items():
        cells = [_spread([f["new"][t] for f in seeds.values()]) for t in range(steps)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _scale_table(by_name: dict[str, dict[int, dict[str, Any]]]) -> str:
    lines = [
        "Scale that calibration gave the Fisher, and penalty / task loss in the last ten steps "
        "(lowest and highest over seeds and updates). Off: updates whose scale is 0 at the end, "
        "because the old loss had not risen. Surrogate / rise: what the scaled quadratic takes the "
        "rise of the old loss for where an update ends, over the real rise (median; lowest and "
        "highest; of those updates where it rose by 0.02 nats a token or more).",
        "",
        "| method | scale | penalty / task loss | off | surrogate / rise |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, seeds in by_name.items():
        scales = [s for f in seeds.values() for s in f["scales"]]
        ratios = [r for f in seeds.values() for r in f["ratios"]]
        if scales and ratios:
            lines.append(
                f"| {name} | {min(scales):.1f} to {max(scales):.1f} | "
                f"{min(ratios):.2f} to {max(ratios):.2f} | "
                f"{sum(s == 0 for s in scales)} of {len(scales)} | "
                f"{spread_of([r for f in seeds.values() for r in f['rates']])} |"
            )
    return "\n".join(lines)


def spread_of(rates: list[float]) -> str:
    """Median, lowest and highest of ratios, and of how many."""
    if not rates:
        return "-"
    return f"{median(rates):.2f} [{min(rates):.2f}, {max(rates):.2f}], {len(rates)}"


def _spread(values: list[float]) -> str:
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def _relative(
    seeds: dict[int, dict[str, Any]], reference: dict[int, dict[str, Any]], key: str
) -> str:
    both = [s for s in seeds if s in reference]
    below = sum(reference[s][key] for s in both)
    if not both or below == 0:
        return "not run"
    return f"{100 * sum(seeds[s][key] for s in both) / below:.0f} %"


if __name__ == "__main__":
    main()
