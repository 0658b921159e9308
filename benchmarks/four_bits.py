"""What QLoRA saves on the CPU, and what it costs.

    python -m benchmarks.four_bits

A Llama of 16 layers and width 1,024 (random weights, float32), one example of 64 tokens, so that
the frozen weights are most of the memory; once as it is and once in 4 bits, each in a process of
its own. Prints the growth of the private memory and of mapped files at their peaks, and seconds to
load and a step. Weights that are not quantised stay mapped from the file: its pages count as
resident, and are given back when others need them. One thread; needs 3 GB.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.memory_estimate import FAMILIES, SHAPE

WIDE = {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 16}
TOKENS, STEPS = 64, 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _run("write", folder)
        print("| base | estimated MB | private MB | mapped MB | load s | step s |")
        print("|---|---:|---:|---:|---:|---:|")
        for quantise in ("none", "4bit"):
            f = json.loads(_run(quantise, folder).splitlines()[-1])
            print(
                f"| {quantise} | {f['estimated'] / 1e6:.0f} | {f['private'] / 1e6:.0f} "
                f"| {f['mapped'] / 1e6:.0f} | {f['load_s']:.1f} | {f['step_s']:.2f} |",
                flush=True,
            )


def _run(what: str, folder: str) -> str:
    command = [sys.executable, "-m", "benchmarks.four_bits", what, folder]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def write(folder: Path) -> None:
    import transformers

    (folder / "config.json").write_text(json.dumps({**SHAPE, **WIDE, **FAMILIES["llama"]}))
    configs: Any = transformers.AutoConfig
    models: Any = transformers.AutoModelForCausalLM
    models.from_config(configs.from_pretrained(folder)).save_pretrained(folder)


def measure(folder: Path, quantise: str) -> dict[str, float]:
    import torch

    from compass_core.adapters.chat import Example
    from compass_core.adapters.loop import Training
    from compass_core.adapters.memory import estimate
    from compass_core.adapters.peft_model import adapted_model
    from compass_core.config.schema import Adapter, BaseModelSettings, Execution

    torch.set_num_threads(1)
    execution = Execution(device="cpu", threads=1)
    base = BaseModelSettings(model=str(folder), dtype="float32")
    adapter = Adapter.model_validate(
        {"batch_size": 1, "max_tokens": TOKENS, "quantise": quantise, "rank": 16}
    )
    needed = estimate(adapter, base, execution, folder)
    assert needed is not None
    example = Example("0", [(3 * i) % 15_000 + 5 for i in range(TOKENS)], TOKENS - 1, False)
    before = _resident()
    peaks = dict(before)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            for name, value in _resident().items():
                peaks[name] = max(peaks[name], value)

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.monotonic()
    model = adapted_model(adapter, base, execution, folder)
    loaded = time.monotonic()
    state = Training(model, adapter, STEPS + 1)
    state.update([example], 0)  # kernels
    warm = time.monotonic()
    for _ in range(STEPS):
        state.update([example], 0)
    step_s = (time.monotonic() - warm) / STEPS
    done.set()
    watching.join()
    return {
        "estimated": needed.weights + needed.adapter + needed.activations + needed.logits,
        "private": peaks["RssAnon"] - before["RssAnon"],
        "mapped": peaks["RssFile"] - before["RssFile"],
        "load_s": loaded - started,
        "step_s": step_s,
    }


def _resident() -> dict[str, int]:
    """Resident bytes of this process by kind (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.startswith("Rss"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


if __name__ == "__main__":
    if len(sys.argv) < 3:
        main()
    elif sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        print(json.dumps(measure(Path(sys.argv[2]), sys.argv[1])))
