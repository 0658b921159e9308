"""ECDA: training on from the weights that serve, without forgetting what they were made for.

    L = L_task(new) + lambda * 1/2 sum F_i (theta_i - theta*_i)^2 + beta * L_DAR(buffer)

over the adapter's parameters only. `penalty.py` is the middle term, `replay.py` the buffer,
`fisher.py` F and its scale, `anchor.py` what a version keeps for it; docs/continual.md explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.adapters.anchor import Memory
from compass_core.adapters.chat import Example
from compass_core.adapters.conversation import told
from compass_core.adapters.fisher import Labels, per_example_fisher
from compass_core.adapters.loss import mean_loss
from compass_core.adapters.penalty import QuadraticPenalty
from compass_core.progress import Report, silent


@dataclass(frozen=True)
class Update:
    """How to train on: from `memory` of version `parent`, replaying rows of `replay`."""

    parent: str
    memory: Memory
    replay: pl.DataFrame  # row_id, prompt, response
    lambda_: float
    beta: float
    replay_per_step: int
    scale: float | None = None  # of the Fisher; None: calibrated on the way

    def digest(self) -> dict[str, Any]:
        """What makes it another training: two updates with equal digests take the same steps."""
        rows = self.replay.sort("row_id", "prompt", "response")
        return {
            "memory": self.memory.facts(),
            "replay": told(rows).rows(),
            "lambda": self.lambda_,
            "beta": self.beta,
            "replay_per_step": self.replay_per_step,
            "scale": self.scale,
        }

    def begin(self, model: Any) -> QuadraticPenalty | None:
        """Put the serving version's weights into the model; returns the anchor to them."""
        import torch

        parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        with torch.no_grad():
            for name, p in parameters.items():
                p.copy_(self.memory.anchor[name])
        if self.lambda_ == 0:
            return None
        return QuadraticPenalty(
            parameters, self.memory.anchor, self.memory.fisher, self.lambda_, self.scale or 0.0
        )


@dataclass(frozen=True)
class Remember:
    """What a finished training is to keep for its next update: the Fisher on these rows."""

    rows: pl.DataFrame  # row_id, prompt, response: drawn from all that was learnt
    labels: Labels = "sampled"
    folder: Path | None = None  # where it is saved


CALIBRATED_AFTER = (0.15, 0.35, 0.55, 0.75)  # of the steps


def calibration_steps(steps: int) -> tuple[int, ...]:
    """Before which steps (0-based) the scale of the penalty is set.

    First when there is a rise to be seen and most of the way lies ahead; then again, since a
    quadratic that fits there does not fit further on (docs/continual.md has the figures).
    """
    wanted = (min(steps - 1, max(2, round(share * steps))) for share in CALIBRATED_AFTER)
    return tuple(sorted(set(wanted)))


def make_memory(
    model: Any,
    probe: pl.DataFrame,
    examples: Sequence[Example],
    pad_id: int,
    seed: int,
    labels: Labels,
    identity: dict[str, Any],
    weights_version: str,
    report: Report = silent,
) -> Memory:
    """Fisher of a model that has just been trained, on `probe`, a sample of what it was taught.

    `examples` are the rows of `probe`. Cost: one forward and backward and one forward pass a row.
    """
    fisher = per_example_fisher(model, examples, pad_id, seed, labels, report=report)
    anchor = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    return Memory(
        anchor=anchor,
        fisher=fisher,
        probe=told(probe),
        fitted_loss=mean_loss(model, examples, pad_id),
        identity=identity,
        supervised_tokens=sum(e.supervised for e in examples),
        labels=labels,
        weights_version=weights_version,
    )
