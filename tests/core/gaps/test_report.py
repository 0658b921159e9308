from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from compass_core import records
from compass_core.clusters.model import ClusterModel
from compass_core.config.schema import Gaps, Sampling, Usage
from compass_core.errors import InputError
from compass_core.gaps.covered import asked_about
from compass_core.gaps.divergence import jsd_bits
from compass_core.gaps.merge import merge_small
from compass_core.gaps.report import gap_report, weighed_counts


def model(k=3):
    centroids = np.eye(k, 4, dtype=np.float32)
    zero = np.zeros(k, np.float32)
    return ClusterModel(centroids, np.arange(k), zero, zero, np.ones(k, np.int64), "kmeans", "d", k)


def assigned(**counts):
    """counts: usage=[a, b, c], training=..., auxiliary=..., proxy=... rows a cluster."""
    rows = [
        {
            "language": "sw",
            "role": role,
            "row_language": "sw",
            "row_id": f"{role}-{cluster}-{i}",
            "content_hash": "h",
            "cluster_id": cluster,
            "similarity": 0.9,
            "noise": False,
            "off_target": False,
        }
        for role, by_cluster in counts.items()
        for cluster, count in enumerate(by_cluster)
        for i in range(count)
    ]
    return pl.DataFrame(rows, schema=records.ASSIGNMENTS)


def report(assignments, budget=40, gaps=None, usage=None, unit="tokens", per_row=2, limits=None):
    clusters = pl.DataFrame(
        [
            dict.fromkeys(records.CLUSTERS) | {"cluster_id": i, "title": f"mada {i}"}
            for i in range(3)
        ],
        schema=records.CLUSTERS,
    )
    tokens = assignments.filter(pl.col("role").is_in(["training", "auxiliary"])).select(
        "row_id", "role", pl.lit(per_row).alias("supervised_tokens")
    )
    return gap_report(
        "sw",
        assignments,
        clusters,
        tokens,
        model(),
        gaps or Gaps(prior_strength=0, min_cluster_rows=0),
        usage or Usage(),
        Sampling(budget=budget, unit=unit, **(limits or {})),
        "2026-01-21",
        "2026-01-30",
    )


def test_figures_by_hand():
    made = report(assigned(usage=[5, 3, 2], training=[8, 2, 0], auxiliary=[9, 9, 9]))
    frame = made.frame
    assert frame["p_usage"].to_list() == pytest.approx([0.5, 0.3, 0.2])
    assert frame["p_training"].to_list() == pytest.approx([0.8, 0.2, 0.0])
    assert frame["gap"].to_list() == pytest.approx([0, 0.1, 0.2])
    assert frame["coverage"].to_list() == pytest.approx([1.6, 2 / 3, 0])
    assert frame["pool_tokens"].to_list() == [18, 18, 18]
    assert made.summary["gap_mass"] == pytest.approx(0.3)
    assert frame["jsd_bits_best"][0] < frame["jsd_bits"][0]


def test_a_budget_that_suffices_can_reach_usage():
    made = report(assigned(usage=[5, 3, 2], training=[5, 0, 0], auxiliary=[0, 9, 9]), budget=10)
    assert made.summary["jsd_bits_best"] == pytest.approx(0, abs=1e-9)


def test_proxy_and_blend_have_the_stated_weight():
    rows = assigned(usage=[10, 0, 0], proxy=[0, 40, 0], auxiliary=[1, 1, 1])
    proxy = report(rows, usage=Usage(source="proxy")).frame
    assert proxy["p_usage"].to_list() == pytest.approx([0, 1, 0])
    blend = report(rows, usage=Usage(source="blend", proxy_weight=0.25)).frame
    assert blend["p_usage"].to_list() == pytest.approx([0.75, 0.25, 0])


def test_a_source_that_is_not_named_counts_as_no_usage():
    """Logs are there, but dev items say what is asked: 40 prompts, none of them in cluster 2."""
    rows = assigned(usage=[9, 9, 9], proxy=[20, 20, 0], auxiliary=[5, 5, 5])
    made = report(rows, usage=Usage(source="proxy"), gaps=Gaps(prior_strength=10))
    assert made.frame["usage_rows"].to_list() == [20, 20, 0]
    assert made.summary["usage_rows"] == 40
    assert asked_about(made.frame)["cluster_id"].to_list() == [0, 1]


