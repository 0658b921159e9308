"""The state of every asset as a table: what the UI, the command line and SQL say alike."""

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from compass_core import layout, records
from compass_core.stages.plan import BY_LANGUAGE
from compass_core.staleness import Staleness, Status
from compass_core.workspace import Workspace


def write_status(ws: Workspace, staleness: Staleness) -> None:
    """Write records.STALENESS of each target language, where it says something new.

    An unchanged table is left as it is, so `evaluated_at` is when the present answer was first
    given.
    """
    now = datetime.now(UTC)
    for language in ws.targets:
        statuses = [staleness.status(name, language) for name in BY_LANGUAGE]
        rows = [_row(language, status, now) for status in statuses]
        table = pl.DataFrame(rows, schema=records.STALENESS)
        key = layout.staleness(language)
        before = ws.store.read_parquet(key) if ws.store.exists(key) else None
        said = pl.all().exclude("evaluated_at")
        if before is None or not before.select(said).equals(table.select(said)):
            ws.store.write_parquet(key, table)


def warnings_of(ws: Workspace, languages: Sequence[str]) -> list[str]:
    """What checks found that block nothing, by language and asset, as of the last runs."""
    found = []
    for language in languages:
        for name in BY_LANGUAGE:
            made = ws.manifests.get(name, language)
            found += [f"{language} {name}: {text}" for text in (made.warned if made else ())]
    return found


def _row(language: str, status: Status, now: datetime) -> dict[str, object]:
    made = status.manifest
    return {
        "language": language,
        "asset": status.asset,
        "state": status.state,
        "causes": list(dict.fromkeys(cause.text() for cause in status.causes)),
        "since": min((cause.since for cause in status.causes), default=None),
        "data_version": made.data_version if made else None,
        "materialized_at": made.materialized_at if made else None,
        "evaluated_at": now,
    }
