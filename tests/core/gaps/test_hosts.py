"""What was merged is counted with its host, and nothing is counted twice or lost."""

import polars as pl
import pytest

from compass_core.gaps.hosts import on_hosts, shares, standing

GAPS = pl.DataFrame(
    {
        "cluster_id": [1, 2, 3],
        "merged_into": [None, None, 1],
        "p_usage": [0.6, 0.4, 0.0],
    },
    schema_overrides={"merged_into": pl.Int64},
)
ROWS = pl.DataFrame(
    {
        "cluster_id": [3, 2, 1, -1],
        "supervised_tokens": [50, 40, 10, 900],
        "row_id": ["c", "b", "a", "x"],
    }
)


def test_rows_move_to_the_host_and_keep_their_order():
    moved = on_hosts(ROWS, GAPS)
    assert moved["cluster_id"].to_list() == [1, 2, 1, -1]
    assert moved["row_id"].to_list() == ["c", "b", "a", "x"]
    assert moved.columns == ROWS.columns


def test_only_hosts_stand():
    assert standing(GAPS)["cluster_id"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("unit", "expected"), [("tokens", {1: 0.6, 2: 0.4}), ("rows", {1: 2 / 3, 2: 1 / 3})]
)
def test_shares_are_of_what_lies_in_clusters(unit, expected):
    assert shares(ROWS, GAPS, unit) == pytest.approx(expected)


def test_the_bucket_outside_every_cluster_counts_where_the_report_has_it():
    bucket = pl.DataFrame(
        {"cluster_id": [-1], "merged_into": [None], "p_usage": [0.0]},
        schema_overrides={"merged_into": pl.Int64},
    )
    assert shares(ROWS, pl.concat([GAPS, bucket]), "tokens")[-1] == 0.9


def test_no_rows_have_no_shares():
    assert shares(ROWS.clear(), GAPS, "tokens") == {}
