"""Recall and false positives of the personal-data rules on a labelled set in twelve languages.

    python -m experiments.pii.measure --out experiments/pii/results.json

`labelled.tsv` was written for this: one sentence a line, what is personal in braces with its type.
The numbers follow each country's plan but belong to nobody that we know of. A find counts when type
and exact extent are right; anything else found is a false positive.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from compass_core.config.text import Cleaning
from compass_core.corpora.pii import PLACEHOLDERS, replace_pii

_LABEL = re.compile(r"\{(email|phone|card|iban|ip):([^}]*)\}")
SET = Path(__file__).with_name("labelled.tsv")


def sentences() -> list[tuple[str, str, str, list[str]]]:
    """(language, text, expected result, types in it) of each line."""
    found = []
    for line in SET.read_text(encoding="utf-8").splitlines():
        language, labelled = line.split("\t")
        kinds = [match[1] for match in _LABEL.finditer(labelled)]
        text = _LABEL.sub(lambda m: m[2], labelled)
        expected = _LABEL.sub(lambda m: PLACEHOLDERS[m[1]], labelled)
        found.append((language, text, expected, kinds))
    return found


def measure() -> dict[str, dict[str, dict[str, int]]]:
    """Counts (labelled, found, wrong) by type and by language, and sentences that came out wrong.

    `found`: placeholders of the type in sentences, at most as many as are labelled; `wrong`: those
    beyond, and all in sentences whose result is not the expected one although the counts agree.
    """
    by_type: dict[str, Counter[str]] = {}
    by_language: dict[str, Counter[str]] = {}
    for language, text, expected, kinds in sentences():
        result, counts = replace_pii(text, language, Cleaning())
        extents_agree = result == expected or counts != Counter(kinds)
        for kind in sorted({*kinds, *counts}):
            labelled, made = kinds.count(kind), counts.get(kind, 0)
            found = min(labelled, made) if extents_agree else 0
            for table, key in ((by_type, kind), (by_language, language)):
                cell = table.setdefault(key, Counter())
                cell.update(labelled=labelled, found=found, wrong=made - found)
    return {
        "by_type": {key: dict(value) for key, value in sorted(by_type.items())},
        "by_language": {key: dict(value) for key, value in sorted(by_language.items())},
    }


def main(out: Annotated[Path, typer.Option()]) -> None:
    """Write the counts; print them and every sentence that came out wrong."""
    result = measure()
    out.write_text(json.dumps(result, indent=1) + "\n")
    typer.echo(json.dumps(result, indent=1))
    for language, text, expected, _ in sentences():
        made = replace_pii(text, language, Cleaning())[0]
        if made != expected:
            typer.echo(f"{language}: {made}  instead of  {expected}")


if __name__ == "__main__":
    typer.run(main)
