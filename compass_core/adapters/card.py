"""The model card and the lineage file that travel with an adapter."""

import json
from pathlib import Path
from typing import Any

from compass_core.config.schema import Adapter


def write_card(
    folder: Path, base_model: str, adapter: Adapter, rows: int, lineage: dict[str, Any]
) -> None:
    """Write README.md (with the metadata that model hubs read) and lineage.json."""
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
