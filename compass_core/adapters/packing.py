"""Several short examples in one sequence, each blind to the others.

The positions of a packed sequence begin anew at every example. Attention implementations of
transformers take that as the border: a block-diagonal mask, or variable lengths in flash
attention. `check_isolation` looks whether the model at hand really does.
"""

from typing import Any

from compass_core.adapters.chat import Example
from compass_core.errors import TrainingError


def pack(examples: list[Example], max_tokens: int) -> list[list[Example]]:
    """Examples by sequence, none longer than `max_tokens` in all: first fit, longest first.

    The result does not depend on the order of the examples. O(examples × sequences).
    """
    ordered = sorted(examples, key=lambda e: (-len(e.ids), e.row_id, e.ids))
    bins: list[list[Example]] = []
    room: list[int] = []
    for example in ordered:
        length = len(example.ids)
        place = next((i for i, left in enumerate(room) if left >= length), None)
        if place is None:
            bins.append([example])
            room.append(max_tokens - length)
        else:
            bins[place].append(example)
            room[place] -= length
    return bins


def collate_packed(bins: list[list[Example]], pad_id: int, device: Any) -> dict[str, Any]:
    """Tensors input_ids, position_ids, labels: int64[n, longest].

    There is no attention mask: with one, transformers would not look at the positions. Padding at
    the end is a block of its own, from position 0. The first token of an example never carries
    loss: what is before it belongs to another example.
    """
    import torch

    longest = max(sum(len(e.ids) for e in part) for part in bins)
    shape = (len(bins), longest)
    ids = torch.full(shape, pad_id, dtype=torch.long)
    positions = torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, -100, dtype=torch.long)
    for row, part in enumerate(bins):
        start = 0
        for example in part:
            end = start + len(example.ids)
            ids[row, start:end] = torch.tensor(example.ids)
            positions[row, start:end] = torch.arange(len(example.ids))
            labels[row, start:end] = torch.tensor(example.labels)
            labels[row, start] = -100
            start = end
        positions[row, start:] = torch.arange(longest - start)
    return {
        "input_ids": ids.to(device),
        "position_ids": positions.to(device),
        "labels": labels.to(device),
    }


def check_isolation(
    model: Any, examples: list[Example], pad_id: int, device: Any, max_tokens: int
) -> None:
    """Raises TrainingError when an example sees the one that stands before it in its sequence.

    And where its place in a sequence of `max_tokens` would count: Llama 4 scales the attention of
    some layers by it, from `floor_scale` tokens on, and knows no positions that begin anew.

    Two forward passes: the second with other tokens in the first example. What the model says of
    the second example must stay the same.
    """
    import torch

    config = getattr(model.config, "text_config", None) or model.config
    scaled = getattr(config, "attn_temperature_tuning", None) and 0 in config.no_rope_layers
    if scaled and max_tokens >= config.floor_scale:
        raise TrainingError(
            f"this model scales its attention by a token's place in the sequence, from "
            f"{config.floor_scale} tokens on, and packed examples would be told their neighbours'; "
            f"set adapter.max_tokens to less than {config.floor_scale}, or adapter.packing to false"
        )
    short = sorted(examples, key=lambda e: (len(e.ids), e.row_id))
    probe = short[-1]
    first, second = Example("a", probe.ids[:64], 1, False), Example("b", probe.ids[:64], 1, False)
    other = Example("a", [*reversed(first.ids)], 1, False)
    if other.ids == first.ids:
        other = Example("a", [(i + 1) % max(2, max(first.ids)) for i in first.ids], 1, False)
    seen = []
    model.eval()
    with torch.inference_mode():
        for before in (first, other):
            batch = collate_packed([[before, second]], pad_id, device)
            logits = model(
                input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
            ).logits
            seen.append(logits[0, len(first.ids) :].float())
    difference = float((seen[0] - seen[1]).abs().max())
    if difference > 1e-3 * max(1.0, float(seen[0].abs().max())):
        raise TrainingError(
            f"packed examples see each other in this model (logits differ by {difference:.3g}); "
            "set adapter.packing to false"
        )
