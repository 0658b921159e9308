"""Scoring multiple-choice items: the base model loaded once, any number of adapters on it."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from compass_core import records
from compass_core.adapters.batches import collate
from compass_core.adapters.chat import Example, prompt_ids, response_ids
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Benchmarks, Execution, Suite
from compass_core.errors import ModelError
from compass_core.progress import Progress

Report = Callable[[str], None]
BASE = "base"
LOCAL_VERSION = "1"  # of the prompts of local items


def score_items(
    items: pl.DataFrame,
    suites: list[Suite],
    base: BaseModelSettings,
    adapters: dict[str, Path],
    benchmarks: Benchmarks,
    execution: Execution,
    project_dir: Path,
    split: str = "test",
    report: Report = lambda text: None,
    loaded: tuple[Any, Any] | None = None,
) -> pl.DataFrame:
    """Score the base model and each adapter on one split (records.SCORES, an item a row).

    A choice's score is the mean log-likelihood per token (nats) of the assistant's turn that gives
    it, the token that ends the turn included; the largest wins, the first of equals.
    Style `cloze`: the turn is the choice's text. Style `letters`: the choices are listed as A, B, …
    under the question and the turn is the letter.
    `loaded`: tokenizer and base model, where they are in memory already.
    Raises ModelError when an adapter's scores equal the base model's on every item: then it was
    not applied; and when a score is not a number.
    """
    chosen = chosen_items(items, suites, split)
    if not chosen.height:
        return records.empty(records.SCORES)
    tokenizer = loaded[0] if loaded else load_tokenizer(base, project_dir)
    styles: dict[str, str] = {suite.name: suite.style for suite in suites}
    sequences = [_sequences(tokenizer, row, styles[row["suite"]]) for row in chosen.to_dicts()]
    model = loaded[1] if loaded else load_base(base, project_dir, execution)
    pad_id, size = tokenizer.pad_token_id, benchmarks.batch_size
    results = {BASE: _logliks(model, sequences, pad_id, size, report, "base model")}
    report(f"base model: {chosen.height} items scored")
    for name, folder in adapters.items():
        started = time.monotonic()
        adapted = with_adapter(model, folder)
        results[name] = _logliks(adapted, sequences, pad_id, size, report, name)
        model = adapted.unload()
        if results[name] == results[BASE]:
            raise ModelError(
                f"adapter {folder.name} changes no score of {chosen.height} items: it was not "
                "applied, or it was trained for another base model"
            )
        report(f"{name}: {chosen.height} items scored in {time.monotonic() - started:.1f} s")
    return pl.concat([_frame(chosen, name, scored, styles) for name, scored in results.items()])


def local_questions(items: pl.DataFrame, suites: list[Suite], split: str = "test") -> pl.DataFrame:
    """The questions (pairs.KEYS) that score_items would ask of these items."""
    styles = {suite.name: f"local/{suite.style}" for suite in suites if suite.kind == "local"}
    return chosen_items(items, suites, split).select(
        "suite",
        "item_id",
        pl.col("suite").replace_strict(styles, return_dtype=pl.String).alias("task"),
        pl.lit(LOCAL_VERSION).alias("task_version"),
        pl.lit(0, pl.Int64).alias("shots"),
    )


def chosen_items(items: pl.DataFrame, suites: list[Suite], split: str) -> pl.DataFrame:
    """Items of the split, at most `max_items` a suite: those with the lowest ids."""
    parts = [items.clear()]
    for suite in suites:
        if suite.kind != "local":
            continue
        mine = items.filter((pl.col("suite") == suite.name) & (pl.col("split") == split))
        mine = mine.sort("item_id")
        parts.append(mine if suite.max_items is None else mine.head(suite.max_items))
    return pl.concat(parts)


def _sequences(tokenizer: Any, row: dict[str, Any], style: str) -> list[Example]:
    """One example a choice; its supervised tokens are those that are scored."""
    question, answers = row["question"], row["choices"]
    if style == "letters":
        letters = [chr(ord("A") + i) for i in range(len(answers))]
        listed = [f"{letter}. {text}" for letter, text in zip(letters, answers, strict=True)]
        question, answers = "\n".join([question, *listed]), letters
    before = prompt_ids(tokenizer, question)
    found = []
    for position, text in enumerate(answers):
        answer = response_ids(tokenizer, question, text)
        name = f"{row['item_id']}/{position}"
        found.append(Example(name, before + answer, len(answer), False))
    return found


def _logliks(
    model: Any,
    sequences: list[list[Example]],
    pad_id: int,
    batch_size: int,
    report: Report = lambda text: None,
    label: str = "",
) -> list[list[float]]:
    """Mean log-likelihood per scored token, by item and choice."""
    import torch

    flat = [(i, j, e) for i, choices in enumerate(sequences) for j, e in enumerate(choices)]
    flat.sort(key=lambda entry: (len(entry[2].ids), entry[2].row_id))
    found = [[0.0] * len(choices) for choices in sequences]
    model.eval()
    device = next(model.parameters()).device
    progress = Progress(report, label, len(flat), "choices scored")
    with torch.inference_mode():
        for start in range(0, len(flat), batch_size):
            part = flat[start : start + batch_size]
            batch = collate([e for _, _, e in part], pad_id, device)
            logits = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).logits[:, :-1]
            targets = batch["labels"][:, 1:]
            scored = targets != -100
            losses = torch.zeros(targets.shape, device=device)
            losses[scored] = torch.nn.functional.cross_entropy(
                logits[scored].float(), targets[scored], reduction="none"
            )
            means = -losses.sum(1) / scored.sum(1)
            for (i, j, _), value in zip(part, means.tolist(), strict=True):
                found[i][j] = value
            progress.at(start + len(part))
    if not all(math.isfinite(value) for values in found for value in values):
        raise ModelError(
            "the model gives log-likelihoods that are not numbers; "
            "set base_model.dtype to float32 or bfloat16, or train with a lower learning rate"
        )
    return found


def with_adapter(model: Any, folder: Path) -> Any:
    """The model with an adapter on it. Raises ModelError unless all of its tensors fit."""
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    try:
        adapted = PeftModel.from_pretrained(model, str(folder))
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"adapter in {folder} does not fit the base model: {error}") from error
    weights = folder / "adapter_model.safetensors"
    if weights.is_file():  # PEFT applies whatever part of the adapter has a place
        with safe_open(weights, "pt") as file:
            given = set(file.keys())
        wanted = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
        if given != wanted:
            raise ModelError(
                f"adapter in {folder} does not fit the base model: {len(given - wanted)} of its "
                f"{len(given)} tensors have no place there, {len(wanted - given)} are missing"
            )
    return adapted


def _frame(
    items: pl.DataFrame, name: str, scored: list[list[float]], styles: dict[str, str]
) -> pl.DataFrame:
    rows = []
    for item, values in zip(items.to_dicts(), scored, strict=True):
        predicted = max(range(len(values)), key=lambda i: (values[i], -i))
        wrong = max(v for i, v in enumerate(values) if i != item["answer"])
        rows.append(
            {
                "language": item["language"],
                "suite": item["suite"],
                "split": item["split"],
                "item_id": item["item_id"],
                "subject": item["subject"],
                "model": BASE if name == BASE else "adapter",
                "adapter_version": None if name == BASE else name,
                "predicted": predicted,
                "answer": item["answer"],
                "correct": predicted == item["answer"],
                "margin": values[item["answer"]] - wrong,
                "logliks": values,
                "task": f"local/{styles[item['suite']]}",
                "task_version": LOCAL_VERSION,
                "shots": 0,
            }
        )
    return pl.DataFrame(rows, schema=records.SCORES)
