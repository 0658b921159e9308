"""What a step of an update costs beside a plain one: `python -m benchmarks.ecda_step`.

Both take turns in the same run, on the same rows of the sample world and the same base model;
the median over pairs is what counts, since the machine's load changes in between. Goal: 1.15.
"""

import json
import os
import statistics
import time
from pathlib import Path

import torch

from compass_core.adapters.batches import plan_batches
from compass_core.adapters.chat import encode_example
from compass_core.adapters.loop import Anchoring, Training
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.penalty import QuadraticPenalty
from compass_core.adapters.replay import plan_replay
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from experiments.continual.stream import make_stream

ROOT = Path(__file__).parent.parent
PAIRS = 40


def main() -> None:
    base, cpu = BaseModelSettings(), Execution(device="cpu", threads=1)
    adapter = Adapter(learning_rate=1e-4)
    tokenizer = load_tokenizer(base, ROOT)
    rows = make_stream(0).stages[0].rows.sort("row_id").select("row_id", "prompt", "response")
    examples = [encode_example(tokenizer, a, b, c, 512) for a, b, c in rows.iter_rows()]
    steps = plan_batches(examples, adapter.batch_size, 100.0, 1).steps[: PAIRS + 3]

    def training(anchored: bool) -> Training:
        torch.manual_seed(1)
        model = adapted_model(adapter, base, cpu, ROOT)
        if not anchored:
            return Training(model, adapter, len(steps))
        parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        penalty = QuadraticPenalty(
            parameters,
            {n: torch.zeros_like(p) for n, p in parameters.items()},
            {n: torch.rand_like(p) for n, p in parameters.items()},
            weight=2.0,
            scale=1e-3,
        )
        buffer = examples[:20]
        schedule = plan_replay(buffer, len(steps), round(0.1 * adapter.batch_size), 1)
        return Training(model, adapter, len(steps), Anchoring(penalty, 0.1, buffer, schedule))

    kinds = {"plain": training(False), "ecda": training(True)}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number, step in enumerate(steps):
        batch = [examples[i] for i in step]
        for name in list(kinds) if number % 2 else list(reversed(kinds)):
            started = time.thread_time()
            kinds[name].update(batch, tokenizer.pad_token_id)
            seconds[name].append(time.thread_time() - started)
    pairs = zip(seconds["plain"][3:], seconds["ecda"][3:], strict=True)
    ratios = sorted(ecda / plain for plain, ecda in pairs)
    print(
        json.dumps(
            {
                "pairs": len(ratios),
                "plain_cpu_ms": 1000 * statistics.median(seconds["plain"][3:]),
                "ecda_cpu_ms": 1000 * statistics.median(seconds["ecda"][3:]),
                "ratio_median": statistics.median(ratios),
                "ratio_quartiles": [ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]],
                "load": os.getloadavg()[0],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
