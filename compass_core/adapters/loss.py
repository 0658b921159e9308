"""The task loss by row, so that micro-batches and replayed rows add up exactly."""

from collections.abc import Callable, Sequence
from typing import Any

from compass_core.adapters.chat import Example


def row_losses(model: Any, batch: dict[str, Any]) -> Any:
    """Sum of the negative log-likelihoods (nats) of each row's labelled tokens: f32[n]."""
    import torch

    # A cache would keep transformers from looking at the borders of packed examples.
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False).logits
    targets = batch["labels"][:, 1:].to(logits.device)
    # Only labelled positions are copied to float32: with a vocabulary of 150,000 the rest is most
    # of the memory of a step.
    labelled = targets != -100
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1][labelled].float(), targets[labelled], reduction="none"
    )
    rows = labelled.nonzero()[:, 0]
    return torch.zeros(len(targets), device=losses.device).index_add(0, rows, losses)


def summed_loss(model: Any, batch: dict[str, Any]) -> Any:
    """Nats of all labelled tokens of a batch: a scalar tensor."""
    return row_losses(model, batch).sum()


def mean_loss(model: Any, examples: Sequence[Example], pad_id: int, batch_size: int = 64) -> float:
    """Nats per supervised token over all examples, without gradients, in evaluation mode."""
    losses = example_losses(model, examples, pad_id, batch_size)
    return sum(losses) / sum(e.supervised for e in examples)


def example_losses(
    model: Any,
    examples: Sequence[Example],
    pad_id: int,
    batch_size: int = 64,
    at: Callable[[int], None] = lambda done: None,
) -> list[float]:
    """Summed nats of each example, in their order. `at` is told how many are done."""
    import torch

    from compass_core.adapters.batches import collate

    model.eval()
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].ids), examples[i].row_id))
    found = [0.0] * len(examples)
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            batch = collate([examples[i] for i in part], pad_id, device)
            for i, value in zip(part, row_losses(model, batch).tolist(), strict=True):
                found[i] = value
            at(start + len(part))
    return found
