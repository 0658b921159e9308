"""Several processes that train one adapter together, each on its part of every step.

Data parallel by hand, because it is exact and small: every process holds the model, takes its
share of a step's examples, weighs each by the tokens of the whole step, and the gradients of the
adapter (a few million numbers) are summed. What follows is the same in all of them, so they stay
equal. Devices, process group and sums are accelerate's.
"""

import os
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """This process's place among `size`; alone by default, and then nothing here costs anything."""

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls, cpu: bool) -> "Team":
        """The team that this process was started into, by `parallel.py` or accelerate launch."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        from accelerate import PartialState

        state = PartialState(cpu=cpu)
        return cls(state.process_index, state.num_processes)

    @property
    def leads(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0

    def share(self, items: list[T], size: Any) -> list[T]:
        """This process's part: dealt out from the largest `size(item)` on, so that parts are even.

        Alone it is all of them, in the order given.
        """
        if self.size == 1:
            return items
        order = sorted(range(len(items)), key=lambda i: (-size(items[i]), i))
        return [items[i] for i in order[self.rank :: self.size]]

    def sums(self, *values: float) -> list[float]:
        """Each value summed over the team."""
        if self.size == 1:
            return list(values)
        import torch
        from accelerate import PartialState
        from accelerate.utils import reduce

        place = PartialState().device
        kind = torch.float32 if place.type == "mps" else torch.float64
        summed: Any = reduce(torch.tensor(values, dtype=kind, device=place), "sum")
        return [float(value) for value in summed]

    def sum_gradients(self, weights: list[Any]) -> None:
        """Replace every weight's gradient by its sum over the team; none counts as zero."""
        if self.size == 1:
            return
        import torch
        from accelerate.utils import reduce

        flat = torch.cat(
            [(torch.zeros_like(w) if w.grad is None else w.grad).reshape(-1) for w in weights]
        )
        summed: Any = reduce(flat, "sum")
        for weight, part in zip(weights, summed.split([w.numel() for w in weights]), strict=True):
            weight.grad = part.view_as(weight).clone()

    def agrees(self, wanted: bool) -> bool:
        """What the leading process wants, told to all."""
        return self.sums(float(wanted and self.leads))[0] > 0 if self.size > 1 else wanted

    def gather(self, value: Any) -> list[Any]:
        """The value of each process, by rank."""
        if self.size == 1:
            return [value]
        from accelerate.utils import gather_object

        return list(gather_object([value]))
