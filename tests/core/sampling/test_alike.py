"""Near-duplicates on both sides of a border between clusters."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core.sampling.scene import Target
from tests.core.sampling.test_select import K, choose, chosen, pool_table, unit_vectors


def bordering(n=200, copies=60, seed=0):
    """Vectors of `pool_table`, in which `copies` rows say the same as a row of another cluster."""
    vectors = unit_vectors(n, seed=seed)
    rng = np.random.default_rng(seed + 1)
    pairs = rng.permutation(n)[: 2 * copies].reshape(copies, 2)
    for one, two in pairs:
        noise = rng.normal(size=vectors.shape[1]).astype(np.float32) * 0.005
        vectors[two] = vectors[one] + noise
        vectors[two] /= np.linalg.norm(vectors[two])
    return vectors


def alike(vectors, rows, limit=0.995):
    at = [int(row[1:]) for row in rows]
    cosines = np.round(vectors[at] @ vectors[at].T, 5)
    return np.argwhere(np.triu(cosines > limit, 1))


def test_rows_of_different_clusters_that_say_the_same_are_taken_once():
    vectors = bordering()
    result = choose(budget=9999, vectors=vectors)
    assert not len(alike(vectors, sorted(chosen(result))))
    repeats = result.dropped.filter(pl.col("reason") == "near_duplicate")
    assert 40 < repeats.height <= 60
    taken = dict(result.selected.select("row_id", "cluster_id").iter_rows())
    crossing = 0
    for row, cluster, detail in repeats.select("row_id", "cluster_id", "detail").iter_rows():
        assert float(vectors[int(row[1:])] @ vectors[int(detail[1:])]) > 0.995
        crossing += taken.get(detail) not in (None, cluster)
    assert crossing > 20


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 300),
    st.integers(0, 200),
    st.sampled_from([1.0, 0.4]),
    st.integers(0, 50),
    st.randoms(use_true_random=False),
)
def test_budget_and_order_do_not_decide_which_of_two_stays(budget, more, cap, seed, random):
    pool, vectors = pool_table(), bordering(seed=seed)
    given_ = {
        "target": Target(np.arange(K), unit_vectors(K, seed=4)),
        "max_share_per_language": cap,
    }
    small = choose(pool, budget, vectors=vectors, **given_)
    large = choose(pool, budget + more, vectors=vectors, **given_)
    assert chosen(small) <= chosen(large)
    assert not len(alike(vectors, sorted(chosen(large))))
    order = list(range(pool.height))
    random.shuffle(order)
    again = choose(pool[order], budget, vectors=vectors[order], **given_)
    assert again.selected["row_id"].to_list() == small.selected["row_id"].to_list()
