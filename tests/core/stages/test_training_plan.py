"""What a version is said to have been made for, and what of its rows is held out."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.config.schema import Project
from compass_core.hashing import unit_key
from compass_core.stages import update
from compass_core.storage import Store
from compass_core.workspace import Workspace


def opened(folder, **settings):
    project = Project.model_validate({"languages": {"targets": ["sw"]}, **settings})
    return Workspace(folder, project, project, Store(folder / "store"))


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"source": "logs"}, {0: 10, 1: 30, 2: 0}),
        ({"source": "proxy"}, {0: 0, 1: 0, 2: 160}),
        ({"source": "blend", "proxy_weight": 0.1}, {0: 45, 1: 135, 2: 20}),
    ],
)
def test_usage_is_counted_as_the_gaps_were_measured(tmp_path, usage, counts):
    ws = opened(tmp_path, usage=usage)
    gaps = [dict.fromkeys(records.GAPS) | {"cluster_id": c} for c in range(3)]
    ws.store.write_parquet(layout.gaps("sw"), pl.DataFrame(gaps, schema=records.GAPS))
    asked = [("usage", 0)] * 10 + [("usage", 1)] * 30 + [("training", 1)] * 5 + [("usage", -1)]
    if usage["source"] != "logs":
        asked += [("proxy", 2)] * 160
    rows = [
        dict.fromkeys(records.ASSIGNMENTS) | {"role": role, "cluster_id": c} for role, c in asked
    ]
    frame = pl.DataFrame(rows, schema=records.ASSIGNMENTS)
    ws.store.write_parquet(layout.assignments("sw"), frame)
    assert update._anchor(ws, "sw") == pytest.approx(counts)


def training_rows(count, cluster=0, first=0):
    rows = [
        dict.fromkeys(records.SELECTIONS)
        | {"row_id": f"r{i}", "prompt": f"p{i}", "response": "a", "content_hash": f"h{i}"}
        | {"cluster_id": cluster}
        for i in range(first, first + count)
    ]
    return pl.DataFrame(rows, schema=records.SELECTIONS)


def held(rows, share=0.05, before=None, asked_about=(0,)):
    before = records.empty(records.HISTORY) if before is None else before
    found = update.with_held(rows, share, before, asked_about)
    assert found["row_id"].to_list() == rows["row_id"].to_list()
    return found.filter("held")["row_id"].to_list()


def memory(rows, held):
    return records.conform(
        rows.with_columns(pl.col("row_id").is_in(held).alias("held")), records.HISTORY
    )


def key(row):
    return unit_key(row.replace("r", "h"), 0, "held-out")


def none_by_key(count):
    """A run of that many rows of which a share of 5 % holds out none."""
    return next(
        rows
        for first in range(1000)
        for rows in [training_rows(count, first=first)]
        if min(map(key, rows["row_id"])) > 0.05
    )


def test_a_share_of_many_rows_is_held_out_by_their_keys():
    rows = training_rows(400)
    assert held(rows) == [row for row in rows["row_id"] if key(row) < 0.05]


def test_of_few_rows_one_is_held_out_as_long_as_others_are_left():
    rows = none_by_key(12)
    assert held(rows) == [min(rows["row_id"], key=key)]
    assert held(rows.sample(fraction=1, shuffle=True, seed=1)) == held(rows)
    assert held(rows.head(1)) == []
    same = rows.with_columns(pl.lit("h7").alias("content_hash"))
    assert len(held(same)) in (0, 12)
    assert held(rows, share=0.0) == []


def test_it_is_a_row_of_what_is_asked_about():
    rows = none_by_key(12)
    quiet = rows.with_columns(pl.lit(1, pl.Int64).alias("cluster_id"))
    assert held(quiet) == []
    lowest = min(rows["row_id"], key=key)
    mixed = rows.with_columns(
        pl.when(pl.col("row_id") == lowest).then(1).otherwise(0).cast(pl.Int64).alias("cluster_id")
    )
    assert held(mixed) == [min(set(rows["row_id"]) - {lowest}, key=key)]


def test_what_the_serving_version_held_out_stays_so_and_what_it_learnt_is_not_held_out():
    rows = none_by_key(12)
    some = max(rows["row_id"], key=key)
    assert held(rows, before=memory(rows, [some])) == [some]
    lowest = min(rows["row_id"], key=key)
    learnt = memory(rows.filter(pl.col("row_id") == lowest), [])
    assert held(rows, before=learnt) == [min(set(rows["row_id"]) - {lowest}, key=key)]