def test_no_usage_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match=r"usage\.source"):
        report(assigned(training=[1, 1, 1], auxiliary=[1, 1, 1]))
    with pytest.raises(InputError, match="blend"):
        report(assigned(usage=[1, 1, 1]), usage=Usage(source="blend"))


def test_without_training_data_everything_is_gap():
    made = report(assigned(usage=[1, 1, 2], auxiliary=[3, 3, 3]))
    assert made.frame["gap"].sum() == pytest.approx(1)
    assert made.summary["jsd_bits"] == 1


def test_without_a_pool_nothing_can_be_gained():
    made = report(assigned(usage=[1, 1, 2], training=[2, 0, 0]))
    assert made.summary["jsd_bits_best"] == pytest.approx(made.summary["jsd_bits"])


def test_without_a_pool_a_merged_cluster_takes_no_usage_with_it(monkeypatch):
    close = np.array([[1, 0, 0, 0], [0.9, 0.43589, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    near = replace(model(), centroids=close)
    monkeypatch.setattr(f"{__name__}.model", lambda: near)
    rows = assigned(usage=[10, 1, 5], training=[4, 0, 2])
    made = report(rows, gaps=Gaps(prior_strength=10, min_cluster_rows=3))
    assert made.frame["merged_into"].to_list() == [None, 0, None]
    # Ten rows of prior are shared by the two clusters that are left.
    assert made.frame["p_usage"].to_list() == pytest.approx([16 / 26, 0, 10 / 26])
    assert made.summary["jsd_bits"] == pytest.approx(
        jsd_bits(np.array([4, 2]), np.array([16.0, 10.0]))
    )


def test_off_target_pool_rows_are_not_available():
    rows = assigned(usage=[1, 1, 1], auxiliary=[4, 4, 4]).with_columns(
        (pl.col("role") == "auxiliary").alias("off_target")
    )
    assert report(rows).frame["pool_rows"].to_list() == [0, 0, 0]


def test_small_clusters_are_merged_visibly_and_their_rows_counted_once():
    close = np.array([[1, 0], [0.9, 0.435], [0, 1]], dtype=np.float32)
    hosts = merge_small(np.array([9.0, 1, 9]), np.array([5.0, 1, 5]), close, 3)
    assert hosts.tolist() == [0, 0, 2]
    far = np.eye(3, dtype=np.float32)
    assert merge_small(np.array([9.0, 1, 9]), np.array([5.0, 1, 5]), far, 3).tolist() == [0, 1, 2]
    # A cluster that nobody asks for keeps to itself, or its pool would look as if it were asked for
    unasked = merge_small(np.array([9.0, 1, 9]), np.array([5.0, 0, 5]), close, 3)
    assert unasked.tolist() == [0, 1, 2]


def test_rows_as_unit_count_rows():
    rows = assigned(usage=[1, 1, 1], training=[3, 1, 0], auxiliary=[5, 5, 5])
    assert report(rows, unit="rows").frame["p_training"].to_list() == pytest.approx([0.75, 0.25, 0])


def test_the_best_attainable_mix_keeps_to_the_limits_by_language():
    """All of the pool is Swahili here: with a cap of a quarter, three quarters are not spent."""
    assignments = assigned(usage=[10, 10, 0], training=[20, 0, 0], auxiliary=[0, 30, 0])
    free = report(assignments, budget=40)
    capped = report(assignments, budget=40, limits={"max_share_per_language": 0.25})
    assert free.summary["jsd_bits_best"] == pytest.approx(0, abs=1e-9)
    assert capped.summary["fillable"] == pytest.approx(10)
    assert 0 < capped.summary["jsd_bits_best"] < capped.summary["jsd_bits"]


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (Usage(), [10, 30]),
        (Usage(source="proxy"), [160, 0]),
        (Usage(source="blend", proxy_weight=0.25), [200 * (0.75 / 4 + 0.25), 200 * 0.75 * 3 / 4]),
        (Usage(source="blend", proxy_weight=0), [50, 150]),
    ],
)
def test_dev_items_count_as_their_weight_says_and_not_as_many_as_there_are(usage, counts):
    found = weighed_counts(np.array([10.0, 30.0]), np.array([160.0, 0.0]), usage)
    assert found.tolist() == pytest.approx(counts)


def test_a_blend_of_which_one_part_is_missing_is_the_other():
    usage = Usage(source="blend")
    none, some = np.zeros(2), np.array([1.0, 2.0])
    assert weighed_counts(some, none, usage).tolist() == [1, 2]
    assert weighed_counts(none, some, usage).tolist() == [1, 2]
