"""Gap reports over time: one a window, whatever is measured twice or in another order."""

from datetime import UTC, date, datetime

import polars as pl

from compass_core import records
from compass_core.gaps.history import with_report


def report(last_day: date, coverage: float) -> pl.DataFrame:
    row = dict.fromkeys(records.GAPS) | {
        "language": "sw",
        "cluster_id": 3,
        "coverage": coverage,
        "usage_first_day": date(2026, 1, 1),
        "usage_last_day": last_day,
    }
    return pl.DataFrame([row], schema=records.GAPS)


def test_a_second_report_on_a_window_replaces_the_first_and_another_window_is_added():
    at = datetime(2026, 2, 1, tzinfo=UTC)
    history = with_report(None, report(date(2026, 1, 12), 0.5), at)
    history = with_report(history, report(date(2026, 1, 11), 0.9), at)
    history = with_report(history, report(date(2026, 1, 12), 0.4), at)
    assert history.schema == records.GAPS_HISTORY
    assert history.select("usage_last_day", "coverage").rows() == [
        (date(2026, 1, 11), 0.9),
        (date(2026, 1, 12), 0.4),
    ]


def test_reports_without_days_count_as_one_window():
    history = with_report(None, report(None, 0.5).with_columns(usage_first_day=None))
    history = with_report(history, report(None, 0.6).with_columns(usage_first_day=None))
    assert history["coverage"].to_list() == [0.6]


def test_a_history_from_before_a_column_existed_is_kept():
    old = with_report(None, report(date(2026, 1, 11), 0.9)).drop("pool_tokens")
    both = with_report(old, report(date(2026, 1, 12), 0.4))
    assert both.schema == records.GAPS_HISTORY
    assert both.height == 2
