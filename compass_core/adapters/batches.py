"""Which examples stand together in which step: seeded, and independent of row order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compass_core.adapters.chat import Example
from compass_core.adapters.packing import collate_packed, pack
from compass_core.config.schema import Adapter
from compass_core.hashing import unit_key


@dataclass(frozen=True)
class Plan:
    """Batches of positions into the sorted examples, one list a step."""

    steps: list[list[int]]

    def __len__(self) -> int:
        return len(self.steps)


def plan_batches(examples: list[Example], batch_size: int, epochs: float, seed: int) -> Plan:
    """Every example once an epoch, in a new seeded order each time; a part of an epoch at the end.

    The order comes from a key of the row's id, so the same rows in another order, or split over
    other files, give the same batches.
    """
    total = max(1, round(epochs * len(examples)))
    order: list[int] = []
    epoch = 0
    while len(order) < total:
        keys = [unit_key(e.row_id, seed, f"epoch-{epoch}") for e in examples]
        order += sorted(range(len(examples)), key=lambda i: (keys[i], examples[i].row_id))
        epoch += 1
    order = order[:total]
    return Plan([order[i : i + batch_size] for i in range(0, total, batch_size)])


def collate(examples: list[Example], pad_id: int, device: Any) -> dict[str, Any]:
    """Padded tensors input_ids, attention_mask, labels: int64[n, longest]."""
    import torch

    longest = max(len(e.ids) for e in examples)
    shape = (len(examples), longest)
    ids = torch.full(shape, pad_id, dtype=torch.long)
    mask = torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, -100, dtype=torch.long)
    for row, example in enumerate(examples):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        labels[row, :length] = torch.tensor(example.labels)
    return {
        "input_ids": ids.to(device),
        "attention_mask": mask.to(device),
        "labels": labels.to(device),
    }


def micro_batches(
    examples: list[Example], adapter: Adapter, pad_id: int, device: Any
) -> Iterator[dict[str, Any]]:
    """The forward passes of one optimiser step: `micro_batch_size` sequences each.

    A sequence is one example, alike lengths together because padding is computed for nothing; or,
    with `packing`, as many as have room in `max_tokens`.
    """
    if adapter.packing:
        bins = pack(examples, adapter.max_tokens)
        size = adapter.micro_batch_size or len(bins)
        for start in range(0, len(bins), size):
            yield collate_packed(bins[start : start + size], pad_id, device)
        return
    size = adapter.micro_batch_size or len(examples)
    ordered = sorted(examples, key=lambda e: (len(e.ids), e.row_id))
    for start in range(0, len(ordered), size):
        yield collate(ordered[start : start + size], pad_id, device)
