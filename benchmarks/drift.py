"""False alarms and detection of the drift verdict, beside other rules on the same streams.

    python -m benchmarks.drift [--quiet-streams 1000] [--shift-streams 30] [--mmd-streams 10]
        [--mmd-quiet-streams 100]

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
from scipy.stats import chi2, norm

from benchmarks.drift_rivals import mmd_p_value, rule_alarms
from benchmarks.drift_streams import (
    ANCHOR_DAYS,
    DAYS,
    Shift,
    Stream,
    World,
    make_stream,
    make_world,
)
from compass_core.config.schema import Drift
from compass_core.drift.design_effect import design_effects
from compass_core.drift.looks import LOOKS
from compass_core.drift.permutation import scores
from compass_core.drift.sample import ALONE, Sample
from compass_core.drift.verdict import drift_verdict
from compass_core.gaps.divergence import jsd_bits

SETTINGS = Drift()
# Fewer draws in the test's first stages than a report makes: p-values are as valid, only coarser
# where nothing is near an alarm, and 30,000 looks a setting are affordable.
STAGES = (64, 256, 1_024, 4_096, 20_000)
UNSCREENED = 10  # streams of each setting in which every look is judged in full
SCREEN = 0.1
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
    *[Setting(100, 100, kind, size) for kind in SIZES for size in SIZES[kind]],
    *[Setting(100, 40, kind, SIZES[kind][1]) for kind in SIZES],
    *[Setting(100, 100, kind, SIZES[kind][1], bursty=True) for kind in SIZES],
    *[Setting(100, 40, kind, SIZES[kind][2]) for kind in SIZES],
    *[Setting(100, 400, kind, SIZES[kind][0]) for kind in SIZES],
    *[Setting(20, 40, kind, SIZES[kind][1]) for kind in SIZES],
]


def plainly_quiet(window: Sample, anchor: Sample) -> bool:
    """Whether both statistics are so ordinary that the permutation null need not be drawn.

    By the chi-square and the normal approximation each has a chance above one in ten, where an
    alarm needs one in two thousand. Saves nine tenths of the time. The first UNSCREENED streams of
    every setting do without it, and the run stops if that ever made a difference.
    """
    n, m = window.rows, anchor.rows
    if min(n, m) < SETTINGS.min_rows:
        return True
    overall, by_cell = design_effects(window, anchor)
    share = (window.counts + anchor.counts) / (n + m)
    change = window.counts / n - anchor.counts / m
    z = scores(change, share, n, m) / np.sqrt(np.maximum(overall, by_cell))
    tested = share >= SETTINGS.min_cluster_shift * min(n, m) / (n + m)
    seen = share > 0
    statistic = (change[seen] ** 2 / share[seen]).sum() / (1 / n + 1 / m) / overall
    if statistic > chi2.isf(SCREEN, max(1, seen.sum() - 1)):
        return False
    return not tested.any() or z[tested].max() < norm.isf(SCREEN / (2 * tested.sum()))


def verdicts(
    window: Sample, anchor: Sample, settings: Drift, seed: int, screened: bool
) -> tuple[bool, bool]:
    """Whether the drift verdict alarms, and whether it would with Bonferroni over the looks."""
    quiet = plainly_quiet(window, anchor)
    if quiet and screened:
        return False, False
    found = drift_verdict(window, anchor, settings, seed=seed, stages=STAGES)
    alarm = found.verdict == "drift"
    if alarm and quiet:
        raise RuntimeError("the screen of the benchmark hid an alarm: lower SCREEN")
    return alarm, alarm and LOOKS * (found.p_value or 1.0) < settings.alpha


def run_stream(stream: Stream, setting: Setting, number: int, mmd: bool) -> dict[str, Any]:
    """Day of the first alarm of every rule (None: none), and the divergence of every look."""
    settings = SETTINGS.model_copy(update={"window_days": setting.window_days})
    screened = number >= UNSCREENED
    rules = ["compass", "bonferroni", "fixed_0.1_bits", "evidently_default"]
    if setting.bursty and number < IGNORED_STREAMS:
        rules.append("users_ignored")
    if mmd:
        rules += ["mmd_0.05", "mmd_bonferroni"]
    first: dict[str, int | None] = dict.fromkeys(rules)
    bits: list[float] = []
    before = stream.between(-ANCHOR_DAYS, -1)
    anchor = stream.sample(before)
    for day in range(DAYS):
        rows = stream.between(max(0, day - setting.window_days + 1), day)
        window = stream.sample(rows)
        if window.rows < settings.min_rows:
            bits.append(0.0)
            continue
        waits = {rule for rule, alarm in first.items() if alarm is None}
        answer = rule_alarms(window, anchor)
        bits.append(round(jsd_bits(window.counts * 1.0, anchor.counts * 1.0), 5))
        if waits & {"compass", "bonferroni"}:
            pair = verdicts(window, anchor, settings, day, screened)
            answer |= dict(zip(("compass", "bonferroni"), pair, strict=True))
        if "users_ignored" in waits:
            alone = [replace(s, users=np.full(s.rows, ALONE)) for s in (window, anchor)]
            answer["users_ignored"] = verdicts(alone[0], alone[1], settings, day, screened)[0]
        if waits & {"mmd_0.05", "mmd_bonferroni"}:
            p = mmd_p_value(stream.vectors(rows), stream.vectors(before), seed=day)
            answer |= {"mmd_0.05": p < 0.05, "mmd_bonferroni": p < settings.alpha / LOOKS}
        for rule in waits:
            if answer.get(rule):
                first[rule] = day
    return {"first": first, "bits": bits}


def run_setting(world: World, setting: Setting, streams: int, mmd_streams: int) -> dict[str, Any]:
    started = time.process_time()
    first: dict[str, list[int | None]] = {}
    bits = []
    for number in range(streams):
        shift = Shift(setting.kind, setting.size)
        stream = make_stream(world, number, setting.prompts_a_day, shift, setting.bursty)
        found = run_stream(stream, setting, number, number < mmd_streams)
        bits.append(found["bits"])
        for rule, day in found["first"].items():
            first.setdefault(rule, []).append(day)
    cpu_s = round(time.process_time() - started, 1)
    kept = {"setting": asdict(setting), "streams": streams, "first_alarm": first, "cpu_s": cpu_s}
    return kept | {"bits_by_day": bits}


def main(
    quiet_streams: Annotated[int, typer.Option(help="Quiet streams a setting.")] = 1_000,
    shift_streams: Annotated[int, typer.Option(help="Streams a planted shift.")] = 30,
    mmd_streams: Annotated[int, typer.Option(help="Of a shift's streams, those MMD sees.")] = 10,
    mmd_quiet_streams: Annotated[int, typer.Option(help="The same of quiet ones.")] = 100,
    out: Annotated[Path, typer.Option(help="Folder for raw results.")] = Path(
        "benchmarks/drift_results"
    ),
) -> None:
    """Run every setting that has no result yet, and print the summary."""
    from benchmarks.drift_summary import print_rows, summarise

    out.mkdir(parents=True, exist_ok=True)
    worlds = {k: make_world(k) for k in (20, 100)}
    for setting in [*QUIET[:3], *SHIFTED[:16], *QUIET[3:], *SHIFTED[16:]]:
        file = out / "raw" / f"{setting.name}.json"
        if file.exists():
            continue
        file.parent.mkdir(exist_ok=True)
        quiet = setting.kind == "none"
        streams, mmd = (quiet_streams, mmd_quiet_streams) if quiet else (shift_streams, mmd_streams)
        result = run_setting(worlds[setting.clusters], setting, streams, mmd)
        result["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(result))
        temporary.rename(file)
        print(f"{setting.name}: {streams} streams, {result['cpu_s']} s", flush=True)
    print_rows(summarise(out))


if __name__ == "__main__":
    typer.run(main)
