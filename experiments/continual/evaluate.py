"""How often an adapter says exactly the right answer, or its tokens: one forward pass an item."""

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.adapters.batches import collate
from compass_core.adapters.chat import Example, encode_example
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Execution

ROOT = Path(__file__).parent.parent.parent
CPU = Execution(device="cpu", threads=1)


@cache
def _base(model: str) -> tuple[Any, Any]:
    settings = BaseModelSettings(model=model)
    return load_base(settings, ROOT, CPU), load_tokenizer(settings, ROOT)


def accuracy_by_topic(
    items: pl.DataFrame,
    base: BaseModelSettings,
    adapters: dict[str, Path],
    by_token: bool = False,
) -> dict[str, dict[str, float]]:
    """Adapter name -> topic -> share of items whose every answer token is the likeliest one.

    `items` are rows of records.BENCHMARK; only the question and the right choice are used. The
    base model itself is scored under the name `base`. `by_token`: the share of answer tokens that
    are the likeliest one, given the right ones before them.
    """
    from peft import PeftModel

    model, tokenizer = _base(base.model)
    examples, topics = [], []
    for row in items.sort("item_id").to_dicts():
        answer = row["choices"][row["answer"]]
        examples.append(encode_example(tokenizer, row["item_id"], row["question"], answer, 512))
        topics.append(row["subject"])
    found = {"base": _by_topic(_scores(model, examples, tokenizer.pad_token_id, by_token), topics)}
    for name, folder in adapters.items():
        adapted = PeftModel.from_pretrained(model, str(folder)).eval()
        found[name] = _by_topic(
            _scores(adapted, examples, tokenizer.pad_token_id, by_token), topics
        )
        adapted.unload()
    return found


def _scores(model: Any, examples: list[Example], pad_id: int, by_token: bool) -> list[float]:
    import torch

    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].ids), examples[i].row_id))
    found = [0.0] * len(examples)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            batch = collate([examples[i] for i in part], pad_id, "cpu")
            logits = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).logits[:, :-1]
            targets = batch["labels"][:, 1:]
            asked = targets != -100
            shares = ((logits.argmax(-1) == targets) & asked).sum(1) / asked.sum(1)
            for i, share in zip(part, shares.tolist(), strict=True):
                found[i] = share if by_token else float(share == 1.0)
    return found


def _by_topic(scores: list[float], topics: list[str]) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for value, topic in zip(scores, topics, strict=True):
        groups[topic].append(value)
    return {topic: sum(values) / len(values) for topic, values in sorted(groups.items())}
