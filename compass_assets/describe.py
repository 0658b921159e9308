"""What every asset declaration shares: owner, group, kinds, code version, edges, retry policy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from compass_core.config.schema import Project
from compass_core.graph import NODES

OWNERS = ["team:compass"]

GROUPS = {
    "auxiliary_corpus": "1_corpora",
    "training_corpus": "1_corpora",
    "usage_logs": "1_corpora",
    "benchmark_items": "1_corpora",
    "usage_window": "1_corpora",
    "auxiliary_catalogue": "2_embeddings",
    "auxiliary_embeddings": "2_embeddings",
    "training_embeddings": "2_embeddings",
    "usage_embeddings": "2_embeddings",
    "semantic_clusters": "3_gaps",
    "cluster_assignments": "3_gaps",
    "gap_report": "3_gaps",
    "sampled_training_set": "4_adapters",
    "adapter": "4_adapters",
    "benchmark_scores": "4_adapters",
    "promoted_adapter": "4_adapters",
    "strategy_comparison": "4_adapters",
    "drift_report": "5_drift",
    "language_report": "6_report",
    "performance_signal": "5_drift",
}

MODELS_POOL = "models"  # steps that hold a model; its limit is `execution.parallel`


def child_retry(project: Project) -> dg.RetryPolicy:
    """What a killed or out-of-memory child process is given before its step fails for good."""
    return dg.RetryPolicy(max_retries=project.execution.retries, delay=5)


def graph_asset(
    name: str,
    partitions: dg.PartitionsDefinition[Any],
    code_versions: Mapping[str, str],
    *,
    kinds: Sequence[str],
    mappings: Mapping[str, dg.PartitionMapping] | None = None,
    condition: dg.AutomationCondition[Any] | None = None,
    child: dg.RetryPolicy | None = None,
    checks: Sequence[dg.AssetCheckSpec] | None = None,
    description: str,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`@dg.asset` with everything that follows from the graph's table filled in.

    Edges that carry a `mappings` entry cross from one partitioning to another; the others are one
    to one. There is no backfill policy: a backfill then is one run a partition, and has to be,
    because a batch would stamp one data version on all its partitions. `child`: the step runs a
    model in a child process, within the limit of its pool, and this is how it is retried.
    """
    given = mappings or {}
    deps = [
        dg.AssetDep(parent, partition_mapping=given.get(parent)) for parent in NODES[name].edges
    ]
    extra: dict[str, Any] = {"pool": MODELS_POOL, "retry_policy": child} if child else {}
    declared: dict[str, Any] = {
        "name": name,
        "partitions_def": partitions,
        "deps": deps,
        "code_version": code_versions[name],
        "group_name": GROUPS[name],
        "owners": OWNERS,
        "kinds": set(kinds),
        "automation_condition": condition,
        "check_specs": list(checks or []),
        "description": description,
        **extra,
    }

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        made: dg.AssetsDefinition = dg.asset(**declared)(function)
        return made

    return decorate
