"""The data card of a training set: what is in it, from where, under which licence, and why."""

import json
from typing import Any

import polars as pl

from compass_core.languages import display_name


def training_card(
    language: str,
    rows: pl.DataFrame,
    dropped: pl.DataFrame,
    summary: dict[str, Any],
    versions: dict[str, str],
) -> str:
    """README.md of a training set (records.SELECTIONS), in the Hub's dataset card format.

    `dropped`: records.DROPPED; `summary`: of the selection; `versions`: data version by asset.
    """
    known = rows.with_columns(pl.col("license", "source", "revision").fill_null("not stated"))
    licences = sorted(known["license"].unique())
    head = {
        "language": sorted(rows["row_language"].unique()),
        "license": licences[0] if len(licences) == 1 else "other",
        "task_categories": ["text-generation"],
        "configs": [{"config_name": "default", "data_files": "train.parquet"}],
    }
    sampled = rows.filter(pl.col("origin") == "auxiliary")
    lines = [
        "---",
        *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()),
        "---",
        "",
        f"# Training set for {display_name(language)} (`{language}`)",
        "",
        f"{rows.height} rows: {rows.height - sampled.height} of the training corpus and "
        f"{sampled.height} sampled from the auxiliary pool by `{summary['strategy']}`: "
        f"{summary['spent']} of a budget of {summary['budget']} {summary['unit']}.",
        "",
        "| divergence of the mix from usage | bits |",
        "|---|---:|",
        f"| training corpus alone | {summary['jsd_bits_before']:.4f} |",
        f"| with the sample | {summary['jsd_bits_after']:.4f} |",
        "",
        "The texts of a row are under the licence in its `license` column, not under one of this "
        "set. Rows whose source states none say so: ask before you pass them on.",
    ]
    for title, columns in (
        ("Language", ["origin", "row_language"]),
        ("Licence", ["license"]),
        ("Source", ["source", "revision", "license"]),
    ):
        counted = (
            known.group_by(columns)
            .agg(pl.len().alias("rows"), pl.col("supervised_tokens").sum().alias("tokens"))
            .sort(columns)
        )
        lines += ["", f"## By {title.lower()}", "", *_table(counted)]
    reasons = dropped.group_by("reason").agg(pl.len().alias("rows")).sort("reason")
    lines += ["", "## Rows that are not in it", "", *_table(reasons)]
    made = pl.DataFrame(
        {"asset": sorted(versions), "version": [versions[k] for k in sorted(versions)]}
    )
    lines += ["", "## Made from", "", *_table(made)]
    return "\n".join(lines) + "\n"


def _table(frame: pl.DataFrame) -> list[str]:
    head = "| " + " | ".join(frame.columns) + " |"
    rule = "|" + "".join("---:|" if t.is_numeric() else "---|" for t in frame.dtypes)
    cells = (" | ".join(_cell(value) for value in row) for row in frame.iter_rows())
    return [head, rule, *(f"| {row} |" for row in cells)]


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
