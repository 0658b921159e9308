"""The task loss, summed over supervised tokens so that micro-batches add up exactly."""

from typing import Any


def summed_loss(model: Any, batch: dict[str, Any]) -> Any:
    """Sum of the negative log-likelihoods (nats) of the labelled tokens: a scalar tensor."""
    import torch

    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    targets = batch["labels"][:, 1:]
    # Only labelled positions are copied to float32: with a vocabulary of 150,000 the rest is most
    # of the memory of a step.
    labelled = targets != -100
    return torch.nn.functional.cross_entropy(
        logits[:, :-1][labelled].float(), targets[labelled], reduction="sum"
    )
