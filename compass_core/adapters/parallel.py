"""One training in several processes of this machine, one GPU each (or a part of the CPU's cores).

    python -m compass_core.adapters.parallel JOB

is what each process runs; `train_together` writes the job, starts them by torchrun, as
`accelerate launch` does, and passes on what the leading one reports. Should one fail, torchrun ends
the others; should the process that started them die, they end themselves, so that a retry does not
meet them.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compass_core.adapters.model_folder import place
from compass_core.config.schema import Execution
from compass_core.errors import CompassError, TrainingError

Report = Callable[[str], None]
JOB, RESULT = "job.pkl", "result.json"
SAID = "\x1ereport "  # begins a line that is for `report`
WATCH_S = 2.0


def train_together(job: dict[str, Any], execution: Execution, report: Report) -> Any:
    """Run `train_adapter(**job)` in `execution.processes` processes; its result.

    Raises TrainingError with what a process said, where one refused or failed.
    """
    from compass_core.adapters.train import TrainResult

    _check_gpus(execution)
    with tempfile.TemporaryDirectory(prefix="compass-team-") as name:
        folder = Path(name)
        (folder / JOB).write_bytes(pickle.dumps(job))
        command = [
            *(sys.executable, "-m", "torch.distributed.run"),
            *("--standalone", "--nproc-per-node", str(execution.processes)),
            *("-m", "compass_core.adapters.parallel", str(folder)),
        ]
        report(f"training in {execution.processes} processes")
        done = _run(command, execution, report)
        result = folder / RESULT
        if done == 0 and result.is_file():
            return TrainResult(**json.loads(result.read_text(encoding="utf-8")))
        said = sorted(folder.glob("failed-*.txt"))
        reason = said[0].read_text(encoding="utf-8") if said else f"exit status {done}"
        raise TrainingError(
            f"one of {execution.processes} processes stopped the training: {reason}"
        )


def _check_gpus(execution: Execution) -> None:
    import torch

    if place(execution) == "cuda" and torch.cuda.device_count() < execution.processes:
        raise TrainingError(
            f"execution.processes: received {execution.processes}, and this machine has "
            f"{torch.cuda.device_count()} GPUs; allowed: at most one process a GPU"
        )


def _run(command: list[str], execution: Execution, report: Report) -> int:
    threads = execution.threads or os.cpu_count() or 1
    env = {
        **os.environ,
        "OMP_NUM_THREADS": str(max(1, threads // execution.processes)),
        "COMPASS_STARTED_BY": str(os.getpid()),
        # A module of this checkout is to be found from whatever directory the project is in.
        "PYTHONPATH": os.pathsep.join([p for p in sys.path if p]),
    }
    if sys.platform == "linux":
        # They are all on this machine; its host name may have no address in a container.
        env.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", env=env
    ) as started:
        assert started.stdout is not None
        try:
            for line in started.stdout:
                if line.startswith(SAID):
                    report(json.loads(line.removeprefix(SAID)))
                else:
                    print(line, end="", file=sys.stderr)
        except BaseException:
            started.terminate()
            raise
    return started.returncode


def main(folder: Path) -> None:
    """One process of the team."""
    _end_with(int(os.environ["COMPASS_STARTED_BY"]))
    from compass_core.adapters.train import train_adapter

    job = pickle.loads((folder / JOB).read_bytes())  # written by train_together
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    execution: Execution = job["execution"]
    if execution.threads:
        share = max(1, execution.threads // size)
        job["execution"] = execution.model_copy(update={"threads": share})

    def report(text: str) -> None:
        if rank == 0:
            print(f"{SAID}{json.dumps(text)}", flush=True)

    try:
        result = train_adapter(**job, report=report)
    except CompassError as error:
        (folder / f"failed-{rank}.txt").write_text(str(error), encoding="utf-8")
        raise
    if rank == 0:
        (folder / RESULT).write_text(json.dumps(asdict(result)), encoding="utf-8")


def _end_with(starter: int) -> None:
    """End this process when the one that started the team is gone."""
    import psutil

    born = psutil.Process(starter).create_time()

    def watch() -> None:
        while True:
            time.sleep(WATCH_S)
            try:
                alive = psutil.Process(starter).create_time() == born
            except psutil.NoSuchProcess:
                alive = False
            if not alive:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
