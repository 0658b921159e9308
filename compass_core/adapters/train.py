"""Training one adapter: rows in, a standard PEFT folder out."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.adapters.anchor import identity_of, save_memory
from compass_core.adapters.batches import plan_batches
from compass_core.adapters.card import write_card
from compass_core.adapters.checkpoint import load_checkpoint
from compass_core.adapters.continual import Remember, Update, calibration_steps, make_memory
from compass_core.adapters.conversation import examples_of, identities
from compass_core.adapters.loop import Anchoring, Report, Training, run_steps
from compass_core.adapters.memory import check_memory
from compass_core.adapters.model_folder import base_fingerprint, load_tokenizer, place
from compass_core.adapters.packing import check_isolation
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.presets import check_length, template_arguments
from compass_core.adapters.replay import plan_replay
from compass_core.adapters.team import Team
from compass_core.adapters.tracking import Tracked, check_trackers, tracking
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
    largest_update: float = 0.0  # absolute, of the B matrices; 0: the adapter does nothing
    resumed_at_step: int = 0
    processes: int = 1
    losses: list[float] = field(default_factory=list)
    # Of an update only; see loop.Training for what each list holds.
    replay_rows: int = 0
    replay_tokens: int = 0  # supervised, over all steps; not in supervised_tokens
    replay_losses: list[float] = field(default_factory=list)
    penalties: list[float] = field(default_factory=list)
    penalty_per_task_loss: float | None = None  # mean of the last ten steps
    fisher_scale: float | None = None  # see penalty.QuadraticPenalty.calibrate
    old_loss_rise: float | None = None  # of the probe, where the scale was last set
    probe_tokens: int = 0  # supervised tokens of the forward passes that measured the two rises
    final_rise: float | None = None  # of the probe, at the end
    final_surrogate: float | None = None  # what the scaled quadratic takes that for
    # What was kept for the next update: figures of memory.Memory.
    memory: dict[str, Any] | None = None
    memory_s: float = 0.0  # of wall_s: what measuring it took


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
    update: Update | None = None,
    remember: Remember | None = None,
    tracked: Tracked | None = None,
) -> TrainResult:
    """Train on `rows` (row_id, prompt, response, perhaps earlier_turns); writes a PEFT folder.

    From zero, or with `update` from the weights that it names, anchored to them. With `remember`
    the Fisher and its scale are measured afterwards and saved, for the next update.

    The same rows, settings and seed give the same weights on the same machine, in whatever order
    the rows come and wherever the training was killed: it resumes at the last checkpoint.
    With `execution.processes` it is done by that many, to the same weights up to rounding.
    Raises TrainingError when there is nothing to train on or the loss is not finite; then nothing
    is written to `out_dir`.
    """
    import torch

    started = time.monotonic()
    if not rows.height:
        raise TrainingError("the training set has no rows; raise sampling.budget or add a corpus")
    if tracked:
        check_trackers(tracked.settings)
    team = Team.here(place(execution) == "cpu")
    if execution.processes > team.size:
        from compass_core.adapters.parallel import train_together

        together: TrainResult = train_together(
            {
                "rows": rows,
                "adapter": adapter,
                "base": base,
                "execution": execution,
                "project_dir": project_dir,
                "out_dir": out_dir,
                "checkpoint_dir": checkpoint_dir,
                "seed": seed,
                "lineage": lineage,
                "update": update,
                "remember": remember,
                "tracked": tracked,
            },
            execution,
            report,
        )
        return together
    tokenizer = load_tokenizer(base, project_dir)
    ordered = rows.sort("row_id", "prompt", "response")  # ids of two corpora may meet
    most = adapter.max_tokens
    examples = examples_of(tokenizer, ordered, most)
    replay = update.replay.sort("row_id") if update else rows.clear()
    buffer = examples_of(tokenizer, replay, most)
    longest = max(len(e.ids) for e in examples + buffer)
    check_length(base, project_dir, longest)
    if team.leads:  # once, before anybody has loaded a model
        report(check_memory(adapter, base, execution, project_dir, longest))
    team.gather(None)
    plan = plan_batches(examples, adapter.batch_size, adapter.epochs, seed)
    torch.manual_seed(seed)
    model = adapted_model(adapter, base, execution, project_dir)
    if team.rank:
        torch.manual_seed(seed + team.rank)  # the same adapter to begin with, other dropout
    if adapter.packing:
        device = model.get_input_embeddings().weight.device
        check_isolation(model, examples, tokenizer.pad_token_id, device, most)
    anchoring = Anchoring()
    if update:
        schedule = plan_replay(buffer, len(plan), update.replay_per_step, seed)
        anchoring = Anchoring(
            update.begin(model),
            update.beta,
            buffer,
            schedule,
            calibration_steps(len(plan)) if update.scale is None else (),
            examples_of(tokenizer, update.memory.probe, most),
            update.memory.fitted_loss,
        )
    state = Training(model, adapter, len(plan), anchoring, team)
    digest = version_of(
        [
            version_of_set(identities(ordered)),
            adapter.model_dump(mode="json", exclude={"checkpoint_every_s"}),
            base_fingerprint(base, project_dir),
            base.dtype,
            base.system_prompt,
            template_arguments(base, project_dir),
            seed,
            update.digest() if update else None,
        ]
    )
    resumed = state.resume(load_checkpoint(checkpoint_dir, digest))
    if resumed:
        report(f"resuming at step {resumed} of {len(plan)}")
    facts = {**adapter.model_dump(mode="json"), "base_model": base.model, "rows": rows.height}
    with tracking(tracked if team.leads else None, digest, facts, report) as track:
        run_steps(
            state, plan, examples, tokenizer.pad_token_id, checkpoint_dir, digest, report, track
        )
    final_rise = final_surrogate = None
    probe_tokens = 0
    if anchoring.penalty:
        looks = len(anchoring.calibrate_at) + 1
        probe_tokens = looks * sum(e.supervised for e in anchoring.probe)
        final_rise = state.rise(tokenizer.pad_token_id)
        final_surrogate = anchoring.penalty.scale * anchoring.penalty.surrogate()
    result = _weights_version(model)
    _check_agreement(team.gather(result))
    if team.leads:
        _write(model, out_dir, base)
    memory = None
    trained_at = time.monotonic()
    if remember and team.leads:
        probe = remember.rows.sort("row_id", "prompt", "response")
        memory = make_memory(
            model,
            probe,
            examples_of(tokenizer, probe, most),
            tokenizer.pad_token_id,
            seed,
            remember.labels,
            identity_of(base, base_fingerprint(base, project_dir), adapter),
            result,
            report,
        )
        if remember.folder:
            save_memory(remember.folder, memory)
    wall_s = time.monotonic() - started
    tokens = sum(examples[i].supervised for step in plan.steps for i in step)
    now = sum(examples[i].supervised for step in plan.steps[resumed:] for i in step)
    figures = TrainResult(
        steps=len(plan),
        rows=rows.height,
        truncated_rows=sum(e.truncated for e in examples),
        supervised_tokens=tokens,
        loss_first=state.losses[0],
        loss_last=sum(state.losses[-10:]) / len(state.losses[-10:]),
        wall_s=wall_s,
        tokens_per_s=now / wall_s,
        peak_memory_bytes=_peak_memory_bytes(next(model.parameters()).is_cuda),
        weights_version=result,
        largest_update=_largest_update(model),
        resumed_at_step=resumed,
        processes=team.size,
        losses=_rounded(state.losses),
        replay_rows=len(buffer),
        replay_tokens=sum(buffer[i].supervised for step in anchoring.schedule for i in step),
        replay_losses=_rounded(state.replay_losses),
        penalties=_rounded(state.penalties),
        penalty_per_task_loss=_ratio(state.penalties[-10:], state.losses[-10:]),
        fisher_scale=anchoring.penalty.scale if anchoring.penalty else None,
        old_loss_rise=state.old_loss_rise,
        probe_tokens=probe_tokens,
        final_rise=final_rise,
        final_surrogate=final_surrogate,
        memory=memory.facts() if memory else None,
        memory_s=time.monotonic() - trained_at if memory else 0.0,
    )
    if not team.leads:
        return figures
    (out_dir / "training_log.json").write_text(json.dumps(asdict(figures), indent=1))
    write_card(out_dir, base.model, adapter, figures.rows, lineage or {}, tokenizer)
    return figures


def _check_agreement(versions: list[str]) -> None:
    if len(set(versions)) > 1:
        raise TrainingError(
            f"{len(versions)} processes ended with {len(set(versions))} different adapters; "
            "set execution.processes to 1, and report what hardware this was"
        )


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 5) for value in values]


def _ratio(penalties: list[float], losses: list[float]) -> float | None:
    """Of sums, so that one step with almost no loss does not decide it; None without a penalty."""
    return sum(penalties) / sum(losses) if penalties and sum(losses) > 0 else None


def _write(model: Any, out_dir: Path, base: BaseModelSettings) -> None:
    """Save in PEFT's format."""
    # The folder is to be portable: it names the model as the project does, not this machine's path.
    config = model.peft_config["default"]
    config.base_model_name_or_path = base.model
    config.target_modules = sorted(config.target_modules)  # a set: its order changes by process
    model.eval()
    # No new tokens are trained; "auto" would ask the model hub about the base model.
    model.save_pretrained(str(out_dir), safe_serialization=True, save_embedding_layers=False)


def _weights_version(model: Any) -> str:
    """Hash of the adapter's weights."""
    from safetensors.torch import save

    weights = {
        n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad
    }
    return version_of_bytes(save(dict(sorted(weights.items()))))


def _largest_update(model: Any) -> float:
    """Largest absolute weight of the B matrices, which start at zero."""
    found = (p.detach().abs().max() for n, p in model.named_parameters() if "lora_B" in n)
    return max((float(value) for value in found), default=0.0)


def _peak_memory_bytes(on_gpu: bool) -> int:
    """Of the GPU where the model was on one, else the largest resident size of this process."""
    import resource

    import torch

    if on_gpu:
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
