"""The density index against its definition, and the starts that the K share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from compass_core.clusters.kmeans import plus_plus_starts
from compass_core.clusters.quality import MIN_SAMPLES, dbcv


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _by_definition(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Moulavi et al. 2014, one cluster and one pair of clusters after another."""
    names = sorted(set(labels.tolist()))
    distance = np.sqrt(np.clip(2 - 2 * (vectors.astype(float) @ vectors.T.astype(float)), 0, None))
    core = np.zeros(len(vectors))
    for name in names:
        mine = np.flatnonzero(labels == name)
        for row in mine:
            core[row] = sorted(distance[row, mine])[min(MIN_SAMPLES, len(mine) - 1)]
    total = 0.0
    for name in names:
        mine = np.flatnonzero(labels == name)
        others = np.flatnonzero(labels != name)

        def reach(one: int, two: int) -> float:
            return float(max(core[one], core[two], distance[one, two]))

        inner = np.array([[reach(a, b) + 1e-9 for b in mine] for a in mine])
        np.fill_diagonal(inner, 0)
        tree = minimum_spanning_tree(inner).toarray()
        sparseness = float(tree.max())
        separation = min(reach(a, b) for a in mine for b in others)
        total += len(mine) / len(vectors) * (separation - sparseness) / max(separation, sparseness)
    return total


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(6, 60),
    clusters=st.integers(2, 7),
    spread=st.floats(0.05, 2.0),
)
def test_the_index_is_the_definition(seed: int, rows: int, clusters: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(clusters), rng.integers(0, clusters, rows)])
    centres = rng.normal(size=(clusters, 8))
    vectors = _unit(centres[labels] + spread * rng.normal(size=(len(labels), 8)))
    assert dbcv(vectors, labels) == pytest.approx(_by_definition(vectors, labels), abs=2e-3)


def test_clusters_far_apart_are_valid_and_a_mixture_is_not() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(4), 50)
    centres = np.eye(4, 16)
    vectors = _unit(centres[labels] + 0.02 * rng.normal(size=(200, 16)))
    assert dbcv(vectors, labels) > 0.8
    assert dbcv(vectors, rng.permutation(labels)) < -0.5
    assert np.isnan(dbcv(vectors, np.zeros(200, dtype=np.int64)))


def test_starts_are_rows_no_row_twice_and_seeded() -> None:
    vectors = _unit(np.random.default_rng(5).normal(size=(300, 12)))
    starts = plus_plus_starts(vectors, 40, np.random.default_rng(7))
    assert np.array_equal(starts, plus_plus_starts(vectors, 40, np.random.default_rng(7)))
    assert len(np.unique(starts, axis=0)) == 40
    assert all((vectors == start).all(axis=1).any() for start in starts)


def test_there_are_fewer_starts_where_rows_repeat() -> None:
    vectors = np.repeat(_unit(np.random.default_rng(9).normal(size=(3, 6))), 20, axis=0)
    assert len(plus_plus_starts(vectors, 8, np.random.default_rng(1))) == 3
