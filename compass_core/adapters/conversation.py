"""Rows of several turns to training examples: loss on every turn of the assistant.

Where the chat template writes earlier turns as they were when they were generated, a conversation
is one sequence with several supervised spans. Where it does not (Qwen3 takes the thinking block out
of earlier turns), each turn of the assistant is an example of its own, with what was said before it
as its prompt. Either way what is trained on is what a server would generate from.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from compass_core.adapters.chat import (
    Example,
    encode_example,
    prompt_ids,
    prompt_text,
    response_ids,
    text_ids,
)
from compass_core.errors import ModelError
from compass_core.turns import Exchange, earlier_exchanges, system_turn

COLUMNS = ("row_id", "prompt", "response", "earlier_turns")


def row_examples(tokenizer: Any, rows: pl.DataFrame, max_tokens: int) -> list[list[Example]]:
    """Examples of each row (row_id, prompt, response, perhaps earlier_turns), in the rows' order.

    A row of one turn is exactly one example, that of `chat.encode_example`.
    """
    found = []
    for row_id, prompt, response, *earlier in told(rows).iter_rows():
        before = earlier[0] if earlier else None
        conversation = [*earlier_exchanges(before), Exchange(prompt, response)]
        system = system_turn(before)
        try:
            found.append(encode_conversation(tokenizer, row_id, conversation, max_tokens, system))
        except ModelError as error:
            raise ModelError(f"row {row_id}: {error}") from error
    return found


def told(rows: pl.DataFrame) -> pl.DataFrame:
    """What decides a row's examples: the columns of COLUMNS that the frame has."""
    return rows.select([name for name in COLUMNS if name in rows.columns])


def identities(rows: pl.DataFrame) -> pl.Series:
    """One text a row, which differs where what is trained on differs."""
    said = rows["row_id"] + "/" + rows["prompt"] + "/" + rows["response"]
    if COLUMNS[-1] in rows.columns:
        said = said + rows[COLUMNS[-1]].fill_null("")
    return said


def examples_of(tokenizer: Any, rows: pl.DataFrame, max_tokens: int) -> list[Example]:
    """All examples of all rows."""
    return [e for examples in row_examples(tokenizer, rows, max_tokens) for e in examples]


def encode_conversation(
    tokenizer: Any,
    row_id: str,
    exchanges: Sequence[Exchange],
    max_tokens: int,
    system: str | None = None,
) -> list[Example]:
    """One example, or one a turn of the assistant (`row_id#0`, `row_id#1`, ...).

    What is longer than `max_tokens` loses its oldest exchanges first, and is marked as truncated;
    `system`, the conversation's system turn, stays.
    """
    if len(exchanges) == 1:
        return [encode_example(tokenizer, row_id, *exchanges[0], max_tokens, system)]
    whole = _one_sequence(tokenizer, row_id, exchanges, system)
    if whole is None:
        return [
            _last_turn(tokenizer, f"{row_id}#{i}", exchanges[: i + 1], max_tokens, system)
            for i in range(len(exchanges))
        ]
    if len(whole.ids) <= max_tokens:
        return [whole]
    shorter = encode_conversation(tokenizer, row_id, exchanges[1:], max_tokens, system)
    return [replace(example, truncated=True) for example in shorter]


def _one_sequence(
    tokenizer: Any, row_id: str, exchanges: Sequence[Exchange], system: str | None
) -> Example | None:
    """None where the last prompt does not hold every earlier turn as it was generated."""
    last = len(exchanges) - 1
    context = prompt_text(tokenizer, exchanges[last].prompt, exchanges[:last], system)
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for i, (prompt, response) in enumerate(exchanges):
        start = prompt_text(tokenizer, prompt, exchanges[:i], system)
        if not context.startswith(start):
            return None
        ids += text_ids(tokenizer, context[at : len(start)])
        answer = response_ids(tokenizer, prompt, response, exchanges[:i], system)
        spans.append((len(ids), len(ids) + len(answer)))
        ids += answer
        if i < last:
            said = tokenizer.decode(answer, clean_up_tokenization_spaces=False)
            if not context.startswith(said, len(start)):
                return None
            at = len(start) + len(said)
    return Example(row_id, ids, sum(end - start for start, end in spans), False, tuple(spans))


def _last_turn(
    tokenizer: Any,
    row_id: str,
    exchanges: Sequence[Exchange],
    max_tokens: int,
    system: str | None,
) -> Example:
    """The last answer, and all that was said before it as its prompt, as far as there is room."""
    prompt, response = exchanges[-1]
    if len(exchanges) == 1:
        return encode_example(tokenizer, row_id, prompt, response, max_tokens, system)
    before = prompt_ids(tokenizer, prompt, exchanges[:-1], system)
    answer = response_ids(tokenizer, prompt, response, exchanges[:-1], system)
    if len(before) + len(answer) <= max_tokens:
        return Example(row_id, before + answer, len(answer), False)
    shorter = _last_turn(tokenizer, row_id, exchanges[1:], max_tokens, system)
    return replace(shorter, truncated=True)
