"""The training loop: optimiser, schedule, steps, and the state that a checkpoint holds."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compass_core.adapters.batches import Plan, collate, micro_batches
from compass_core.adapters.chat import Example
from compass_core.adapters.checkpoint import save_checkpoint
from compass_core.adapters.loss import mean_loss, row_losses
from compass_core.adapters.penalty import QuadraticPenalty
from compass_core.adapters.team import Team
from compass_core.adapters.tracking import Track, no_tracking
from compass_core.config.schema import Adapter
from compass_core.errors import TrainingError
from compass_core.progress import duration

Report = Callable[[str], None]
EXPLODED = 10.0  # times the first loss


@dataclass(frozen=True)
class Anchoring:
    """The two terms that an update adds: a penalty, and replayed examples of weight `beta`.

    `schedule` holds, for each step, positions into `buffer`. Before the steps `calibrate_at` the
    penalty gets its scale, from how far the loss of `probe` has risen above `fitted_loss`.
    """

    penalty: QuadraticPenalty | None = None
    beta: float = 0.0
    buffer: Sequence[Example] = ()
    schedule: Sequence[Sequence[int]] = field(default_factory=list)
    calibrate_at: Sequence[int] = ()
    probe: Sequence[Example] = ()
    fitted_loss: float = 0.0

    def replayed(self, step: int) -> list[Example]:
        return [self.buffer[i] for i in self.schedule[step]] if self.buffer else []


class Training:
    """Model, optimiser and schedule of one training, and how far it is.

    With a `team` each process computes its part of a step, and all take the same step.
    `losses` are the task's, `replay_losses` those of the buffer (nats per supervised token, not
    yet weighted), `penalties` the anchor's term as it stands in the loss; one a step.
    """

    def __init__(
        self,
        model: Any,
        adapter: Adapter,
        steps: int,
        anchoring: Anchoring | None = None,
        team: Team | None = None,
    ) -> None:
        import torch

        self.model = model
        self.adapter = adapter
        self.step = 0
        self.anchoring = anchoring or Anchoring()
        self.team = team or Team()
        self.gradient_norm = self.rate = 0.0  # of the last step; the norm before it was clipped
        self.losses: list[float] = []
        self.replay_losses: list[float] = []
        self.penalties: list[float] = []
        self.old_loss_rise: float | None = None
        self._on_gpu = next(model.parameters()).is_cuda
        self.weights = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.weights, lr=adapter.learning_rate, weight_decay=adapter.weight_decay
        )
        warmup = max(1, math.ceil(adapter.warmup_share * steps))

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, rate)

    def resume(self, saved: dict[str, Any] | None) -> int:
        import torch

        if saved is None:
            return 0
        named = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, value in saved["weights"].items():
                named[name].copy_(value)
        self.optimiser.load_state_dict(saved["optimiser"])
        self.schedule.load_state_dict(saved["schedule"])
        if len(saved["rng"]) == self.team.size:  # else of another number of processes
            cpu, *cuda = saved["rng"][self.team.rank]
            torch.set_rng_state(cpu)
            if cuda:
                alone = self.team.size == 1
                torch.cuda.set_rng_state_all(cuda) if alone else torch.cuda.set_rng_state(cuda[0])
        self.step, self.losses = saved["step"], list(saved["losses"])
        self.replay_losses, self.penalties = list(saved["replay_losses"]), list(saved["penalties"])
        self.old_loss_rise = saved["old_loss_rise"]
        if self.anchoring.penalty:
            self.anchoring.penalty.scale = saved["fisher_scale"]
        return self.step

    def saved(self) -> dict[str, Any]:
        """What a checkpoint holds. All processes of a team have to call it."""
        import torch

        # Of all GPUs only where the model may lie on all: to ask takes memory on each.
        cuda = []
        if self._on_gpu:
            alone = self.team.size == 1
            cuda = torch.cuda.get_rng_state_all() if alone else [torch.cuda.get_rng_state()]
        return {
            "weights": {n: p.detach() for n, p in self.model.named_parameters() if p.requires_grad},
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": self.team.gather([torch.get_rng_state(), *cuda]),
            "step": self.step,
            "losses": self.losses,
            "replay_losses": self.replay_losses,
            "penalties": self.penalties,
            "old_loss_rise": self.old_loss_rise,
            "fisher_scale": self.anchoring.penalty.scale if self.anchoring.penalty else 0.0,
        }

    def calibrate(self, pad_id: int) -> None:
        """Give the penalty its scale, where the weights are by now."""
        if self.anchoring.penalty:
            self.old_loss_rise = self.rise(pad_id)
            self.anchoring.penalty.calibrate(self.old_loss_rise)

    def rise(self, pad_id: int) -> float:
        """How much higher the loss of the probe is than at the anchor; a forward pass over it."""
        now = mean_loss(self.model, self.anchoring.probe, pad_id)
        now = float(self.team.gather(now)[0])  # one figure for all, whatever their kernels round to
        return now - self.anchoring.fitted_loss

    def update(self, examples: list[Example], pad_id: int) -> float:
        """One optimiser step; returns the task's mean loss. Raises TrainingError if not finite.

        Replayed examples ride in the same forward passes as the new ones.
        """
        import torch

        if self.step in self.anchoring.calibrate_at:
            self.calibrate(pad_id)
        self.model.train()
        device = self.weights[0].device
        replayed = self.anchoring.replayed(self.step)
        tokens = sum(e.supervised for e in examples)
        old_tokens = max(1, sum(e.supervised for e in replayed))
        beta = self.anchoring.beta
        total = replay_total = 0.0
        self.optimiser.zero_grad(set_to_none=True)
        mine, mine_replayed = (
            self.team.share(part, lambda e: len(e.ids)) for part in (examples, replayed)
        )
        for batch, is_new in self._passes(mine, mine_replayed, pad_id, device):
            losses = row_losses(self.model, batch)
            new = torch.tensor(is_new, device=losses.device)
            shares = torch.where(new, 1.0 / tokens, beta / old_tokens)
            (losses * shares).sum().backward()
            found = losses.detach()
            total += float(found[new].sum()) / tokens
            replay_total += float(found[~new].sum()) / old_tokens
        total, replay_total = self.team.sums(total, replay_total)
        self.team.sum_gradients(self.weights)
        penalty = self.anchoring.penalty
        pulled = penalty.add_gradients() if penalty else 0.0
        first = self.losses[0] if self.losses else total
        if not math.isfinite(total + pulled) or total > EXPLODED * max(first, 1.0):
            raise TrainingError(
                f"loss is {total} at step {self.step + 1} (it began at {first:.2f}); "
                f"lower adapter.learning_rate, now {self.adapter.learning_rate}"
            )
        norm = float(torch.nn.utils.clip_grad_norm_(self.weights, self.adapter.max_grad_norm))
        if not math.isfinite(norm):
            raise TrainingError(
                f"the gradient's norm is {norm} at step {self.step + 1}; lower "
                f"adapter.learning_rate, now {self.adapter.learning_rate}, or set base_model.dtype"
            )
        self.gradient_norm, self.rate = norm, float(self.optimiser.param_groups[0]["lr"])
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self.losses.append(total)
        if replayed:
            self.replay_losses.append(replay_total)
        if penalty:
            self.penalties.append(pulled)
        return total

    def figures(self) -> dict[str, float]:
        """Figures of the last step, as trackers show them; losses are nats per supervised token."""
        shown = {
            "loss": self.losses[-1],
            "learning_rate": self.rate,
            "gradient_norm": self.gradient_norm,
        }
        if self.replay_losses:
            shown["replay_loss"] = self.replay_losses[-1]
        if self.penalties:
            shown["penalty"] = self.penalties[-1]
        return shown

    def _passes(
        self, examples: list[Example], replayed: list[Example], pad_id: int, device: Any
    ) -> Iterator[tuple[dict[str, Any], list[bool]]]:
        """The forward passes of a step, and of each of their rows whether it is new.

        Replayed examples share passes with new ones; packed sequences hold one kind only.
        """
        if self.adapter.packing or not replayed:
            for part, is_new in ((examples, True), (replayed, False)):
                for batch in micro_batches(part, self.adapter, pad_id, device) if part else ():
                    yield batch, [is_new] * len(batch["labels"])
            return
        size = self.adapter.micro_batch_size or max(1, len(examples) + len(replayed))
        # Alike lengths together: padding is computed for nothing.
        ordered = sorted(
            [(e, True) for e in examples] + [(e, False) for e in replayed],
            key=lambda entry: (len(entry[0].ids), entry[0].row_id),
        )
        for start in range(0, len(ordered), size):
            mixed = ordered[start : start + size]
            yield collate([e for e, _ in mixed], pad_id, device), [n for _, n in mixed]


def run_steps(
    state: Training,
    plan: Plan,
    examples: list[Example],
    pad_id: int,
    checkpoint_dir: Path,
    digest: str,
    report: Report,
    track: Track = no_tracking,
) -> None:
    """Take the steps that are left, saving a checkpoint and telling progress now and then.

    `track` gets the figures of every step.
    """
    started = saved_at = told_at = time.monotonic()
    first = state.step
    for step in plan.steps[first:]:
        loss = state.update([examples[i] for i in step], pad_id)
        track(state.figures(), state.step)
        now = time.monotonic()
        if state.team.agrees(now - saved_at >= state.adapter.checkpoint_every_s):
            saved = state.saved()
            if state.team.leads:
                save_checkpoint(checkpoint_dir, digest, saved)
            saved_at = now
        if now - told_at >= 5.0 or state.step == len(plan):
            left_s = (now - started) / (state.step - first) * (len(plan) - state.step)
            left = duration(left_s)
            report(f"step {state.step} of {len(plan)}, loss {loss:.3f}, {left} left")
            told_at = now
