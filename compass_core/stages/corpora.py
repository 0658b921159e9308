"""One language's corpus in, with the project's rules; and what its rows turned out to be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.corpora.duplicates import Seen, remember
from compass_core.corpora.files import find_languages, not_read
from compass_core.corpora.ingest import IngestResult, asked_text, ingest_text
from compass_core.corpora.language_id import DISAGREES
from compass_core.corpora.rules import Rules
from compass_core.workspace import Workspace

ASSETS = {"training": "training_corpus", "auxiliary": "auxiliary_corpus"}


@dataclass(frozen=True)
class CorpusIngest:
    """`compared_with`: asset/partition -> data version of the partitions looked into."""

    result: IngestResult
    problems: list[str]
    compared_with: dict[str, str]


def ingest_corpus(
    ws: Workspace, role: str, language: str, report: Callable[[str], None] = lambda text: None
) -> CorpusIngest:
    """Read and clean all files of a language; nothing is written."""
    folder = ws.input_folder(role)
    names, problems = find_languages(folder)
    rules = Rules.of(ws.project)
    seen, compared = _earlier(ws, role, language, rules)
    place = folder / names.get(language, language)
    result = ingest_text(
        place,
        language,
        rules,
        report,
        role=role,
        corpora=ws.project.corpora,
        earlier=seen,
    )
    return CorpusIngest(result, problems + not_read(place), compared)


def _earlier(
    ws: Workspace, role: str, language: str, rules: Rules
) -> tuple[Seen | None, dict[str, str]]:
    """Rows of the partitions that come before: all training ones, then the pools up to this one.

    The order is fixed, so that the last word does not depend on who was materialized last; but a
    partition that is not there yet cannot be compared with.
    """
    if not rules.cleaning.across_partitions:
        return None, {}
    seen = Seen()
    compared: dict[str, str] = {}
    for other_role in ("training", "auxiliary"):
        asset = ASSETS[other_role]
        for partition in sorted(ws.manifests.partitions(asset)):
            if (other_role, partition) == (role, language):
                return seen, compared
            if other_role == role and partition > language:
                return seen, compared
            if other_role == "auxiliary" and role == "training":
                return seen, compared
            made = ws.manifests.get(asset, partition)
            key = layout.corpus(other_role, partition)
            if made is None or not ws.store.exists(key):
                continue
            frame = records.widened(ws.store.read_parquet(key), records.TEXT)
            rows = frame.select("row_id", "earlier_turns", "prompt", "response").iter_rows()
            remember(((i, asked_text(e, p), r) for i, e, p, r in rows), rules.cleaning, seen)
            compared[f"{asset}/{partition}"] = made.data_version
    return seen, compared


def language_facts(frame: pl.DataFrame) -> dict[str, Any]:
    """Rows by flag, the share that disagrees (of those judged), mixed rows, detected languages.

    `frame` has the columns of records.TEXT or records.USAGE. Rows that nobody looked at count in
    none. `detected` holds the ten most frequent tags of rows that disagree.
    """
    looked = frame.filter(pl.col("language_flag").is_not_null())
    flags = dict(looked.group_by("language_flag").len().sort("language_flag").iter_rows())
    judged = sum(count for flag, count in flags.items() if flag in ("agrees", "related", DISAGREES))
    apart = looked.filter(pl.col("language_flag") == DISAGREES)
    tags = (
        apart.group_by("detected_language")
        .len()
        .sort("len", "detected_language", descending=[True, False])
    )
    return {
        "flags": flags,
        "disagree_share": flags.get(DISAGREES, 0) / judged if judged else 0.0,
        "code_mixed": int(looked["code_mixed"].sum() or 0),
        "detected": dict(tags.head(10).iter_rows()),
    }
