"""An ingest result into the store: accepted rows, quarantine, and its line in the catalogue."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.corpora.ingest import IngestResult
from compass_core.storage import Store


def publish_ingest(
    store: Store, result: IngestResult, key: str, asset: str, partition: str
) -> dict[str, Any]:
    """Write everything and return the facts a manifest keeps (counts, reasons, sources, version).

    The rows are written last: until then a killed step has changed nothing that is read.
    """
    store.write_parquet(layout.quarantine(asset, partition), result.quarantined)
    facts: dict[str, Any] = {
        "data_version": result.data_version,
        "rows_read": result.rows_read,
        "rows_accepted": result.accepted.height,
        "rows_quarantined": result.quarantined.height,
        "reasons": result.reasons,
        "pii": result.pii,
        "sources": [asdict(file) for file in result.files],
    }
    write_accounting(store, asset, partition, partition, facts)
    facts["bytes"] = store.write_parquet(key, result.accepted)
    return facts


def write_accounting(
    store: Store, asset: str, partition: str, language: str, facts: dict[str, Any]
) -> None:
    """One row of the `corpora` view: what was read, accepted and quarantined, and why."""
    row = {
        "asset": asset,
        "partition": partition,
        "language": language,
        "rows_read": facts["rows_read"],
        "rows_accepted": facts["rows_accepted"],
        "rows_quarantined": facts["rows_quarantined"],
        "reasons": json.dumps(facts["reasons"], sort_keys=True),
        "data_version": facts["data_version"],
        "materialized_at": datetime.now(UTC),
    }
    frame = pl.DataFrame([row], schema=records.CORPORA)
    store.write_parquet(layout.corpora_catalogue(asset, partition), frame)
