from compass_core.graph import NODES
from compass_core.manifests import Consumed, Manifest, Manifests, merge_consumed
from compass_core.staleness import Staleness
from compass_core.storage import Store

CODE = dict.fromkeys(NODES, "1-a")


def made(asset, version, consumed=None, partition="sw", code="1-a"):
    return Manifest(asset, partition, version, code, consumed or {})


def test_an_ancestor_reached_by_two_paths_counts_with_the_older_version():
    gap = made("gap_report", "g1", {"usage_window": Consumed("w1", 10)})
    clusters = made("semantic_clusters", "c1", {"usage_window": Consumed("w2", 20)})
    for parents in (
        {"gap_report": (gap, 30), "semantic_clusters": (clusters, 25)},
        {"semantic_clusters": (clusters, 25), "gap_report": (gap, 30)},
    ):
        merged = merge_consumed(parents)
        assert merged["usage_window"] == Consumed("w1", 10)
        assert merged["gap_report"] == Consumed("g1", 30)


def test_manifests_survive_the_store(tmp_path):
    manifests = Manifests(Store(tmp_path))
    one = made("adapter", "v", {"gap_report": Consumed("g", 3)})
    manifests.put(one)
    assert manifests.get("adapter", "sw") == one
    assert manifests.get("adapter", "hi") is None
    assert manifests.partitions("adapter") == ["sw"]


def test_a_change_far_above_makes_the_adapter_stale_and_names_it(tmp_path):
    manifests = Manifests(Store(tmp_path))
    manifests.put(made("usage_window", "w1"))
    manifests.put(made("adapter", "a1", {"usage_window": Consumed("w1", 1)}))
    assert Staleness(manifests, CODE).status("adapter", "sw").state == "fresh"
    manifests.put(made("usage_window", "w2"))
    status = Staleness(manifests, CODE).status("adapter", "sw")
    assert status.state == "stale"
    assert [(c.asset, c.kind, c.recorded, c.current) for c in status.causes] == [
        ("usage_window", "data", "w1", "w2")
    ]
    manifests.put(made("usage_window", "w1"))  # back to what it was trained on
    assert Staleness(manifests, CODE).status("adapter", "sw").state == "fresh"


def test_changed_code_and_lost_ancestors_are_causes(tmp_path):
    manifests = Manifests(Store(tmp_path))
    manifests.put(made("adapter", "a1", {"usage_window": Consumed("w1", 1)}, code="1-old"))
    status = Staleness(manifests, CODE).status("adapter", "sw")
    assert [(c.kind, c.current) for c in status.causes] == [("data", "gone"), ("code", "1-a")]


def test_an_asset_that_was_never_made_is_missing(tmp_path):
    assert Staleness(Manifests(Store(tmp_path)), CODE).status("adapter", "sw").state == "missing"
