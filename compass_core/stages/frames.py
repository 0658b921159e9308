"""Reading what earlier stages stored: the rows of a role, ready to embed, cluster or sample."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.workspace import Workspace


def usage_rows(ws: Workspace, language: str) -> pl.DataFrame:
    """Rows of the usage window (records.USAGE)."""
    manifest = ws.store.read_json(layout.window(language))
    return _usage_of_days(ws, language, manifest["days"])


def usage_rows_between(ws: Workspace, language: str, first: date, last: date) -> pl.DataFrame:
    """Rows of the logged days from first to last, both included, whatever the window holds now."""
    book: dict[str, Any] = ws.store.read_json_or_none(layout.usage_days(language)) or {}
    days = [
        day
        for day, entry in book.items()
        if entry["rows"] > 0 and first <= date.fromisoformat(day) <= last
    ]
    return _usage_of_days(ws, language, days)


def _usage_of_days(ws: Workspace, language: str, days: Iterable[str]) -> pl.DataFrame:
    frames = [ws.store.read_parquet(layout.usage_day(language, day)) for day in sorted(days)]
    return pl.concat([records.empty(records.USAGE), *frames], how="diagonal_relaxed").sort("row_id")


def training_rows(ws: Workspace, language: str) -> pl.DataFrame:
    """The training corpus of a language (records.TEXT)."""
    return _texts(ws, "training", language).sort("row_id")


def pool_rows(ws: Workspace, language: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Auxiliary rows that a target may sample from and that have vectors (records.TEXT, or some of
    its columns, row_id among them: texts are what takes the memory)."""
    empty = records.empty(records.TEXT)
    frames = [_texts(ws, "auxiliary", name, columns) for name in ready_pools(ws, language)]
    kept = empty.select(columns or empty.columns)
    return pl.concat([kept, *frames], how="diagonal_relaxed").sort("row_id")


def _texts(ws: Workspace, role: str, name: str, columns: list[str] | None = None) -> pl.DataFrame:
    """A stored corpus; nulls in the columns of records.TEXT that it was stored without."""
    key = layout.corpus(role, name)
    try:
        return ws.store.read_parquet(key, columns or list(records.TEXT))
    except pl.exceptions.ColumnNotFoundError:
        stored = ws.store.read_parquet(key)
        return records.widened(stored, records.TEXT).select(columns or list(records.TEXT))


def pool_texts(ws: Workspace, language: str, row_ids: pl.Series) -> pl.DataFrame:
    """row_id and prompt of some auxiliary rows; one corpus in memory at a time."""
    wanted = row_ids.to_frame("row_id")
    frames = [
        ws.store.read_parquet(layout.corpus("auxiliary", name), ["row_id", "prompt"]).join(
            wanted, on="row_id", how="semi"
        )
        for name in ready_pools(ws, language)
    ]
    return pl.concat([records.empty(records.TEXT).select("row_id", "prompt"), *frames])


def pool_parts(ws: Workspace, language: str) -> Iterator[pl.DataFrame]:
    """Rows of records.TEXT, a pool language at a time: no more than one corpus is held."""
    for name in ready_pools(ws, language):
        part = _texts(ws, "auxiliary", name)
        yield pl.concat([records.empty(records.TEXT), part], how="diagonal_relaxed")


def pool_details(ws: Workspace, language: str, row_ids: pl.Series) -> pl.DataFrame:
    """Texts, source, license, revision and content_hash of some pool rows, in the order asked."""
    columns = ["row_id", "prompt", "response", "earlier_turns", "source", "license"]
    columns += ["revision", "content_hash"]
    wanted = row_ids.to_frame("row_id")
    found = [
        _texts(ws, "auxiliary", name, columns).join(wanted, on="row_id", how="semi")
        for name in ready_pools(ws, language)
    ]
    empty = records.empty(records.TEXT).select(columns)
    everything = pl.concat([empty, *found], how="diagonal_relaxed")
    return wanted.join(everything, on="row_id", how="left", maintain_order="left")


def ready_pools(ws: Workspace, language: str) -> list[str]:
    """Auxiliary corpora of a target that have their vectors, sorted."""
    pools = ws.store.read_json(layout.catalogue(language))["pools"]
    return sorted(name for name, entry in pools.items() if entry["vectors"] is not None)


def benchmark_rows(ws: Workspace, language: str) -> pl.DataFrame:
    """All benchmark items of a language (records.BENCHMARK)."""
    return ws.store.read_parquet(layout.benchmark(language)).sort("item_id")


def proxy_rows(ws: Workspace, language: str) -> pl.DataFrame:
    """Dev items as stand-ins for usage: row_id, language, prompt, content_hash. Never the test."""
    items = benchmark_rows(ws, language).filter(pl.col("split") == "dev")
    return items.select(
        pl.col("item_id").alias("row_id"),
        "language",
        pl.col("question").alias("prompt"),
        "content_hash",
    )


def uses_proxy(ws: Workspace) -> bool:
    return ws.project.usage.source != "logs"


def role_rows(
    ws: Workspace, language: str, texts_of: tuple[str, ...] = records.ROLES
) -> dict[str, pl.DataFrame]:
    """Rows by role with columns row_id, language, content_hash; no role is missing.

    The roles in `texts_of` also have the column prompt.
    """
    keys = ["row_id", "language", "content_hash"]

    def columns(role: str) -> list[str]:
        return [*keys, "prompt"] if role in texts_of else keys

    proxy = proxy_rows(ws, language) if uses_proxy(ws) else records.empty(records.USAGE)
    return {
        "usage": usage_rows(ws, language).select(columns("usage")),
        "training": training_rows(ws, language).select(columns("training")),
        "auxiliary": pool_rows(ws, language, columns("auxiliary")),
        "proxy": proxy.select(columns("proxy")),
    }
