import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compass_core.clusters.match import match_ids, overlap_of


def matched(table, old_ids, next_id, sizes=None):
    table = np.array(table, dtype=float)
    sizes = table.sum(axis=1) if sizes is None else np.array(sizes)
    return match_ids(table, sizes, np.array(old_ids), next_id)


def what(events):
    return sorted((event["what"], event["id"]) for event in events)


def test_clusters_that_share_their_rows_keep_their_ids_in_any_order():
    ids, next_id, events = matched([[3, 90], [95, 2]], [4, 9], 10)
    assert ids.tolist() == [9, 4]
    assert next_id == 10
    assert what(events) == [("kept", 4), ("kept", 9)]


def test_new_clusters_get_ids_that_were_never_used():
    ids, next_id, events = matched([[50, 0], [0, 50], [0, 0]], [4, 9], 12, sizes=[50, 50, 30])
    assert ids.tolist() == [4, 9, 12]
    assert next_id == 13
    assert {"what": "new", "id": 12, "rows": 30} in events


def test_the_smaller_part_of_a_split_is_a_split_of_it():
    ids, _, events = matched([[30], [70]], [5], 6)
    assert ids.tolist() == [6, 5]
    assert [e for e in events if e["what"] == "split"] == [
        {"what": "split", "id": 6, "from": 5, "rows": 30}
    ]


def test_what_went_into_another_is_merged_and_what_vanished_is_gone():
    ids, _, events = matched([[60, 40, 0]], [0, 1, 2], 3)
    assert ids.tolist() == [0]
    assert what(events) == [("gone", 2), ("kept", 0), ("merged", 1)]
    assert {"what": "merged", "id": 1, "into": 0, "rows": 40} in events


def test_a_cluster_that_scattered_is_gone_and_its_heirs_are_new():
    ids, _, events = matched([[25], [25], [25], [25]], [0], 1, sizes=[100, 100, 100, 100])
    assert ids.tolist() == [1, 2, 3, 4]
    assert what(events) == [("gone", 0), *[("new", i) for i in (1, 2, 3, 4)]]


def test_no_id_is_given_twice_over_many_refits():
    rng = np.random.default_rng(1)
    ids, next_id = np.arange(6), 6
    gone = set()
    for _ in range(30):
        table = rng.integers(0, 9, (rng.integers(1, 9), len(ids))).astype(float)
        before = set(ids.tolist())
        ids, next_id, _ = match_ids(table, table.sum(axis=1), ids, next_id)
        assert len(set(ids.tolist())) == len(ids)
        assert not gone & set(ids.tolist())
        gone |= before - set(ids.tolist())


def test_rows_outside_the_old_clusters_count_for_none():
    table = overlap_of(np.array([0, 0, 1]), np.array([1, -1, 0]), 2, 2, np.ones(3))
    assert table.tolist() == [[0, 1], [1, 0]]


@settings(deadline=None)
@given(
    table=arrays.arrays(
        np.int64,
        st.tuples(st.integers(1, 7), st.integers(1, 7)),
        elements=st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 200)),
    )
)
@example(table=np.array([[66, 30], [30, 3]]))  # the two 30s add up to more than the 66 has
def test_a_cluster_that_shares_more_than_half_of_all_rows_keeps_its_id(table):
    sizes, before = table.sum(axis=1), table.sum(axis=0)
    shared = 2 * table > sizes[:, None] + before[None, :] - table  # Jaccard above 1/2, in integers
    old_ids = 100 + np.arange(table.shape[1])
    ids, _, _ = match_ids(table.astype(float), sizes.astype(float), old_ids, 200)
    for new, old in zip(*np.nonzero(shared), strict=True):
        assert ids[new] == old_ids[old]


def test_one_strong_match_is_worth_more_than_two_that_are_cut_afterwards():
    ids, _, events = matched([[66, 30], [30, 3]], [4, 9], 10)
    assert ids.tolist() == [4, 10]
    assert ("kept", 4) in what(events)
