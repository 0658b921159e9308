"""Fitting on planted clusters: found, chosen by the stated rule, the same in any order."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from compass_core.clusters.assign import DROPPED, OWN_BUCKET, assign
from compass_core.clusters.density import density_labels, spanning_tree
from compass_core.clusters.fit import fit_clusters
from compass_core.clusters.model import ClusterModel
from compass_core.clusters.novelty import refit_reason
from compass_core.config.schema import Clusters
from compass_core.errors import InputError

K, D = 12, 32
SETTINGS = Clusters(k_min=6, k_max=18, k_steps=3, min_cluster_size=10)


def planted(n=600, k=K, spread=0.15, seed=0):
    """Unit vectors around k random directions, and which one each belongs to."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, D))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.arange(n) % k
    vectors = centres[labels] + spread * rng.normal(size=(n, D)) / np.sqrt(D) * 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def fitted(vectors, settings=SETTINGS, order=None, **more):
    ids = [f"row-{i:05d}" for i in range(len(vectors))]
    order = np.arange(len(vectors)) if order is None else order
    return fit_clusters(
        vectors[order], [ids[i] for i in order], ["usage"] * len(order), settings, 7, **more
    )


@pytest.mark.parametrize("method", ["auto", "hdbscan", "kmeans"])
def test_planted_clusters_are_found(method):
    vectors, truth = planted()
    settings = SETTINGS.model_copy(update={"method": method, "k_steps": 7})
    model = fitted(vectors, settings)
    found = assign(model, vectors, "nearest").cluster_ids
    assert adjusted_rand_score(truth, found) > 0.95
    chosen = [c for c in model.candidates if c["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["score"] == max(c["score"] for c in model.candidates)


def test_it_says_what_is_fitted_and_how_many_are_left():
    said: list[str] = []
    model = fitted(planted()[0], report=said.append)
    count = len(model.candidates)
    assert len(said) == 2 * count
    for place, (before, after) in enumerate(zip(said[::2], said[1::2], strict=True), start=1):
        entry = model.candidates[place - 1]
        assert before.startswith(f"clusters: fitting {entry['method']} {{")
        assert before.endswith(f", candidate {place} of {count}")
        assert after.startswith(f"clusters: {place} of {count} candidates judged")
        assert f"score {entry['score']:.3f}" in after
        assert after.endswith(" s left") == (place < count)


def test_neither_order_nor_threads_change_the_clusters():
    vectors, _ = planted(900, spread=0.5)
    order = np.random.default_rng(3).permutation(len(vectors))
    with threadpool_limits(1):
        one = fitted(vectors)
    with threadpool_limits(2):
        two = fitted(vectors, order=order)
    assert one.version == two.version


def test_k_is_scaled_to_few_rows_and_says_so():
    vectors, _ = planted(40)
    model = fitted(vectors, Clusters(method="kmeans"))
    assert model.candidates[0]["k"] == 5
    assert model.candidates[0]["k_asked"] == 80


@pytest.mark.parametrize("n", [1, 2, 5])
def test_very_few_rows_make_few_clusters(n):
    model = fitted(planted(n)[0], Clusters())
    assert 1 <= len(model.cluster_ids) <= n


def test_identical_rows_are_one_cluster():
    vectors = np.tile(planted(1)[0], (50, 1))
    model = fitted(vectors)
    assert len(model.cluster_ids) == 1
    assert not assign(model, vectors, "nearest").off_target.any()


def test_what_cannot_be_clustered_is_named():
    vectors, _ = planted(30)
    vectors[4, 2] = np.nan
    with pytest.raises(InputError, match="row row-00004 is not finite"):
        fitted(vectors)
    with pytest.raises(InputError, match="no rows"):
        fitted(vectors[:0])


def test_large_data_is_fitted_on_a_stated_sample(monkeypatch):
    monkeypatch.setattr("compass_core.clusters.fit.FIT_ROWS", 300)
    vectors, truth = planted(1200)
    model = fitted(vectors)
    assert {c["fitted_rows"] for c in model.candidates} == {300}
    found = assign(model, vectors, "nearest").cluster_ids
    assert adjusted_rand_score(truth, found) > 0.95


def test_noise_policies():
    vectors, _ = planted()
    model = fitted(vectors)
    strange = -model.centroids.mean(axis=0, keepdims=True)
    strange = (strange / np.linalg.norm(strange)).astype(np.float32)
    nearest = assign(model, strange, "nearest")
    assert nearest.off_target.tolist() == [True]
    assert nearest.cluster_ids[0] in model.cluster_ids
    assert assign(model, strange, "own_bucket").cluster_ids.tolist() == [OWN_BUCKET]
    assert assign(model, strange, "drop").cluster_ids.tolist() == [DROPPED]


def test_blocks_do_not_change_assignments():
    vectors, _ = planted()
    model = fitted(vectors)
    whole, blocks = assign(model, vectors, "nearest"), assign(model, vectors, "nearest", 7)
    assert np.array_equal(whole.cluster_ids, blocks.cluster_ids)
    assert np.array_equal(whole.similarity, blocks.similarity)


def test_a_saved_model_is_the_same_model(tmp_path):
    model = fitted(planted()[0])
    model.save(tmp_path)
    loaded = ClusterModel.load(tmp_path)
    assert loaded.version == model.version
    assert loaded.candidates == model.candidates


def test_a_refit_is_asked_for_by_novelty_and_by_settings():
    vectors, _ = planted()
    model = fitted(vectors, digest="d")
    assert refit_reason(model, vectors, SETTINGS, "d") is None
    assert "settings" in str(refit_reason(model, vectors, SETTINGS, "e"))
    strange, _ = planted(60, seed=99)
    mixed = np.concatenate([vectors, strange])
    limit = SETTINGS.model_copy(update={"refit_novelty": 0.05})
    assert "(limit 5 points more)" in str(refit_reason(model, mixed, limit, "d"))
    assert (
        refit_reason(model, mixed, SETTINGS.model_copy(update={"refit_novelty": 0.5}), "d") is None
    )


def test_right_after_a_fit_none_is_asked_for_however_scattered_usage_is(tmp_path):
    vectors, _ = planted()
    scattered = np.random.default_rng(7).normal(size=(60, vectors.shape[1])).astype(np.float32)
    scattered /= np.linalg.norm(scattered, axis=1, keepdims=True)
    usage = np.concatenate([vectors[:40], scattered])
    roles = ["auxiliary"] * len(vectors) + ["usage"] * len(usage)
    few = SETTINGS.model_copy(update={"k_min": 3, "k_max": 3, "k_steps": 1, "method": "kmeans"})
    model = fit_clusters(
        np.concatenate([vectors, usage]),
        [f"{role}/{i:04d}" for i, role in enumerate(roles)],
        roles,
        few,
        seed=7,
        digest="d",
    )
    model.save(tmp_path)
    kept = ClusterModel.load(tmp_path)
    assert assign(kept, usage, "nearest").off_target.mean() > 0.001
    strict = few.model_copy(update={"refit_novelty": 0.001})
    assert refit_reason(kept, usage, strict, "d") is None
    assert refit_reason(kept, scattered, strict, "d") is not None


def test_a_model_of_before_that_kept_no_share_is_fitted_anew_once(tmp_path):
    vectors, _ = planted()
    strange, _ = planted(60, seed=99)
    usage = np.concatenate([vectors, strange])
    model = replace(fitted(vectors, digest="d"), usage_off_target=0.2)
    model.save(tmp_path)
    file = tmp_path / "model.json"
    rest = json.loads(file.read_text())
    del rest["usage_off_target"]
    file.write_text(json.dumps(rest))
    before = ClusterModel.load(tmp_path)
    limit = SETTINGS.model_copy(update={"refit_novelty": 0.05})
    assert refit_reason(model, usage, limit, "d") is None
    assert refit_reason(before, usage, limit, "d") is not None
    # Else the same centroids would be the same version, and the share would never be stored.
    assert before.version != model.version


def test_ids_survive_a_refit_on_more_data():
    vectors, _ = planted()
    first = fitted(vectors)
    more, _ = planted(60, k=1, seed=42)  # one new topic
    second = fitted(np.concatenate([vectors, more]), previous=first)
    before = assign(first, vectors, "nearest").cluster_ids
    after = assign(second, vectors, "nearest").cluster_ids
    assert (before == after).mean() > 0.99
    new = set(second.cluster_ids.tolist()) - set(first.cluster_ids.tolist())
    assert new
    assert min(new) >= first.next_id
    assert {e["id"] for e in second.events if e["what"] in ("new", "split")} == new


def test_the_spanning_tree_joins_everything_once():
    vectors, _ = planted(300, k=3, spread=0.01)
    vectors[:20] = vectors[0]  # identical rows are at distance zero
    tree = spanning_tree(vectors)
    assert tree.shape == (299, 3)
    roots = list(range(300))

    def root(i):
        while roots[i] != i:
            i = roots[i]
        return i

    for a, b, weight in tree:
        assert weight > 0
        roots[root(int(a))] = root(int(b))
    assert len({root(i) for i in range(300)}) == 1


def test_scattered_rows_are_noise():
    vectors, truth = planted(400, k=4, spread=0.1)
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(40, D)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    labels = density_labels(np.concatenate([vectors, noise]), 15)
    assert adjusted_rand_score(truth, labels[:400]) > 0.95
    assert (labels[400:] == -1).mean() > 0.7


def test_clusters_that_grow_together_are_merged_and_what_comes_apart_is_split():
    """Rows are the same before and after; only how fine they are cut differs."""
    vectors, truth = planted(600, k=6)
    pair = vectors.copy()
    pair[truth == 1] = vectors[truth == 1] * 0.35 + vectors[truth == 0].mean(axis=0)
    pair /= np.linalg.norm(pair, axis=1, keepdims=True)
    fine = fitted(pair, Clusters(method="kmeans", k_min=6, k_max=6, k_steps=1))
    coarse_settings = Clusters(method="kmeans", k_min=5, k_max=5, k_steps=1)
    coarse = fitted(pair, coarse_settings, previous=fine)
    merged = [e for e in coarse.events if e["what"] == "merged"]
    assert len(merged) == 1
    assert merged[0]["into"] in coarse.cluster_ids
    assert merged[0]["id"] not in coarse.cluster_ids
    again = fitted(pair, Clusters(method="kmeans", k_min=6, k_max=6, k_steps=1), previous=coarse)
    splits = [e for e in again.events if e["what"] == "split"]
    assert [(e["id"], e["from"]) for e in splits] == [(coarse.next_id, merged[0]["into"])]
    assert set(coarse.cluster_ids) < set(again.cluster_ids)


def test_hdbscans_noise_is_known_after_the_fit_too():
    vectors, truth = planted(600, k=6, spread=0.1)
    rng = np.random.default_rng(5)
    scattered = rng.normal(size=(60, D)).astype(np.float32)
    scattered /= np.linalg.norm(scattered, axis=1, keepdims=True)
    model = fitted(np.concatenate([vectors, scattered]), Clusters(method="hdbscan"))
    assert model.candidates[0]["noise_share"] == pytest.approx(60 / 660, abs=0.04)
    placed = assign(model, np.concatenate([vectors, scattered]), "own_bucket")
    assert placed.noise[600:].mean() > 0.8
    assert placed.noise[:600].mean() < 0.03
    assert (placed.cluster_ids[placed.noise] == OWN_BUCKET).all()
    assert adjusted_rand_score(truth, placed.cluster_ids[:600]) > 0.95
    assert (placed.noise | ~placed.off_target).all()  # what is far from everything is noise too


def test_rows_of_a_trickle_are_assigned_alone_as_with_all_others():
    vectors, _ = planted(800, spread=0.6)
    model = fitted(vectors)
    together = assign(model, vectors, "nearest")
    alone = [assign(model, vectors[i : i + 1], "nearest") for i in range(0, 800, 37)]
    assert [int(a.cluster_ids[0]) for a in alone] == together.cluster_ids[::37].tolist()
    assert [float(a.similarity[0]) for a in alone] == together.similarity[::37].tolist()


def test_under_another_embedder_all_clusters_are_new_and_the_old_ones_are_gone():
    vectors, _ = planted(300, k=4)
    first = fitted(vectors)
    other = vectors[:, : vectors.shape[1] // 2]
    other = other / np.linalg.norm(other, axis=1, keepdims=True)
    second = fitted(other, previous=first, same_space=False)
    count = len(second.cluster_ids)
    assert second.cluster_ids.tolist() == list(range(first.next_id, first.next_id + count))
    assert second.next_id == first.next_id + count
    gone = [event["id"] for event in second.events if event["what"] == "gone"]
    assert gone == first.cluster_ids.tolist()
    assert {event["what"] for event in second.events} == {"new", "gone"}
