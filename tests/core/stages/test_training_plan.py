"""What a version is said to have been made for, and what of its rows is held out."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.config.schema import Project
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
