"""What the raw results of the drift benchmark say, as one table.

    python -m benchmarks.drift_summary [--out benchmarks/drift_results]

`tuned_bits` is a rule that nobody can have: a fixed threshold on the divergence, set afterwards so
that one of a hundred of the very same quiet streams would have alarmed. It shows what knowing the
noise is worth, and what it is not.
"""

import csv
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.drift_streams import SHIFT_DAY
from compass_core.benchmarks.stats import accuracy

TUNED = "tuned_bits"
Row = dict[str, Any]


def summarise(out: Path) -> list[Row]:
    """One row a setting and rule, from the raw files; also written as summary.csv."""
    raw = [json.loads(file.read_text()) for file in sorted((out / "raw").glob("*.json"))]
    limits = {_noise(r): _limit(r) for r in raw if r["setting"]["kind"] == "none"}
    rows: list[Row] = []
    for result in sorted(raw, key=_order):
        first = dict(result["first_alarm"])
        if _noise(result) in limits:
            first[TUNED] = [
                _crossed(bits, limits[_noise(result)]) for bits in result["bits_by_day"]
            ]
        for rule, days in first.items():
            rows.append({**_names(result), "rule": rule, **_figures(result, days)})
    with (out / "summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def _names(result: Row) -> Row:
    setting = result["setting"]
    names = ("kind", "size", "clusters", "prompts_a_day", "bursty")
    return {name: setting[name] for name in names}


def _noise(result: Row) -> tuple[int, int, bool]:
    setting = result["setting"]
    return setting["clusters"], setting["prompts_a_day"], setting["bursty"]


def _order(result: Row) -> tuple[Any, ...]:
    kinds = ["none", "one_cluster", "several_clusters", "new_topic", "ramp"]
    setting = result["setting"]
    return (kinds.index(setting["kind"]), *_noise(result), setting["size"])


def _limit(result: Row) -> float:
    return float(np.quantile([max(bits) for bits in result["bits_by_day"]], 0.99))


def _crossed(bits: list[float], limit: float) -> int | None:
    return next((day for day, value in enumerate(bits) if value > limit), None)


def _figures(result: Row, days: list[int | None]) -> Row:
    """Alarms before anything happened and, with a shift, detections and their delay in days.

    A stream that alarmed before the shift counts as a false alarm and as no detection.
    """
    quiet = result["setting"]["kind"] == "none"
    early = [d is not None and (quiet or d < SHIFT_DAY) for d in days]
    hits = [d - SHIFT_DAY for d in days if d is not None and not quiet and d >= SHIFT_DAY]
    false = accuracy(np.array(early))
    return {
        "streams": len(days),
        "false_alarms": int(sum(early)),
        "false_alarm_percent": round(100 * false.accuracy, 2),
        "false_alarm_high_percent": round(100 * false.high, 2),
        "detected_percent": None if quiet else round(100 * len(hits) / len(days), 1),
        "delay_median_days": float(np.median(hits)) if hits else None,
    }


def print_rows(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=180).print(table)


def main(
    out: Annotated[Path, typer.Option(help="Folder of raw results.")] = Path(
        "benchmarks/drift_results"
    ),
) -> None:
    """Print the table and write summary.csv."""
    print_rows(summarise(out))


if __name__ == "__main__":
    typer.run(main)
