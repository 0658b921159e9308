"""The tables of docs/experiments/ingest.md, from what `run.py` wrote.

python -m experiments.ingest.report experiments/ingest/results.json
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FLAGS = ("agrees", "related", "disagrees", "unsure", "unknown")


def tables(result: dict[str, Any]) -> str:
    """Markdown: by asset, by file of the corpora, and by language."""
    return "\n".join([*_assets(result), "", *_files(result), "", *_languages(result)]) + "\n"


def _assets(result: dict[str, Any]) -> list[str]:
    lines = [
        "| asset | read | accepted | quarantined | reasons |",
        "|---|---:|---:|---:|---|",
    ]
    for name, part in result["parts"].items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in part["reasons"].items())
        lines.append(
            f"| {name} | {part['read']:,} | {part['accepted']:,} | {part['quarantined']:,} "
            f"| {reasons} |"
        )
    return lines


def _files(result: dict[str, Any]) -> list[str]:
    part = result["parts"]["auxiliary_corpus"]
    names = [*FLAGS]
    lines = [
        f"| file | accepted | repetition | exact duplicates | {' | '.join(names)} |",
        f"|---|{'---:|' * (3 + len(names))}",
    ]
    counted: dict[str, Counter[str]] = {}
    for language in part["languages"].values():
        for file, flags in language["by_file"].items():
            counted.setdefault(file, Counter()).update(flags)
    for file, flags in sorted(counted.items()):
        reasons = part["reasons_by_file"].get(file, {})
        cells = [
            sum(flags.values()),
            reasons.get("repetition", 0),
            reasons.get("exact_duplicate", 0),
            *(flags[name] for name in names),
        ]
        lines.append(f"| {file.removesuffix('.parquet')} | {_row(cells)} |")
    return lines


def _languages(result: dict[str, Any]) -> list[str]:
    """Languages with prompts or benchmark items; the others have SIB-200's sentences only."""
    corpora = result["parts"]["auxiliary_corpus"]["languages"]
    logs = result["parts"]["usage_logs"]["languages"]
    lines = [
        "| language | corpus rows | disagrees | related | unsure | code-mixed | prompts "
        "| disagrees | items | rows that hold one |",
        f"|---|{'---:|' * 9}",
    ]
    for language, screened in sorted(result["contamination"].items()):
        corpus, asked = corpora.get(language, {}), logs.get(language, {})
        flags, said = corpus.get("flags", {}), asked.get("flags", {})
        cells = [
            corpus.get("rows", 0),
            *(flags.get(name, 0) for name in ("disagrees", "related", "unsure")),
            corpus.get("code_mixed", 0),
            asked.get("rows", 0),
            said.get("disagrees", 0),
            screened["items"],
            screened["hits"],
        ]
        lines.append(f"| {language} | {_row(cells)} |")
    return lines


def _row(cells: list[int]) -> str:
    return " | ".join(f"{cell:,}" for cell in cells)


if __name__ == "__main__":
    sys.stdout.write(tables(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
