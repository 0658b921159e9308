"""The history of gap reports: how coverage moved from window to window."""

from datetime import UTC, datetime

import polars as pl

from compass_core import records

# A report on the same window replaces the earlier one: it is the same measurement, done again.
_SAME = ["language", "usage_first_day", "usage_last_day"]


def with_report(
    history: pl.DataFrame | None, gaps: pl.DataFrame, measured_at: datetime | None = None
) -> pl.DataFrame:
    """`history` (records.GAPS_HISTORY) with one report (records.GAPS) added, oldest window first.

    Cluster ids survive refits, so a cluster can be followed through it. A history from before a
    column existed has nulls there.
    """
    now = measured_at or datetime.now(UTC)
    added = records.conform(
        gaps.with_columns(pl.lit(now).alias("measured_at")), records.GAPS_HISTORY
    )
    if history is None:
        return added.sort("cluster_id")
    known = [name for name in history.columns if name in records.GAPS_HISTORY]
    kept = history.select(known).join(
        added.select(_SAME).unique(), on=_SAME, how="anti", nulls_equal=True
    )
    both = pl.concat([kept, added], how="diagonal_relaxed").select(added.columns)
    return both.sort("usage_last_day", "cluster_id")
