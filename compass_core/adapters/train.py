"""Training one adapter: rows in, a standard PEFT folder out."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.adapters.batches import plan_batches
from compass_core.adapters.card import write_card
from compass_core.adapters.chat import encode_example
from compass_core.adapters.checkpoint import load_checkpoint
from compass_core.adapters.loop import Report, Training, run_steps
from compass_core.adapters.memory import check_memory
from compass_core.adapters.model_folder import base_fingerprint, load_tokenizer
from compass_core.adapters.packing import check_isolation
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.presets import check_length, template_arguments
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import TrainingError
from compass_core.hashing import version_of, version_of_bytes, version_of_set


@dataclass(frozen=True)
class TrainResult:
    """Figures of one training. Losses are nats per supervised token."""

    steps: int
    rows: int
    truncated_rows: int
    supervised_tokens: int
    loss_first: float
    loss_last: float
    wall_s: float
    tokens_per_s: float
    peak_memory_bytes: int
    weights_version: str
    resumed_at_step: int = 0
    losses: list[float] = field(default_factory=list)


def train_adapter(
    rows: pl.DataFrame,
    adapter: Adapter,
    base: BaseModelSettings,
    execution: Execution,
    project_dir: Path,
    out_dir: Path,
    checkpoint_dir: Path,
    seed: int,
    report: Report,
    lineage: dict[str, Any] | None = None,
) -> TrainResult:
    """Train on `rows` (row_id, prompt, response) and write a PEFT folder into `out_dir`.

    The same rows, settings and seed give the same weights on the same machine, in whatever order
    the rows come and wherever the training was killed: it resumes at the last checkpoint.
    Raises TrainingError when there is nothing to train on or the loss is not finite; then nothing
    is written to `out_dir`.
    """
    import torch

    started = time.monotonic()
    if not rows.height:
        raise TrainingError("the training set has no rows; raise sampling.budget or add a corpus")
    tokenizer = load_tokenizer(base, project_dir)
    ordered = rows.sort("row_id", "prompt", "response")  # ids of two corpora may meet
    examples = [
        encode_example(tokenizer, row_id, prompt, response, adapter.max_tokens)
        for row_id, prompt, response in ordered.select("row_id", "prompt", "response").iter_rows()
    ]
    longest = max(len(e.ids) for e in examples)
    check_length(base, project_dir, longest)
    report(check_memory(adapter, base, execution, project_dir, longest))
    plan = plan_batches(examples, adapter.batch_size, adapter.epochs, seed)
    torch.manual_seed(seed)
    model = adapted_model(adapter, base, execution, project_dir)
    if adapter.packing:
        check_isolation(
            model, examples, tokenizer.pad_token_id, model.get_input_embeddings().weight.device
        )
    state = Training(model, adapter, len(plan), seed)
    digest = version_of(
        [
            version_of_set(ordered["row_id"] + "/" + ordered["prompt"] + "/" + ordered["response"]),
            adapter.model_dump(mode="json", exclude={"checkpoint_every_s"}),
            base_fingerprint(base, project_dir),
            base.dtype,
            base.system_prompt,
            template_arguments(base, project_dir),
            seed,
        ]
    )
    resumed = state.resume(load_checkpoint(checkpoint_dir, digest))
    if resumed:
        report(f"resuming at step {resumed} of {len(plan)}")
    run_steps(state, plan, examples, tokenizer.pad_token_id, checkpoint_dir, digest, report)
    result = _write(model, state, out_dir, base)
    wall_s = time.monotonic() - started
    tokens = sum(examples[i].supervised for step in plan.steps for i in step)
    now = sum(examples[i].supervised for step in plan.steps[resumed:] for i in step)
    figures = TrainResult(
        steps=len(plan),
        rows=len(examples),
        truncated_rows=sum(e.truncated for e in examples),
        supervised_tokens=tokens,
        loss_first=state.losses[0],
        loss_last=sum(state.losses[-10:]) / len(state.losses[-10:]),
        wall_s=wall_s,
        tokens_per_s=now / wall_s,
        peak_memory_bytes=_peak_memory_bytes(next(model.parameters()).is_cuda),
        weights_version=result,
        resumed_at_step=resumed,
        losses=[round(loss, 5) for loss in state.losses],
    )
    (out_dir / "training_log.json").write_text(json.dumps(asdict(figures), indent=1))
    write_card(out_dir, base.model, adapter, figures.rows, lineage or {})
    return figures


def _write(model: Any, state: Training, out_dir: Path, base: BaseModelSettings) -> str:
    """Save in PEFT's format; returns the hash of the weights."""
    from safetensors.torch import save

    # The folder is to be portable: it names the model as the project does, not this machine's path.
    config = model.peft_config["default"]
    config.base_model_name_or_path = base.model
    config.target_modules = sorted(config.target_modules)  # a set: its order changes by process
    model.eval()
    # No new tokens are trained; "auto" would ask the model hub about the base model.
    model.save_pretrained(str(out_dir), safe_serialization=True, save_embedding_layers=False)
    weights = {
        n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad
    }
    return version_of_bytes(save(dict(sorted(weights.items()))))


def _peak_memory_bytes(on_gpu: bool) -> int:
    """Of the GPU where the model was on one, else the largest resident size of this process."""
    import resource

    import torch

    if on_gpu:
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
