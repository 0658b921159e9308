"""How well a model reads the prompts themselves: loss per token with the adapter and without.

Logs hold no answers, so the loss of answers cannot be taken. That of the prompt's own tokens can: a
prompt about something that the model never saw costs it more, whichever cluster it falls into.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compass_core.adapters.batches import collate
from compass_core.adapters.chat import Example, prompt_ids
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Execution
from compass_core.errors import ModelError
from compass_core.progress import Progress

Report = Callable[[str], None]
BATCH = 32


@dataclass(frozen=True)
class PromptLosses:
    """One entry a text: summed losses f64[n] in nats, and the tokens int64[n] they are over."""

    adapter_nats: np.ndarray
    base_nats: np.ndarray
    tokens: np.ndarray


def prompt_losses(
    texts: list[str],
    base: BaseModelSettings,
    adapter: Path,
    execution: Execution,
    project_dir: Path,
    max_tokens: int,
    report: Report = lambda text: None,
) -> PromptLosses:
    """Loss of each prompt inside the chat template, on its own tokens and not the template's.

    Longer prompts are cut on the right after `max_tokens`. Cost: two forward passes a prompt.
    Raises ModelError where the adapter changes no loss: then it was not applied.
    """
    from peft import PeftModel

    tokenizer = load_tokenizer(base, project_dir)
    examples = _examples(tokenizer, texts, max_tokens)
    try:
        model = PeftModel.from_pretrained(load_base(base, project_dir, execution), str(adapter))
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"adapter in {adapter} does not fit the base model: {error}") from error
    model.eval()
    adapted = _sums(model, examples, tokenizer.pad_token_id, report, adapter.name)
    with model.disable_adapter():
        plain = _sums(model, examples, tokenizer.pad_token_id, report, "base model")
    report(f"{len(texts)} prompts read with {adapter.name} and without")
    if len(texts) and np.array_equal(adapted, plain):
        raise ModelError(
            f"adapter {adapter.name} changes no loss of {len(texts)} prompts: it was not applied, "
            "or it was trained for another base model"
        )
    return PromptLosses(adapted, plain, np.array([e.supervised for e in examples], dtype=np.int64))


def _examples(tokenizer: Any, texts: list[str], max_tokens: int) -> list[Example]:
    """Ids up to the end of the prompt; the prompt's own tokens are the supervised ones."""
    empty = prompt_ids(tokenizer, "")
    made = []
    for number, text in enumerate(texts):
        ids = prompt_ids(tokenizer, text)
        start = _shared(ids, empty)
        end = len(ids) - _shared(ids[start:][::-1], empty[start:][::-1])
        kept = ids[: min(end, max_tokens)]
        made.append(Example(str(number), kept, max(0, len(kept) - max(start, 1)), end > max_tokens))
    return made


def _shared(left: list[int], right: list[int]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _sums(
    model: Any, examples: list[Example], pad_id: int, report: Report, label: str
) -> np.ndarray:
    import torch

    found = np.zeros(len(examples))
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].ids), i))
    order = [i for i in order if examples[i].supervised > 0]
    device = next(model.parameters()).device
    progress = Progress(report, label, len(order), "prompts read")
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            batch = collate([examples[i] for i in part], pad_id, device)
            logits = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).logits[:, :-1]
            targets = batch["labels"][:, 1:]
            scored = targets != -100
            losses = torch.zeros(targets.shape, device=device, dtype=torch.float32)
            losses[scored] = torch.nn.functional.cross_entropy(
                logits[scored].float(), targets[scored], reduction="none"
            )
            found[part] = losses.sum(1).double().cpu().numpy()
            progress.at(start + len(part))
    if not np.isfinite(found).all():
        raise ModelError("the model gives losses that are not numbers; set base_model.dtype")
    return found
