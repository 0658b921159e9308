"""The checks of the assets: what each asks, which of them stop a run, and how one is shown.

Every result carries the figure, the threshold and what to do. A blocking check ends the run before
anything below is made of what it found; the others turn the node yellow and let people decide.
"""

import warnings
from collections.abc import Iterable
from typing import Any

import dagster as dg

from compass_core.findings import Finding
from compass_core.stages.gate import CHECKS as GATE

ACCOUNTED = "Every row read is either accepted or quarantined with a reason."
DECLARED = "Few rows are in another language than they are said to be; none is dropped for it."
ASKED: dict[str, dict[str, str]] = {
    "auxiliary_corpus": {
        "rows_accounted_for": ACCOUNTED,
        "languages_identified_as_declared": DECLARED,
    },
    "training_corpus": {
        "rows_accounted_for": ACCOUNTED,
        "languages_identified_as_declared": DECLARED,
    },
    "benchmark_items": {"rows_accounted_for": ACCOUNTED},
    "semantic_clusters": {
        "clusters_usable": "Rows are nearer to their own cluster than to the next one.",
        "embedder_not_split_by_language": "Clusters follow what is asked, not the language.",
    },
    "gap_report": {"enough_usage": "The gaps are measured on at least `usage.min_rows` prompts."},
    "sampled_training_set": {
        "no_benchmark_items": "No row that is about to be trained on holds a benchmark item.",
        "budget_spent": "The sampling budget could be spent on what the pool holds.",
        "tokenizer_knows_language": "Tokens a word in the language are not far above English's.",
    },
    "adapter": {"adapter_differs_from_base": "The adapter changes what the base model says."},
    "promoted_adapter": GATE,
    "drift_report": {
        "drift_calibrated": "Looks at halves of one and the same usage alarm as often as they may."
    },
}
BLOCKING = {"rows_accounted_for", "no_benchmark_items", "adapter_differs_from_base"}


def specs(asset: str, partitions: dg.PartitionsDefinition[Any]) -> list[dg.AssetCheckSpec]:
    """Specifications of an asset's checks, for its declaration: one answer a partition, so that a
    language that passes does not hide one that does not."""
    with warnings.catch_warnings():
        # Partitioned checks are beta in the pinned Dagster; whoever starts the UI knows no cure.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                description=text,
                blocking=name in BLOCKING,
                partitions_def=partitions,
            )
            for name, text in ASKED.get(asset, {}).items()
        ]


def result(finding: Finding) -> dg.AssetCheckResult:
    """A finding as a check: figure, threshold, and what to do."""
    text = finding.text if finding.passed else f"{finding.text}. What to do: {finding.todo}"
    shown: dict[str, Any] = {"figure": finding.figure, "threshold": finding.threshold}
    shown |= {k: v for k, v in finding.extra.items() if isinstance(v, int | float | str)}
    blocks = finding.name in BLOCKING
    return dg.AssetCheckResult(
        check_name=finding.name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        description=text,
        metadata={k: v for k, v in shown.items() if v is not None}
        | {"unit": finding.unit, "what_to_do": finding.todo or "nothing"},
    )


def what_blocks(results: Iterable[dg.AssetCheckResult]) -> str:
    """Names and texts of those that failed and block; empty where nothing does.

    Dagster ends the run that a blocking check failed in. The next run knows from the manifest.
    """
    return " ".join(f"{text}." for text in _failed(results, dg.AssetCheckSeverity.ERROR))


def what_warns(results: Iterable[dg.AssetCheckResult]) -> list[str]:
    """Names and texts of those that failed and block nothing, for who reads no asset page."""
    return _failed(results, dg.AssetCheckSeverity.WARN)


def _failed(results: Iterable[dg.AssetCheckResult], severity: dg.AssetCheckSeverity) -> list[str]:
    return [
        f"{r.check_name}: {r.description}"
        for r in results
        if not r.passed and r.severity == severity
    ]


def report_check(instance: dg.DagsterInstance, asset: str, finding: Finding) -> None:
    """Record an evaluation outside of the check's own run."""
    found = result(finding)
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(asset),
            check_name=finding.name,
            passed=found.passed,
            severity=found.severity,
            description=found.description,
            metadata=found.metadata,
        )
    )
