"""Long-context rows through a model: greedy answers, judged one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from compass_core.adapters.chat import answer_end, prompt_ids, text_ids
from compass_core.benchmarks.oneruler.generate import (
    VARIANTS,
    haystack_of,
    make_row,
    published_rows,
    words_of,
)
from compass_core.benchmarks.oneruler.judge import extracted, is_right
from compass_core.benchmarks.oneruler.prompts import prompts_of
from compass_core.config.schema import Suite
from compass_core.errors import InputError
from compass_core.progress import Progress

VERSION = "3"  # of the prompts and of how rows are made
SEED = 17  # the same rows for every model and project
ROWS = 50  # a variant and length, unless `max_items` says other
NEW_TOKENS = 128
SLACK = 0.1  # of a length: what tokenizers and the room for the answer make of it


def run_oneruler(
    suite: Suite,
    language: str,
    model: Any,
    tokenizer: Any,
    directory: Path,
    report: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Rows of records.SCORES without the columns that say whose they are.

    What cannot be run is left out and `report` says why: a language without prompts or text, words
    that are too few, lengths that the model has no positions for. Cost: one forward pass over each
    context and up to 128 generated tokens.
    """
    strange = sorted(set(suite.variants) - set(VARIANTS))
    if strange:
        raise InputError(
            f"suite {suite.name}: variants {', '.join(strange)} are unknown; "
            f"allowed: {', '.join(VARIANTS)}"
        )
    room = suite.max_new_tokens or NEW_TOKENS
    positions = getattr(model.config, "max_position_embeddings", None)
    said: set[tuple[str, str]] = set()

    def leave_out(what: str, why: str) -> None:
        if (what, why) not in said:  # what a language or model lacks, it lacks for every variant
            report(f"{suite.name} {language}: {what} left out: {why}")
        said.add((what, why))

    found = []
    for variant in suite.variants:
        rows = _rows(suite, language, variant, tokenizer, directory, positions, room, leave_out)
        progress = Progress(report, f"{suite.name}, {variant}", len(rows), "contexts answered")
        for number, (name, row) in enumerate(rows, start=1):
            ids = prompt_ids(tokenizer, row["input"])
            if positions is not None and len(ids) + room > positions:
                leave_out(
                    name,
                    f"{len(ids):,} tokens and {room} to generate; the model has {positions:,} "
                    "positions",
                )
                continue
            answer = text_ids(tokenizer, f"<answer>{', '.join(row['outputs'])}</answer>")
            if len(answer) > room:
                leave_out(
                    f"rows of {variant}",
                    f"a right answer takes more than the {room} tokens that are generated; set "
                    "max_new_tokens of the suite",
                )
                continue
            response = _answer(model, tokenizer, ids, room)
            found.append(
                {
                    "item_id": name,
                    "subject": variant,
                    "task": f"oneruler/{variant}",
                    "task_version": VERSION,
                    "shots": 0,
                    "shots_from": None,
                    "predicted": None,
                    "answer": None,
                    "margin": None,
                    "logliks": None,
                    "correct": is_right(variant, row["outputs"], response, language),
                    "response": response,
                    "extracted": extracted(response),
                }
            )
            progress.at(number)
    return found


def _rows(
    suite: Suite,
    language: str,
    variant: str,
    tokenizer: Any,
    directory: Path,
    positions: int | None,
    room: int,
    leave_out: Callable[[str, str], None],
) -> list[tuple[str, dict[str, Any]]]:
    """(item id, row) of one variant: the published rows where there are any, else made ones."""
    folder = directory / suite.data if suite.data else None
    published = published_rows(folder, language, variant)
    if published:
        return _chosen(suite, variant, published, leave_out)
    try:
        prompts_of(language)
        haystack = haystack_of(language, folder)
    except InputError as error:
        leave_out("contexts made here", str(error))
        return []
    try:
        words = words_of(language, folder, haystack) if variant.startswith("cwe") else []
    except InputError as error:
        leave_out(variant, str(error))
        return []

    def count(text: str) -> int:
        return len(prompt_ids(tokenizer, text))

    made = []
    for length in suite.lengths:
        short = 0 if positions is None else max(0, length - positions)
        if short > SLACK * length:
            leave_out(f"{length:,} tokens", f"the model has {positions:,} positions")
            continue
        try:
            made += [
                (
                    f"{variant}/{length}/{index}",
                    make_row(
                        *(variant, language, haystack, words, length, count, SEED, index),
                        room=room + short,
                    ),
                )
                for index in range(suite.max_items or ROWS)
            ]
        except InputError as error:
            leave_out(f"{variant} at {length:,} tokens", str(error))
    return made


def _chosen(
    suite: Suite,
    variant: str,
    published: list[dict[str, Any]],
    leave_out: Callable[[str, str], None],
) -> list[tuple[str, dict[str, Any]]]:
    """Published rows that are not longer than the longest of the suite's lengths, with slack.

    Their `length` is by the tokenizer that they were made with, and holds tokens to generate.
    """
    most = (1 + SLACK) * max(suite.lengths)
    kept = [row for row in published if row["length"] <= most]
    if len(kept) < len(published):
        leave_out(
            f"{len(published) - len(kept)} of {len(published)} published rows of {variant}",
            f"longer than {most:,.0f} tokens, 10 % above the longest of the suite's `lengths`",
        )
    return [(f"{row['file']}/{row['index']}", row) for row in kept][: suite.max_items]


def _answer(model: Any, tokenizer: Any, ids: list[int], room: int) -> str:
    """Greedy, without the penalties that a checkpoint may ask for: an answer repeats the context.

    It ends where the model's own configuration says, and where the training taught it to end: a
    base model without instructions knows no end of a turn.
    """
    import torch

    own = model.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), answer_end(tokenizer)}
    device = model.get_input_embeddings().weight.device
    with torch.inference_mode():
        out = model.generate(
            input_ids=torch.tensor([ids], device=device),
            attention_mask=torch.ones((1, len(ids)), dtype=torch.long, device=device),
            max_new_tokens=room,
            do_sample=False,
            repetition_penalty=1.0,
            eos_token_id=sorted(end for end in ends if end is not None),
            pad_token_id=tokenizer.pad_token_id,
        )
    return str(tokenizer.decode(out[0, len(ids) :], skip_special_tokens=True))
