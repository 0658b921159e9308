"""What every asset declaration shares: owner, group, kinds, code version, edges, retry policy."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from compass_assets.check_results import specs
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

GUIDES = {
    "1_corpora": "inputs.md",
    "2_embeddings": "models.md",
    "3_gaps": "sampling.md",
    "4_adapters": "continual.md",
    "5_drift": "drift.md",
    "6_report": "tutorial.md",
}
GUIDE_OF = {
    "semantic_clusters": "clusters.md",
    "cluster_assignments": "clusters.md",
    "sampled_training_set": "sampling.md",
    "benchmark_items": "benchmarks.md",
    "benchmark_scores": "benchmarks.md",
    "strategy_comparison": "sampling.md",
}
DOCS = Path(__file__).parent.parent / "docs"  # in a checkout; an installed package has none

MODELS_POOL = "models"  # steps that hold a model; its limit is `execution.parallel`


def child_retry(project: Project) -> dg.RetryPolicy:
    """What a killed or out-of-memory child process is given before its step fails for good."""
    return dg.RetryPolicy(max_retries=project.execution.retries, delay=5)


# Days are many and each is read in a moment: one run takes all of a contiguous stretch.
DAYS_IN_ONE_RUN = dg.BackfillPolicy.single_run()


def overdue_after(hours: float | None) -> dg.FreshnessPolicy | None:
    """Fails where no partition of an asset was materialized for so long, warns from half of it."""
    if hours is None:
        return None
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=hours), warn_window=timedelta(hours=hours / 2)
    )


def graph_asset(
    name: str,
    partitions: dg.PartitionsDefinition[Any],
    code_versions: Mapping[str, str],
    *,
    kinds: Sequence[str],
    mappings: Mapping[str, dg.PartitionMapping] | None = None,
    condition: dg.AutomationCondition[Any] | None = None,
    child: dg.RetryPolicy | None = None,
    backfill: dg.BackfillPolicy | None = None,
    freshness: dg.FreshnessPolicy | None = None,
    several_events: bool = False,
    description: str,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`@dg.asset` with everything that follows from the graph's table filled in.

    Edges that carry a `mappings` entry cross from one partitioning to another; the others are one
    to one. Without `backfill` a backfill is one run a partition, tagged with it: a step writes one
    manifest with one data version. `child`: the step runs a model in a child process, within the
    limit of its pool, and this is how it is retried. `several_events`: the step yields an
    AssetMaterialization for each of its partitions and no result, because a result would stamp one
    data version on all of them.
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
        "check_specs": specs(name, partitions),
        "backfill_policy": backfill,
        "freshness_policy": freshness,
        "output_required": not several_events,
        "description": description,
        **extra,
    }

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        declared["metadata"] = {"dagster/code_references": _links(name, function)}
        with warnings.catch_warnings():
            # Backfill policies are beta in the pinned Dagster; whoever starts the UI knows no cure.
            warnings.simplefilter("ignore", dg.BetaWarning)
            made: dg.AssetsDefinition = dg.asset(**declared)(function)
        return made

    return decorate


def _links(name: str, function: Callable[..., Any]) -> dg.CodeReferencesMetadataValue:
    """What the asset's page links to: its code, and its guide where the docs are at hand."""
    code = Path(inspect.getfile(function))
    line = inspect.getsourcelines(function)[1]
    links = [
        dg.LocalFileCodeReference(file_path=str(code), line_number=line, label=f"code: {code.name}")
    ]
    guide = DOCS / GUIDE_OF.get(name, GUIDES[GROUPS[name]])
    if guide.is_file():
        label = f"guide: docs/{guide.name}"
        links.append(dg.LocalFileCodeReference(file_path=str(guide), label=label))
    return dg.CodeReferencesMetadataValue(code_references=list(links))
