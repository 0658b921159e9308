"""Only what somebody asked about can be under-covered, wherever it is counted."""

import polars as pl
from polars.testing import assert_frame_equal

from compass_core import records
from compass_core.gaps.covered import asked_about, in_words, under_covered
from compass_core.storage import Store
from compass_core.warehouse import catalogue_path, ensure_catalogue, query

ROWS = {  # cluster: gap, usage rows, merged into
    0: (0.05, 20, None),
    1: (0.30, 0, None),  # the pool has rows, nobody asks
    2: (0.00, 40, None),
    3: (0.20, 1, None),
    4: (0.00, 2, 2),
}
GAPS = pl.DataFrame(
    [
        dict.fromkeys(records.GAPS)
        | {"language": "sw", "cluster_id": cluster, "title": f"mada {cluster}"}
        | {"gap": gap, "usage_rows": asked, "merged_into": into}
        for cluster, (gap, asked, into) in ROWS.items()
    ],
    schema=records.GAPS,
)


def test_a_cluster_nobody_asked_about_is_not_under_covered():
    assert under_covered(GAPS)["cluster_id"].to_list() == [3, 0]
    assert asked_about(GAPS)["cluster_id"].to_list() == [0, 2, 3]
    assert in_words(GAPS) == "2 of 3 clusters asked about are under-covered (5 in all)"


def test_the_view_counts_the_same_clusters(tmp_path):
    store = Store(tmp_path / "store")
    store.write_parquet("gaps/sw.parquet", GAPS)
    view = query(ensure_catalogue(store, catalogue_path(store, tmp_path)), "SELECT * FROM gaps_top")
    assert_frame_equal(view, under_covered(GAPS).select(view.columns))
