"""The task loss, summed over supervised tokens so that micro-batches add up exactly."""

from typing import Any


def summed_loss(model: Any, batch: dict[str, Any]) -> Any:
    """Sum of the negative log-likelihoods (nats) of the labelled tokens: a scalar tensor."""
    import torch

    # A cache would keep transformers from looking at the borders of packed examples.
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False).logits
    targets = batch["labels"][:, 1:].to(logits.device)
    # Only labelled positions are copied to float32: with a vocabulary of 150,000 the rest is most
    # of the memory of a step.
    labelled = targets != -100
    return torch.nn.functional.cross_entropy(
        logits[:, :-1][labelled].float(), targets[labelled], reduction="sum"
    )
