"""False alarms and detection of the drift verdict, beside other rules on the same streams.

    python -m benchmarks.drift [--quiet-streams 1000] [--shift-streams 60] [--out benchmarks/drift_results]

A stream is a simulated language: ten anchor days, then a month with one look a day at the last
seven days (`drift_streams.py` says how streams are made, `drift_rivals.py` what the other rules
are). Quiet months count false alarms; months with a planted shift on day 8 count detection and
delay. Settings are the project's defaults. Each finished setting is written at once, and a run that
was stopped goes on where it was. The figure is drawn by `python -m benchmarks.drift_figure`.
"""

import json
import os
import platform
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.drift_rivals import mmd_p_value, rule_alarms
from benchmarks.drift_streams import (
    ANCHOR_DAYS,
    DAYS,
    SHIFT_DAY,
    Shift,
    Stream,
    World,
    make_stream,
    make_world,
)
from compass_core.config.schema import Drift
from compass_core.drift.looks import LOOKS
from compass_core.drift.sample import ALONE
from compass_core.drift.verdict import drift_verdict

SETTINGS = Drift()
# Fewer draws in the test's first stages than a report makes: p-values are as valid, only coarser
# where nothing is near an alarm, and 30,000 looks a setting are affordable.
STAGES = (64, 256, 1_024, 4_096, 20_000)
IGNORED_STREAMS = 100  # of each bursty setting that are also judged as if users did not matter


@dataclass(frozen=True)
class Setting:
    clusters: int
    prompts_a_day: int
    kind: str = "none"
    size: float = 0.0
    bursty: bool = False
    window_days: int = SETTINGS.window_days

    @property
    def name(self) -> str:
        users = "bursty" if self.bursty else "independent"
        days = "" if self.window_days == SETTINGS.window_days else f"-{self.window_days}d"
        return f"{self.kind}-{self.size:g}-k{self.clusters}-n{self.prompts_a_day}-{users}{days}"


QUIET = [
    Setting(100, 100),
    Setting(100, 100, bursty=True),
    Setting(100, 40),
    Setting(20, 40),
    Setting(20, 40, bursty=True),
    Setting(100, 400),
]
SIZES = {
    "one_cluster": (0.04, 0.08, 0.16),
    "several_clusters": (0.08, 0.16, 0.32),
    "new_topic": (0.04, 0.08, 0.16),
    "ramp": (0.1, 0.2, 0.4),
}
SHIFTED = [
    *[Setting(100, n, kind, s) for n in (100, 40, 400) for kind in SIZES for s in SIZES[kind]],
    *[Setting(100, 100, kind, SIZES[kind][1], bursty=True) for kind in SIZES],
    *[Setting(20, 40, kind, SIZES[kind][1]) for kind in SIZES],
]


def look(
    stream: Stream, day: int, setting: Setting, mmd: bool, ignore: bool
) -> dict[str, Any]:
    """Every rule's answer on one day. `p` and `bits` are kept for rules that are set afterwards."""
    rows = stream.between(max(0, day - setting.window_days + 1), day)
    before = stream.between(-ANCHOR_DAYS, -1)
    window, anchor = stream.sample(rows), stream.sample(before)
    settings = SETTINGS.model_copy(update={"window_days": setting.window_days})
    found = drift_verdict(window, anchor, settings, seed=day, stages=STAGES)
    answer: dict[str, Any] = {
        "compass": found.verdict == "drift",
        "bonferroni": found.verdict == "drift" and LOOKS * (found.p_value or 1) < settings.alpha,
        "bits": found.jsd_bits,
        "effect": found.design_effect,
    }
    if found.verdict == "insufficient_data":
        return answer
    answer |= rule_alarms(window, anchor)
    if ignore:
        alone = [replace(s, users=np.full(s.rows, ALONE)) for s in (window, anchor)]
        blind = drift_verdict(alone[0], alone[1], settings, seed=day, stages=STAGES)
        answer["users_ignored"] = blind.verdict == "drift"
    if mmd:
        p = mmd_p_value(stream.vectors(rows), stream.vectors(before), seed=day)
        answer |= {"mmd_0.05": p < 0.05, "mmd_bonferroni": p < settings.alpha / LOOKS}
    return answer


def run_setting(
    world: World, setting: Setting, streams: int, mmd_streams: int
) -> dict[str, Any]:
    """First alarm of every rule in every stream (None: none), and figures of the windows."""
    started = time.process_time()
    first: dict[str, list[int | None]] = {}
    largest_bits, effects = [], []
    for number in range(streams):
        shift = Shift(setting.kind, setting.size)
        stream = make_stream(world, number, setting.prompts_a_day, shift, setting.bursty)
        mmd, ignore = number < mmd_streams, setting.bursty and number < IGNORED_STREAMS
        alarms: dict[str, int | None] = {}
        bits: list[float] = []
        for day in range(DAYS):
            answer = look(stream, day, setting, mmd, ignore)
            bits.append(answer.pop("bits") or 0.0)
            effects.append(answer.pop("effect") or 1.0)
            for rule, alarmed in answer.items():
                if alarms.get(rule) is None:
                    alarms[rule] = day if alarmed else None
            over = setting.kind != "none" and all(day is not None for day in alarms.values())
            if over and len(alarms) > 2:
                break  # nothing is left to be found in this stream
        for rule, day_of in alarms.items():
            first.setdefault(rule, []).append(day_of)
        largest_bits.append([round(value, 5) for value in bits])
    return {
        "setting": asdict(setting),
        "streams": streams,
        "first_alarm": first,
        "bits_by_day": largest_bits,
        "design_effect_mean": float(np.mean(effects)),
        "cpu_s": round(time.process_time() - started, 1),
    }


def main(
    quiet_streams: Annotated[int, typer.Option(help="Quiet streams a setting.")] = 1_000,
    shift_streams: Annotated[int, typer.Option(help="Streams a planted shift.")] = 50,
    mmd_streams: Annotated[int, typer.Option(help="Streams of each that MMD also sees.")] = 30,
    out: Annotated[Path, typer.Option(help="Folder for raw results.")] = Path(
        "benchmarks/drift_results"
    ),
) -> None:
    """Run every setting that has no result yet, and print the summary."""
    from benchmarks.drift_summary import print_summary, write_summary

    out.mkdir(parents=True, exist_ok=True)
    worlds = {k: make_world(k) for k in (20, 100)}
    for setting in [*QUIET[:2], *SHIFTED[:12], *QUIET[2:], *SHIFTED[12:]]:
        file = out / "raw" / f"{setting.name}.json"
        if file.exists():
            continue
        file.parent.mkdir(exist_ok=True)
        streams = quiet_streams if setting.kind == "none" else shift_streams
        result = run_setting(worlds[setting.clusters], setting, streams, mmd_streams)
        result["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(result))
        temporary.rename(file)
        print(f"{setting.name}: {streams} streams, {result['cpu_s']} s", flush=True)
    print_summary(write_summary(out, SHIFT_DAY))


if __name__ == "__main__":
    typer.run(main)
