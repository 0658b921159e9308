"""Tables on asset pages: the first rows of a frame as Markdown, safe against any text."""

import json
from typing import Any

import dagster as dg
import polars as pl


def table(frame: pl.DataFrame, columns: list[str], rows: int = 8) -> dg.MarkdownMetadataValue:
    """The first rows as a Markdown table; cells are cut and can hold no markup of their own."""
    head = frame.select(columns).head(rows)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in head.iter_rows()]
    return dg.MetadataValue.md("\n".join(lines))


def counts(values: dict[str, Any]) -> dg.MarkdownMetadataValue:
    """A two-column table of names and figures."""
    lines = [
        "| what | count |",
        "|---|---:|",
        *(f"| {_cell(k)} | {v} |" for k, v in values.items()),
    ]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    text = " ".join(text.split())
    for mark in "\\`|<>[]*_":
        text = text.replace(
            mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark]
        )
    return text if len(text) <= 90 else text[:89] + "…"
