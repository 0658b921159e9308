"""The whole experiment, one command, resumable: what has a result file is not run again.

    python -m experiments.continual.run [--seeds 5] [--until 21:00] [--only METHOD ...]
    python -m experiments.continual.run --streams real --shared ../shared/data

Both streams, then the page with the tables. Results are small JSON files in
experiments/continual/results; work files lie under data/cache/continual.
"""

import argparse
import json
import os
import time
from pathlib import Path

from compass_core.config.schema import BaseModelSettings
from experiments.continual import report
from experiments.continual.chain import ADAPTER, METHODS, ROOT, Method, run_chain
from experiments.continual.real_stream import EPOCHS, make_real_stream
from experiments.continual.stream import make_stream

RESULTS = Path(__file__).parent / "results"
REAL = RESULTS / "real"
WORK = ROOT / "data" / "cache" / "continual"
BASE = BaseModelSettings(model="data/models/base")

ABLATIONS = {
    "naive rate=0.25": Method(rate=0.25),
    "ecda beta=1 rate=0.25": Method(lambda_=2.0, beta=1.0, rate=0.25),
    "ecda beta=1 buffer=1 rate=0.25": Method(lambda_=2.0, beta=1.0, buffer=1.0, rate=0.25),
    "ecda beta=1 rate=0.5": Method(lambda_=2.0, beta=1.0, rate=0.5),
    "ecda rate=0.25": Method(lambda_=2.0, beta=0.1, rate=0.25),
    "ecda rate=0.25 fisher=48": Method(lambda_=2.0, beta=0.1, rate=0.25, fisher=48),
    "ecda lambda=0.5": Method(lambda_=0.5, beta=0.1),
    "ecda lambda=8": Method(lambda_=8.0, beta=0.1),
    "ecda beta=1": Method(lambda_=2.0, beta=1.0),
    "ecda buffer=0.2": Method(lambda_=2.0, beta=0.1, buffer=0.2),
    "ecda beta=1 buffer=0.2": Method(lambda_=2.0, beta=1.0, buffer=0.2),
}
ALL = {**METHODS, **ABLATIONS}
STREAMS = ("world", "real")
# Of the ablations the default, and what is offered beside it: a chain of real text takes minutes.
ON_REAL = [*METHODS, "naive rate=0.25", "ecda rate=0.25", "ecda beta=1 rate=0.25"]
ON_REAL.append("ecda rate=0.25 fisher=48")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--until", help="HH:MM (local); nothing is started after it")
    parser.add_argument("--only", nargs="*", choices=list(ALL), help="default: all of the stream")
    parser.add_argument("--streams", nargs="*", default=list(STREAMS), choices=STREAMS)
    parser.add_argument(
        "--shared",
        type=Path,
        default=Path("../shared/data"),
        help="folder of the real prompts and instructions; without it their stream is left out",
    )
    arguments = parser.parse_args()
    for name in arguments.streams:
        if name == "real" and not arguments.shared.is_dir():
            print(f"{arguments.shared} is not there: the stream of real prompts is left out")
            continue
        if not _run(name, arguments):
            print("stopped at", time.strftime("%H:%M"))
            break
    report.main()


def _run(stream_name: str, arguments: argparse.Namespace) -> bool:
    """All chains of a stream that have no result; False where the time was over before the end."""
    real = stream_name == "real"
    results, work = (REAL, WORK / "real") if real else (RESULTS, WORK)
    adapter = ADAPTER.model_copy(update={"epochs": EPOCHS}) if real else ADAPTER
    results.mkdir(exist_ok=True, parents=True)
    for seed in range(arguments.seeds):
        stream = make_real_stream(seed, arguments.shared) if real else make_stream(seed)
        for name in arguments.only or (ON_REAL if real else ALL):
            path = results / f"{name.replace(' ', '_')}-{seed}.json"
            if path.exists():
                continue
            if arguments.until and time.strftime("%H:%M") >= arguments.until:
                return False
            started = time.monotonic()
            figures = run_chain(stream, ALL[name], seed, work / str(seed), BASE, adapter)
            figures |= {"name": name, "wall_s": time.monotonic() - started, "load": os.getloadavg()}
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(figures, indent=1))
            os.replace(temporary, path)
            print(
                f"{time.strftime('%H:%M:%S')} {stream_name}, seed {seed}, {name}: "
                f"{figures['wall_s']:.0f} s",
                flush=True,
            )
    return True


if __name__ == "__main__":
    main()
