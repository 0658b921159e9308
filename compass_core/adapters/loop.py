"""The training loop: optimiser, schedule, steps, and the state that a checkpoint holds."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compass_core.adapters.batches import Plan, micro_batches
from compass_core.adapters.chat import Example
from compass_core.adapters.checkpoint import save_checkpoint
from compass_core.adapters.loss import summed_loss
from compass_core.config.schema import Adapter
from compass_core.errors import TrainingError

Report = Callable[[str], None]
EXPLODED = 10.0  # times the first loss


class Training:
    """Model, optimiser and schedule of one training, and how far it is."""

    def __init__(self, model: Any, adapter: Adapter, steps: int, seed: int) -> None:
        import torch

        self.model = model
        self.adapter = adapter
        self.step = 0
        self.losses: list[float] = []
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
        torch.set_rng_state(saved["rng"])
        if saved["cuda_rng"]:
            torch.cuda.set_rng_state_all(saved["cuda_rng"])
        self.step, self.losses = saved["step"], list(saved["losses"])
        return self.step

    def saved(self) -> dict[str, Any]:
        import torch

        return {
            "weights": {n: p.detach() for n, p in self.model.named_parameters() if p.requires_grad},
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if self._on_gpu else [],
            "step": self.step,
            "losses": self.losses,
        }

    def update(self, examples: list[Example], pad_id: int) -> float:
        """One optimiser step; returns the mean loss. Raises TrainingError if it is not finite."""
        import torch

        self.model.train()
        device = self.weights[0].device
        tokens = sum(e.supervised for e in examples)
        total = 0.0
        self.optimiser.zero_grad(set_to_none=True)
        for batch in micro_batches(examples, self.adapter, pad_id, device):
            loss = summed_loss(self.model, batch) / tokens
            loss.backward()
            total += float(loss.detach())
        first = self.losses[0] if self.losses else total
        if not math.isfinite(total) or total > EXPLODED * max(first, 1.0):
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
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self.losses.append(total)
        return total


def run_steps(
    state: Training,
    plan: Plan,
    examples: list[Example],
    pad_id: int,
    checkpoint_dir: Path,
    digest: str,
    report: Report,
) -> None:
    """Take the steps that are left, saving a checkpoint and telling progress now and then."""
    started = saved_at = told_at = time.monotonic()
    first = state.step
    for step in plan.steps[first:]:
        loss = state.update([examples[i] for i in step], pad_id)
        now = time.monotonic()
        if now - saved_at >= state.adapter.checkpoint_every_s:
            save_checkpoint(checkpoint_dir, digest, state.saved())
            saved_at = now
        if now - told_at >= 5.0 or state.step == len(plan):
            left_s = (now - started) / (state.step - first) * (len(plan) - state.step)
            report(f"step {state.step} of {len(plan)}, loss {loss:.3f}, {left_s:.0f} s left")
            told_at = now
