"""The diagonal Fisher information of an adapter, example by example.

F_i = mean over examples of (d log p(y | x) / d theta_i)^2, with the log-likelihood summed over the
example's supervised tokens. Squared per example and then averaged: squaring the gradient of a
batch's mean would give another number at every batch size.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from compass_core.adapters.batches import collate
from compass_core.adapters.chat import Example
from compass_core.hashing import seeded_generator
from compass_core.progress import Progress, Report, silent

Labels = Literal["sampled", "empirical"]


def per_example_fisher(
    model: Any,
    examples: Sequence[Example],
    pad_id: int,
    seed: int,
    labels: Labels = "sampled",
    batch_size: int = 32,
    report: Report = silent,
) -> dict[str, Any]:
    """Diagonal Fisher of a PEFT model's trainable parameters: name -> f32 tensor of its shape.

    `sampled` draws each supervised token from the model's own distribution, given the true tokens
    before it: the Fisher information proper. `empirical` takes the tokens of the data: at weights
    that fit them its gradients vanish, and with them the protection. Draws depend on row id and
    seed only.

    Exact for LoRA, rsLoRA and DoRA on linear layers: the gradient of one example is the product of
    what goes into and what comes back out of a layer, so a batch gives all of its examples'. Cost:
    one forward and backward pass an example; memory: batch_size gradients of the largest layer.
    Raises ValueError where a trainable parameter is of no such layer.
    """
    import torch

    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    found = {n: torch.zeros_like(p, dtype=torch.float32) for n, p in parameters.items()}
    model.eval()
    device = next(iter(parameters.values())).device
    handles = _watch(model, parameters, found)
    progress = Progress(report, "Fisher information", len(examples), "examples")
    try:
        ordered = sorted(examples, key=lambda e: (len(e.ids), e.row_id))
        for start in range(0, len(ordered), batch_size):
            part = ordered[start : start + batch_size]
            batch = collate(part, pad_id, device)
            logits = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).logits[:, :-1]
            targets = batch["labels"][:, 1:]
            chosen = logits[targets != -100].float()
            if labels == "sampled":
                wanted = _draw(chosen.detach(), part, seed)
            else:
                wanted = targets[targets != -100]
            loss = torch.nn.functional.cross_entropy(chosen, wanted, reduction="sum")
            torch.autograd.grad(loss, list(parameters.values()))
            progress.at(start + len(part))
    finally:
        for handle in handles:
            handle.remove()
    return {name: value / len(examples) for name, value in found.items()}


def _watch(model: Any, parameters: Mapping[str, Any], found: dict[str, Any]) -> list[Any]:
    """Hooks that add the squared per-example gradients of every batch to `found`."""
    import torch

    handles, covered = [], set()

    def of_linear(name: str) -> Any:
        def forward(_: Any, inputs: Any, output: Any) -> None:
            x = inputs[0].detach()
            if x.dim() == 3 and output.requires_grad:  # DoRA also sends an identity matrix through

                def backward(g: Any) -> None:
                    each = torch.einsum("nto,nti->noi", g.float(), x.float())
                    found[name] += each.square().sum(0)

                output.register_hook(backward)

        return forward

    def of_magnitude(name: str, layer: Any, vector: Any) -> Any:
        def forward(_: Any, inputs: Any, output: Any) -> None:
            bias = layer.base_layer.bias
            bare = output.detach() if bias is None else output.detach() - bias

            def backward(g: Any) -> None:
                each = (g.float() * bare.float()).sum(1) / vector.detach()
                found[name] += each.square().sum(0)

            output.register_hook(backward)

        return forward

    modules = dict(model.named_modules())
    for name, parameter in parameters.items():
        owner = modules[name.rpartition(".")[0]]
        if isinstance(owner, torch.nn.Linear) and owner.weight is parameter:
            handles.append(owner.register_forward_hook(of_linear(name)))
            covered.add(name)
        elif ".lora_magnitude_vector." in name:
            layer = modules[name.partition(".lora_magnitude_vector.")[0]]
            handles.append(layer.register_forward_hook(of_magnitude(name, layer, parameter)))
            covered.add(name)
    if set(parameters) - covered:
        for handle in handles:
            handle.remove()
        raise ValueError(
            f"received trainable parameters {sorted(set(parameters) - covered)[:3]}; allowed: "
            "LoRA, rsLoRA or DoRA on linear layers; set continual.mode to full"
        )
    return handles


def _draw(logits: Any, part: Sequence[Example], seed: int) -> Any:
    """One token a labelled position, by inverting the distribution at a row's own numbers."""
    import torch

    numbers = np.concatenate(
        [seeded_generator(seed, "fisher", e.row_id).random(e.supervised) for e in part]
    )
    uniform = torch.as_tensor(numbers, dtype=torch.float64, device=logits.device)
    reached = torch.softmax(logits.double(), dim=-1).cumsum(-1)
    return torch.searchsorted(reached, uniform[:, None])[:, 0].clamp_(max=logits.shape[1] - 1)
