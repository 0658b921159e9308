from concurrent.futures import ThreadPoolExecutor

import pytest

from compass_core import records
from compass_core.adapters import registry
from compass_core.adapters.registry import (
    adapter_dir,
    lineage,
    memory_dir,
    promote,
    publish,
    rollback,
    rolled_back,
    serving,
    versions,
    write_catalogue,
)
from compass_core.adapters.registry import (
    promotions as changes,
)
from compass_core.errors import ServingChanged, StoreError
from compass_core.layout import adapters_catalogue
from compass_core.storage import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def give(store, weights, language="sw", **more):
    folder = store.scratch_dir("adapter")
    (folder / "adapter_model.safetensors").write_text(weights)
    (folder / "lineage.json").write_text('{"language": "sw"}')
    record = {"weights_version": weights, "training_set_version": "t1", "rows": 5, **more}
    return publish(store, language, folder, record)


def test_versions_count_up_by_language_and_never_change(store):
    assert [give(store, w) for w in "abc"] == ["v0001", "v0002", "v0003"]
    assert give(store, "a", language="th") == "v0001"
    weights = [
        (adapter_dir(store, "sw", v) / "adapter_model.safetensors").read_text()
        for v in ("v0001", "v0002", "v0003")
    ]
    assert weights == ["a", "b", "c"]
    assert lineage(store, "sw", "v0001") == {"language": "sw"}


def test_the_same_weights_again_are_the_same_version(store):
    assert give(store, "a") == give(store, "a") == "v0001"
    assert versions(store, "sw").height == 1
    assert give(store, "a", training_set_version="t2") == "v0002"


def test_a_folder_without_a_record_is_replaced(store):
    give(store, "a")
    orphan = store.local_path("adapters/sw/v0002")
    orphan.mkdir()
    (orphan / "half").write_text("x")
    assert give(store, "b") == "v0002"
    assert not (adapter_dir(store, "sw", "v0002") / "half").exists()


def test_who_serves_and_why_is_kept(store):
    give(store, "a")
    assert serving(store, "sw") is None
    promote(store, "sw", "v0001", "first")
    give(store, "b")
    promote(store, "sw", "v0002", "+2.0 points")
    table = versions(store, "sw")
    assert table.schema == records.ADAPTERS
    assert table["status"].to_list() == ["retired", "serving"]
    assert table["parent"].to_list() == [None, None]  # both trained from zero
    give(store, "c", parent="v0002")
    assert versions(store, "sw")["parent"].to_list() == [None, None, "v0002"]
    history = store.read_json("adapters/sw/registry.json")["history"]
    assert changes(store, "sw").schema == records.PROMOTIONS
    assert changes(store, "sw")["to_version"].to_list() == ["v0001", "v0002"]
    assert [(h["from"], h["to"], h["reason"]) for h in history] == [
        (None, "v0001", "first"),
        ("v0001", "v0002", "+2.0 points"),
    ]
    assert all(h["at"].endswith("+00:00") for h in history)


def test_rolling_back_goes_back_and_not_forth(store):
    for weights in "abc":
        promote(store, "sw", give(store, weights), "better")
    assert rollback(store, "sw") == "v0002" == serving(store, "sw")
    assert rollback(store, "sw", "bad answers") == "v0001" == serving(store, "sw")
    with pytest.raises(StoreError, match="nothing to roll back to"):
        rollback(store, "sw")
    promote(store, "sw", "v0003", "after all")
    assert rollback(store, "sw") == "v0001"


def test_where_to_roll_back_to_is_read_under_the_lock(store, monkeypatch):
    for weights in "abc":
        give(store, weights)
    for version in ("v0001", "v0002"):
        promote(store, "sw", version, "better")
    real = registry._locked
    waiting = ["v0003"]

    def locked(store, language):
        if waiting:  # somebody else gets the lock first
            promote(store, language, waiting.pop(), "lands in between")
        return real(store, language)

    monkeypatch.setattr(registry, "_locked", locked)
    assert rollback(store, "sw") == "v0002"
    last = store.read_json("adapters/sw/registry.json")["history"][-1]
    assert (last["from"], last["to"]) == ("v0003", "v0002")
    assert rollback(store, "sw") == "v0001"


def test_a_promotion_is_refused_where_another_version_serves_than_expected(store):
    for weights in "ab":
        give(store, weights)
    promote(store, "sw", "v0001", "first", expected=None)
    for expected in (None, "v0002"):
        with pytest.raises(ServingChanged, match="v0001 serves by now"):
            promote(store, "sw", "v0002", "late", expected=expected)
    assert serving(store, "sw") == "v0001"
    promote(store, "sw", "v0002", "better", expected="v0001")
    assert serving(store, "sw") == "v0002"


def test_publishing_and_promoting_at_once_lose_nothing(store):
    give(store, "first")

    def act(i):
        if i % 2:
            promote(store, "sw", "v0001", str(i))
        else:
            give(store, f"w{i}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(24)))
    assert versions(store, "sw").height == 13
    assert len(store.read_json("adapters/sw/registry.json")["history"]) == 12


def test_an_unknown_version_is_answered_with_the_known_ones(store):
    give(store, "a")
    with pytest.raises(StoreError, match=r"sw v0009 does not exist; there are: v0001"):
        promote(store, "sw", "v0009", "typo")
    with pytest.raises(StoreError, match=r"hi v0001 does not exist; there are: none"):
        adapter_dir(store, "hi", "v0001")


def test_the_catalogue_is_what_the_registry_says(store):
    give(store, "a")
    write_catalogue(store, "sw")
    assert store.read_parquet(adapters_catalogue("sw")).equals(versions(store, "sw"))


def test_a_version_keeps_its_memory_beside_it(store):
    memory = store.scratch_dir("memory")
    (memory / "fisher").write_text("f")
    folder = store.scratch_dir("adapter")
    (folder / "adapter_model.safetensors").write_text("w")
    record = {"weights_version": "w", "training_set_version": "t"}
    assert publish(store, "sw", folder, record, memory) == "v0001"
    assert (memory_dir(store, "sw", "v0001") / "fisher").read_text() == "f"
    assert not (adapter_dir(store, "sw", "v0001") / "fisher").exists()
    give(store, "x")
    assert memory_dir(store, "sw", "v0002") is None


def test_a_version_is_rolled_back_from_until_it_is_promoted_again(store):
    for weights in "ab":
        promote(store, "sw", give(store, weights), "better")
    assert rolled_back(store, "sw", "v0002") is None
    rollback(store, "sw", "wrong units")
    assert rolled_back(store, "sw", "v0002").endswith("wrong units")
    assert rolled_back(store, "sw", "v0001") is None
    promote(store, "sw", "v0002", "fixed", forced=True)
    assert rolled_back(store, "sw", "v0002") is None
    assert changes(store, "sw")["forced"].to_list() == [False, False, False, True]
