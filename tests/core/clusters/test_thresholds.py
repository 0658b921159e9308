"""Where noise begins: as HDBSCAN sees it, and never at the cost of a cluster."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compass_core.clusters.thresholds import LOST_MEMBERS, noise_thresholds, quantile_thresholds


def of_one(similarity, member):
    similarity = np.asarray(similarity, dtype=np.float32)
    labels = np.zeros(len(similarity), dtype=np.int64)
    return float(noise_thresholds(labels, similarity, np.asarray(member), 1)[0])


def test_it_lies_midway_between_what_hdbscan_keeps_and_what_it_calls_noise():
    assert of_one([0.1, 0.3, 0.7, 0.9], [False, False, True, True]) == pytest.approx(0.5)


def test_without_noise_no_member_is_lost():
    assert of_one([0.5, 0.6, 0.9], [True, True, True]) < 0.5


def test_one_stray_member_does_not_let_all_noise_in():
    similarity = np.concatenate([[0.1], np.linspace(0.2, 0.4, 30), np.linspace(0.6, 0.9, 200)])
    member = np.concatenate([[True], np.zeros(30, bool), np.ones(200, bool)])
    assert of_one(similarity, member) == pytest.approx(0.5)


def test_members_far_below_all_others_are_scattered_rows_that_were_taken_in():
    dense = np.linspace(0.6, 0.8, 300)
    assert of_one([0.1, *dense], [True] * 301) == pytest.approx(0.35)
    three_in_a_hundred = [0.1] * 9
    assert of_one([*three_in_a_hundred, *dense], [True] * 309) < 0.1


def test_twins_leave_nobody_out():
    assert of_one([0.3, *[0.9] * 200], [True] * 201) < 0.3


def test_noise_among_the_members_does_not_take_the_cluster_with_it():
    similarity = np.linspace(0.2, 0.9, 1_000)
    member = np.arange(1_000) % 5 == 0  # four scattered rows for each dense one
    threshold = of_one(similarity, member)
    assert (similarity[member] < threshold).sum() <= LOST_MEMBERS * member.sum()


def test_a_cluster_without_members_of_its_own_has_no_noise():
    assert of_one([0.2, 0.4], [False, False]) == -1.0


@given(
    st.lists(
        st.tuples(st.integers(-20, 20) | st.integers(-5_000, 9_999), st.booleans()),
        min_size=1,
        max_size=60,
    ),
    st.integers(0, 5),
)
def test_no_allowed_threshold_agrees_with_hdbscan_more_often(rows, seed):
    similarity = np.array([s / 10_000 for s, _inside in rows], dtype=np.float32)
    member = np.array([inside for _s, inside in rows])

    def lost(threshold, kept):
        return int((kept & (similarity < threshold)).sum())

    def wrong(threshold, kept):
        return lost(threshold, kept) + int((~kept & (similarity >= threshold)).sum())

    found = of_one(similarity, member)
    order = np.random.default_rng(seed).permutation(len(rows))
    assert of_one(similarity[order], member[order]) == found
    if not member.any():
        return
    middle = np.median(similarity[member])
    deviation = np.median(np.abs(similarity[member] - middle))
    dense = member & ((similarity >= middle - 6 * 1.4826 * deviation) | (deviation == 0))
    rivals = [r for r in similarity if lost(r, member) <= LOST_MEMBERS * member.sum()]
    assert lost(found, member) <= LOST_MEMBERS * member.sum()
    assert wrong(found, dense) == min(wrong(r, dense) for r in rivals)


def test_small_clusters_take_the_quantile_of_all_rows():
    similarity = np.concatenate([np.linspace(0.5, 0.9, 100), [0.95, 0.96]]).astype(np.float32)
    labels = np.repeat([0, 1], [100, 2])
    own, shared = quantile_thresholds(labels, similarity, 2, 0.1)
    assert own == pytest.approx(np.quantile(similarity[:100], 0.1) - 1e-4, abs=1e-4)
    assert shared == pytest.approx(np.quantile(similarity, 0.1) - 1e-4, abs=1e-4)
