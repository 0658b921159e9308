import numpy as np

from compass_core.clusters.match import match_ids


def around(*angles):
    """Unit vectors in the plane, by angle in degrees."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def what(events):
    return sorted((event["what"], event["id"]) for event in events)


def test_clusters_that_moved_a_little_keep_their_ids_in_any_order():
    ids, next_id, events = match_ids(around(0, 90), np.array([4, 9]), around(95, 3), 10)
    assert ids.tolist() == [9, 4]
    assert next_id == 10
    assert what(events) == [("kept", 4), ("kept", 9)]


def test_new_clusters_get_ids_that_were_never_used():
    ids, next_id, events = match_ids(around(0, 90), np.array([4, 9]), around(0, 90, 200), 12)
    assert ids.tolist() == [4, 9, 12]
    assert next_id == 13
    assert ("new", 12) in what(events)


def test_a_cluster_beside_a_kept_one_is_a_split_of_it():
    _, _, events = match_ids(around(0), np.array([0]), around(0, 38), 1)
    assert [e for e in events if e["what"] == "split"] == [{"what": "split", "id": 1, "from": 0}]


def test_what_went_into_another_is_merged_and_what_vanished_is_gone():
    _, _, events = match_ids(around(0, 38, 200), np.array([0, 1, 2]), around(2), 3)
    assert what(events) == [("gone", 2), ("kept", 0), ("merged", 1)]
