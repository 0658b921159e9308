"""One method over one stream: train, update, score; every training through `train_adapter`."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.adapters.anchor import load_memory
from compass_core.adapters.continual import Remember, Update
from compass_core.adapters.replay import anchored_buffer
from compass_core.adapters.train import TrainResult, train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.hashing import unit_key
from experiments.continual.evaluate import accuracy_by_topic
from experiments.continual.stream import WINDOW_PROMPTS, Stream

ROOT = Path(__file__).parent.parent.parent
CPU = Execution(device="cpu", threads=1)
ADAPTER = Adapter(
    rank=16, alpha=32, learning_rate=0.008, warmup_share=0.06, epochs=6, batch_size=32
)


FISHER_EXAMPLES = 128  # as continual.fisher_examples


@dataclass(frozen=True)
class Method:
    """`start`: none (keep the first adapter), serving (train on), zero (all rows so far), or
    zero_set (the current training set). `mixed`: replayed rows are ordinary, random ones."""

    start: str = "serving"
    lambda_: float = 0.0
    beta: float = 0.0
    buffer: float = 0.05
    mixed: bool = False
    scale: float | None = None  # of the Fisher; None: calibrated
    rate: float = 1.0  # learning rate of updates, as a share of that of a full training
    fisher: int = FISHER_EXAMPLES  # rows that the Fisher and the old loss are measured on


METHODS = {
    "none": Method("none"),
    "naive": Method(),
    "ewc": Method(lambda_=2.0),
    "rehearsal": Method(mixed=True),
    "dar": Method(beta=0.1),
    "ecda": Method(lambda_=2.0, beta=0.1),
    "full": Method("zero"),
}

Report = Callable[[str], None]


def run_chain(
    stream: Stream,
    method: Method,
    seed: int,
    work: Path,
    base: BaseModelSettings,
    adapter: Adapter = ADAPTER,
    report: Report = lambda text: None,
) -> dict[str, Any]:
    """Figures by step: accuracy a topic, tokens and seconds of training and of the Fisher.

    The first training is shared by all methods of a seed that measure the Fisher on as many rows:
    it lies in `work/first` and is not counted as a cost of any. Everything else of `work` is
    removed afterwards.
    """
    first = work / ("first" if method.fisher == FISHER_EXAMPLES else f"first-{method.fisher}")
    history, usage_rows = stream.stages[0].rows, _prompts(stream, 0)
    if not (first / "done").exists():
        shutil.rmtree(first, ignore_errors=True)
        result = _train(
            stream.stages[0].rows,
            first,
            seed,
            base,
            adapter,
            remember=_sample(stream, history, usage_rows, method.fisher, seed, first),
        )
        (first / "done").write_text(str(result.wall_s))
    own = work / f"chain-{os.getpid()}"
    shutil.rmtree(own, ignore_errors=True)
    folders, costs = [first], [_no_cost()]
    for step, stage in enumerate(stream.stages[1:], start=1):
        out = own / f"step{step}"
        before = folders[-1]
        if method.start == "none":
            folders.append(before)
            costs.append(_no_cost())
            continue
        seen = pl.concat([history, stage.new])
        usage_now = {c: usage_rows.get(c, 0) + n for c, n in _prompts(stream, step).items()}
        update, rows = None, stage.new
        if method.start == "zero":
            rows = seen
        elif method.start == "zero_set":
            rows = stage.rows
        else:
            memory = load_memory(before)
            buffer = history.clear()
            if method.beta > 0:
                placed = _placed(stream, history)
                buffer = anchored_buffer(placed, usage_rows, method.buffer, seed).rows
            if method.mixed:
                keys = [unit_key(r, seed, "rehearsal") for r in history["row_id"]]
                drawn = history.with_columns(pl.Series("key", keys)).sort("key").drop("key")
                rows = pl.concat([rows, drawn.head(round(method.buffer * history.height))])
            update = Update(
                before.name, memory, buffer, method.lambda_, method.beta, 3, method.scale
            )
        remember = None
        if update is not None:
            # Without a penalty only the weights are handed on, and a Fisher would be waste.
            count = method.fisher if method.lambda_ > 0 else 1
            remember = _sample(stream, seen, usage_now, count, seed, out)
        rate = adapter.learning_rate * (method.rate if update is not None else 1.0)
        own_adapter = adapter.model_copy(update={"learning_rate": rate})
        result = _train(rows, out, seed, base, own_adapter, update, remember)
        folders.append(out)
        costs.append(_cost(result, method))
        report(
            f"step {step}: {rows.height} rows, loss {result.loss_last:.3f}, "
            f"penalty/task {result.penalty_per_task_loss}"
        )
        history, usage_rows = seen, usage_now
    names = {f"step{n}": folder for n, folder in enumerate(folders)}
    unique = {str(folder): name for name, folder in reversed(names.items())}
    scored = accuracy_by_topic(
        stream.items, base, {n: Path(f) for f, n in unique.items()}, stream.by_token
    )
    steps = [scored[unique[str(folder)]] for folder in names.values()]
    shutil.rmtree(own, ignore_errors=True)
    return {
        "language": stream.language,
        "method": asdict(method),
        "seed": seed,
        "usage": [stage.usage for stage in stream.stages],
        "rows": [stage.rows.height for stage in stream.stages],
        "new_rows": [stage.new.height for stage in stream.stages],
        "accuracy": steps,
        "costs": costs,
    }


def _prompts(stream: Stream, step: int) -> dict[int, int]:
    """Usage rows a cluster (a topic's number) in the window of a step."""
    usage = stream.stages[step].usage
    return {i: round(WINDOW_PROMPTS * usage[t]) for i, t in enumerate(stream.topics)}


def _placed(stream: Stream, rows: pl.DataFrame) -> pl.DataFrame:
    numbers = {t: i for i, t in enumerate(stream.topics)}
    return rows.with_columns(pl.col("topic").replace_strict(numbers).alias("cluster_id"))


def _sample(
    stream: Stream, rows: pl.DataFrame, usage: dict[int, int], count: int, seed: int, out: Path
) -> Remember:
    share = min(1.0, count / rows.height)
    drawn = anchored_buffer(_placed(stream, rows), usage, share, seed + 1)
    return Remember(drawn.rows.head(count), folder=out)


def _train(
    rows: pl.DataFrame,
    out: Path,
    seed: int,
    base: BaseModelSettings,
    adapter: Adapter,
    update: Update | None = None,
    remember: Remember | None = None,
) -> TrainResult:
    out.mkdir(parents=True, exist_ok=True)
    return train_adapter(
        rows,
        adapter,
        base,
        CPU,
        ROOT,
        out,
        out / "checkpoints",
        seed,
        lambda text: None,
        update=update,
        remember=remember,
    )


def _no_cost() -> dict[str, float]:
    return {"tokens": 0, "wall_s": 0.0, "fisher_tokens": 0, "fisher_s": 0.0}


def _cost(result: TrainResult, method: Method) -> dict[str, Any]:
    """The Fisher counts only for methods that use it."""
    measured = result.memory if method.lambda_ > 0 else None
    return {
        "tokens": result.supervised_tokens + result.replay_tokens,
        "wall_s": result.wall_s - result.memory_s,
        "fisher_tokens": measured["supervised_tokens"] if measured else 0,
        # A forward pass is about a third of a training step.
        "probe_tokens": round(result.probe_tokens / 3),
        "fisher_s": result.memory_s if measured else 0.0,
        "penalty_per_task_loss": result.penalty_per_task_loss,
        "scale": result.fisher_scale,
        "old_loss_rise": result.old_loss_rise,
        "final_rise": result.final_rise,
        "final_surrogate": result.final_surrogate,
        "at": time.strftime("%H:%M"),
    }
