"""What adapters are scored on: the section `benchmarks` of the project file."""

from typing import Literal

from pydantic import Field

from compass_core.config.section import Section


class ItemColumns(Section):
    """What the columns of a suite's items are called, where no known shape has such names."""

    question: str | None = Field(None, description="The question's text.")
    passage: str | None = Field(None, description="A text that the question is about.")
    choices: str | list[str] | None = Field(
        None, description="A column with a list of texts, or the columns with a text each."
    )
    answer: str | None = Field(
        None, description="A letter, an integer (see answers_from) or the choice's text."
    )
    subject: str | None = Field(None, description="What scores can be broken down by.")
    id: str | None = Field(None, description="What names the item in its source.")


class Suite(Section):
    """One benchmark: a folder of items, tasks of the evaluation harness, or long contexts."""

    name: str = Field(
        description="What scores are filed under; for local items the name of their folder under "
        "inputs.benchmarks.",
        pattern=r"^[A-Za-z0-9_.-]+$",
    )
    kind: Literal["local", "lm_eval", "oneruler"] = Field(
        "local",
        description="local: multiple-choice items of the project; lm_eval: a task of "
        "lm-evaluation-harness; oneruler: needles and word counts in long contexts.",
    )
    style: Literal["cloze", "letters"] = Field(
        "cloze", description="cloze: score each choice's text; letters: list A-D, score letters."
    )
    max_items: int | None = Field(
        None, ge=1, description="Score only this many (lm_eval: of each task); null: all."
    )
    columns: ItemColumns | None = Field(
        None,
        description="local: ours to theirs where columns have other names, such as {question: "
        "Question, choices: [A, B, C, D], answer: Answer}.",
    )
    answers_from: Literal[0, 1] = Field(
        0, description="local: what an integer answer calls the first choice."
    )
    task: str | None = Field(
        None,
        description="lm_eval: task or group with {lang} for the language, such as "
        "global_mmlu_{lang}, mmlu_prox_lite_{lang}, or the path of a task's YAML; null: the name.",
    )
    data: str | None = Field(
        None,
        description="lm_eval: folder with a copy of the data set, so that no network is asked; "
        "oneruler: folder with <language>.txt, or published rows in <language>/.",
    )
    shots: int | None = Field(
        None, ge=0, description="lm_eval: examples in the prompt; null: as the task says."
    )
    chat: bool = Field(False, description="lm_eval: put prompts into the chat template.")
    max_new_tokens: int | None = Field(
        None, ge=1, description="Cut generated answers here; null: as the task says."
    )
    variants: list[str] = Field(
        default_factory=lambda: [
            "niah_single",
            "niah_multikey",
            "niah_multivalue",
            "niah_multiquery",
            "niah_none",
            "cwe_easy",
            "cwe",
        ],
        description="oneruler: which of its tasks.",
    )
    lengths: list[int] = Field(
        default_factory=lambda: [8_192, 32_768, 65_536, 131_072],
        description="oneruler: tokens of a context, by the base model's own tokenizer.",
    )


class Benchmarks(Section):
    """What the adapters are scored on."""

    suites: list[Suite] = Field(
        default_factory=lambda: [Suite(name="world_qa")],
        description="The benchmark suites.",
        min_length=1,
    )
    batch_size: int = Field(64, ge=1, description="Sequences a forward pass.")
