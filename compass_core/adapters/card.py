"""The model card and the lineage file that travel with an adapter."""

import json
from pathlib import Path
from typing import Any

from compass_core.adapters.chat import (
    PLAIN_ASSISTANT,
    PLAIN_USER,
    answer_end,
    dialect_of,
)
from compass_core.config.schema import Adapter


def write_card(
    folder: Path,
    base_model: str,
    adapter: Adapter,
    rows: int,
    lineage: dict[str, Any],
    tokenizer: Any,
) -> None:
    """Write README.md (with the metadata that model hubs read) and lineage.json.

    `tokenizer`, with its dialect, is what the rows were written by.
    """
    language = lineage.get("language", "und")
    licences = lineage.get("licences", {})
    name = lineage.get("language_name", language)
    lines = [
        "---",
        "library_name: peft",
        f"base_model: {json.dumps(base_model)}",
        f"language: [{language}]",
        f"tags: [compass, {adapter.method}]",
        "---",
        "",
        f"# {name} adapter",
        "",
        f"A {adapter.method} adapter (rank {adapter.rank}, alpha {adapter.alpha}) for "
        f"`{base_model}`, trained on {rows} rows: the training corpus of the language and "
        "auxiliary rows chosen to fill its semantic gaps.",
        "",
        how_to_ask(tokenizer),
        "",
        "| licence of the data | rows |",
        "|---|---:|",
        *(f"| {licence} | {count} |" for licence, count in licences.items()),
        "",
        "| language of the data | rows |",
        "|---|---:|",
        *(f"| {tag} | {count} |" for tag, count in lineage.get("row_languages", {}).items()),
        "",
        f"Usage it was made for: {lineage.get('usage_first_day')} to "
        f"{lineage.get('usage_last_day')}. Versions of everything it was made from are in "
        "`lineage.json`, the loss curve in `training_log.json`.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    text = json.dumps(lineage, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "lineage.json").write_text(text, encoding="utf-8")


def how_to_ask(tokenizer: Any) -> str:
    """A paragraph on what a server has to put around a question, as the training did."""
    dialect, template = dialect_of(tokenizer), tokenizer.chat_template
    end = tokenizer.convert_ids_to_tokens(answer_end(tokenizer))
    if template:
        told = {key: value for key, value in dialect.arguments.items() if key in str(template)}
        how = "Ask it in the base model's chat template"
        how += f", with the arguments (`chat_template_kwargs`) `{json.dumps(told)}`" if told else ""
    else:
        shape = json.dumps(f"{PLAIN_USER}…{PLAIN_ASSISTANT}", ensure_ascii=False)
        how = f"The base model has no chat template; ask it as `{shape}`"
    if dialect.system:
        how += f", after the system turn `{json.dumps(dialect.system, ensure_ascii=False)}`"
    return f"{how}. An answer ends with `{end}`: a server has to stop there."
