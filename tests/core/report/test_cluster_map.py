"""The map keeps neighbours together, stays still, and holds any number of clusters."""

import numpy as np
import pytest

from compass_core.report.cluster_map import cluster_positions, row_positions


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def families():
    """Four families of six centroids each; members of a family point nearly the same way."""
    rng = np.random.default_rng(3)
    heads = rng.normal(size=(4, 32))
    return unit(np.repeat(heads, 6, axis=0) + 0.25 * rng.normal(size=(24, 32)))


def test_clusters_that_are_alike_lie_near_each_other(families):
    positions = cluster_positions(families, seed=1)
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    assert (nearest // 6 == np.arange(24) // 6).mean() > 0.9
    assert np.abs(positions).max() == pytest.approx(1.0)


def test_the_map_is_the_same_every_time(families):
    assert np.array_equal(cluster_positions(families, 1), cluster_positions(families, 1))


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_few_clusters_have_a_place_as_well(families, count):
    positions = cluster_positions(families[:count], seed=1)
    assert positions.shape == (count, 2)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions.round(6), axis=0)) == count


def test_rows_lie_around_their_own_cluster(families):
    rng = np.random.default_rng(4)
    places = np.repeat(np.arange(24), 20)
    rows = unit(families[places] + 0.02 * rng.normal(size=(480, 32)))
    positions = cluster_positions(families, seed=1)
    at = row_positions(rows, places, families, positions)
    nearest = np.linalg.norm(at[:, None] - positions[None], axis=2).argmin(axis=1)
    assert (nearest == places).mean() > 0.9
    assert not np.allclose(at, positions[places])
