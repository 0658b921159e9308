"""From log files to days: which days changed, their rows, and the book of day versions."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import polars as pl

from compass_core import layout
from compass_core.corpora.log_ledger import Ledger
from compass_core.hashing import version_of_set
from compass_core.progress import Progress
from compass_core.stages.publish import write_accounting
from compass_core.storage import Store


def publish_day(store: Store, ledger: Ledger, language: str, day: date) -> dict[str, Any]:
    """Write one day of a language from all files that hold rows of it; returns its facts.

    The day is built anew from the recorded files, never appended to, so that files which arrive
    late, twice or in any order give the same rows and the same data version.
    """
    rows = ledger.assemble_day(day)
    twice = ledger.duplicates_of_day(day)
    key = layout.usage_day(language, day.isoformat())
    return {
        "data_version": version_of_set(rows["row_hash"]),
        "rows_read": rows.height + twice,
        "rows_accepted": rows.height,
        "rows_in_several_files": twice,
        "bytes": store.write_parquet(key, rows),
        "preview": rows.head(8),
    }


def publish_days(
    store: Store,
    ledger: Ledger,
    language: str,
    days: Iterable[date],
    report: Callable[[str], None] = lambda text: None,
) -> dict[date, dict[str, Any]]:
    """Publish days and enter them in the language's book; returns facts by day, sorted.

    The book is written once, at the end. The ledger keeps the days as unpublished until the caller
    marks them, so a run that is killed before leaves nothing behind that is not done again.
    """
    done: dict[date, dict[str, Any]] = {}
    ordered = sorted(days)
    progress = Progress(report, language, len(ordered), "days published")
    for count, day in enumerate(ordered, start=1):
        done[day] = publish_day(store, ledger, language, day)
        progress.at(count)
    book: dict[str, Any] = store.read_json_or_none(layout.usage_days(language)) or {}
    for day, facts in done.items():
        book[day.isoformat()] = {
            "version": facts["data_version"],
            "rows": facts["rows_accepted"],
        }
    store.write_json(layout.usage_days(language), book)
    store.write_parquet(layout.quarantine("usage_logs", language), ledger.quarantine())
    write_accounting(store, "usage_logs", language, language, ledger_totals(ledger, book))
    return done


def ledger_totals(ledger: Ledger, book: dict[str, Any]) -> dict[str, Any]:
    """Accounting over everything that was ever delivered for the language."""
    totals = ledger.totals()
    return {
        **totals,
        "data_version": version_of_set(f"{day}:{entry['version']}" for day, entry in book.items()),
    }


def day_book(store: Store, language: str) -> pl.DataFrame:
    """The book as a frame: day, version, rows."""
    book = store.read_json_or_none(layout.usage_days(language)) or {}
    rows = [{"day": day, **entry} for day, entry in sorted(book.items())]
    schema = {"day": pl.String, "version": pl.String, "rows": pl.Int64}
    return pl.DataFrame(rows, schema=schema)
