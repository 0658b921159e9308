"""The graph as data: what each asset reads, which settings count for it, its code version.

One table serves three readers: the Dagster assets (dependencies, code versions), the staleness
comparison in `staleness.py`, and people. `inputs` are read directly; `provenance` are ancestors
whose change must mark the asset stale at once, although it reaches them through other assets:
Dagster compares one hop only, so the edge is declared, with the version that was really consumed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from compass_core.config.schema import Project
from compass_core.hashing import version_of

Partition = Literal["language", "pool", "language_day"]


@dataclass(frozen=True)
class Node:
    """One asset. `code` is raised by hand when the same input would give another result."""

    name: str
    partition: Partition
    inputs: tuple[str, ...] = ()
    provenance: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()  # inputs that are a yardstick: what they were made from is old
    settings: tuple[str, ...] = ()  # dotted keys of the project file that change the result
    models: tuple[str, ...] = ()  # embedder | base_model: their content counts, not only the name
    code: str = "1"

    @property
    def edges(self) -> tuple[str, ...]:
        return self.inputs + self.provenance


_ANCESTORS = (
    "gap_report",
    "semantic_clusters",
    "usage_window",
    "auxiliary_catalogue",
    "training_corpus",
)
_TEXT = ("ingest.max_chars",)
# `corpora` is in the digests of the files that it is about, and language_id changes only what is
# noted beside a row: neither marks a language stale whose rows are the same.
_CLEANING = (
    "cleaning.unicode",
    "cleaning.mojibake",
    "cleaning.control_characters",
    "cleaning.min_chars",
    "cleaning.pii",
    "cleaning.name_recognisers",
)
_CORPUS = (*_TEXT, "cleaning")
_LOGS = (*_TEXT, *_CLEANING, "ingest.user_salt", "ingest.turns", "ingest.late_after_days")
_EMBEDDER = ("embedder.prefix", "embedder.max_tokens")

# Not the titles: better names of the same clusters change nothing that is measured in them.
CLUSTERING = tuple(
    f"clusters.{name}"
    for name in (
        "method",
        "k_min",
        "k_max",
        "k_steps",
        "min_cluster_size",
        "noise",
        "pool_sample_rows",
        "off_target_quantile",
        "refit_novelty",
    )
)

_TABLE = (
    Node("auxiliary_corpus", "pool", settings=_CORPUS, code="6"),
    Node("training_corpus", "language", settings=_CORPUS, code="6"),
    Node("usage_logs", "language_day", settings=_LOGS, code="4"),
    Node("benchmark_items", "language", settings=(*_TEXT, "benchmarks.suites"), code="5"),
    Node("usage_window", "language", ("usage_logs",), settings=("usage.window_days",)),
    Node(
        "auxiliary_embeddings",
        "pool",
        ("auxiliary_corpus",),
        settings=_EMBEDDER,
        models=("embedder",),
    ),
    Node("auxiliary_catalogue", "language", ("auxiliary_corpus", "auxiliary_embeddings")),
    Node(
        "training_embeddings",
        "language",
        ("training_corpus",),
        settings=_EMBEDDER,
        models=("embedder",),
    ),
    Node(
        "usage_embeddings",
        "language",
        ("usage_window", "benchmark_items"),
        settings=(*_EMBEDDER, "usage.source"),
        models=("embedder",),
    ),
    Node(
        "semantic_clusters",
        "language",
        ("usage_embeddings", "training_embeddings", "auxiliary_catalogue"),
        settings=(*CLUSTERING, "seed"),
        code="4",
    ),
    Node(
        "cluster_assignments",
        "language",
        ("semantic_clusters", "usage_embeddings", "training_embeddings", "auxiliary_catalogue"),
        code="2",
    ),
    Node(
        "gap_report",
        "language",
        ("cluster_assignments", "benchmark_items"),
        settings=(
            "gaps",
            "usage",
            "sampling.budget",
            "sampling.unit",
            "sampling.max_share_per_language",
            "sampling.min_share_per_language",
        ),
        models=("base_model",),
        code="7",
    ),
    Node(
        "sampled_training_set",
        "language",
        ("gap_report", "cluster_assignments", "benchmark_items"),
        settings=("sampling", "seed"),
        models=("base_model",),
        code="7",
    ),
    Node(
        "adapter",
        "language",
        ("sampled_training_set",),
        (*_ANCESTORS, "benchmark_items"),
        settings=(
            "adapter.method",
            "adapter.quantise",
            "adapter.rank",
            "adapter.alpha",
            "adapter.dropout",
            "adapter.target_modules",
            "adapter.learning_rate",
            "adapter.warmup_share",
            "adapter.epochs",
            "adapter.batch_size",
            "adapter.max_tokens",
            "adapter.weight_decay",
            "adapter.max_grad_norm",
            # The other settings of `continual` shape an update only, and stand in its lineage: to
            # change them does not make untrue what was trained.
            "continual.held_out_share",
            "base_model.dtype",
            "base_model.system_prompt",
            "base_model.template_arguments",
            "seed",
        ),
        models=("base_model",),
        code="4",
    ),
    Node(
        "benchmark_scores",
        "language",
        ("adapter", "benchmark_items"),
        ("sampled_training_set", *_ANCESTORS),
        settings=("benchmarks.suites",),
        code="3",
    ),
    Node(
        "promoted_adapter",
        "language",
        ("adapter", "benchmark_scores"),
        settings=("promotion",),
        code="2",
    ),
    Node(
        "strategy_comparison",
        "language",
        ("gap_report", "cluster_assignments", "benchmark_items"),
        settings=(
            "adapter",
            "base_model.dtype",
            "base_model.system_prompt",
            "base_model.template_arguments",
            "sampling",
            "benchmarks.suites",
            "seed",
        ),
        models=("base_model",),
        code="7",
    ),
    Node(
        "drift_report",
        "language",
        ("usage_embeddings", "promoted_adapter"),
        compared=("promoted_adapter",),
        settings=(
            "drift.window_days",
            "drift.min_rows",
            "drift.alpha",
            "drift.min_effect_bits",
            "drift.min_cluster_shift",
            "usage.source",
            "seed",
        ),
        code="3",
    ),
    Node(
        "performance_signal",
        "language",
        ("drift_report",),
        settings=("drift.loss_rows", "adapter.max_tokens", "base_model.dtype", "seed"),
        models=("base_model",),
    ),
    Node(
        "language_report",
        "language",
        (
            "gap_report",
            "cluster_assignments",
            "sampled_training_set",
            "benchmark_scores",
            "promoted_adapter",
            "drift_report",
        ),
        code="2",
    ),
)

NODES: dict[str, Node] = {node.name: node for node in _TABLE}

CHEAP_CHAIN = (
    "usage_window",
    "auxiliary_catalogue",
    "training_embeddings",
    "usage_embeddings",
    "semantic_clusters",
    "cluster_assignments",
    "gap_report",
)
TRAINING_CHAIN = (
    "gap_report",
    "sampled_training_set",
    "adapter",
    "benchmark_scores",
    "promoted_adapter",
)


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """The asset and everything above it, in graph order."""
    above = {name}
    for parent in NODES[name].edges:
        above.update(ancestors(parent))
    return tuple(node for node in NODES if node in above)


def setting(project: Project, dotted: str) -> Any:
    """JSON-like value of a dotted key of the project file."""
    value: Any = project.model_dump(mode="json")
    for part in dotted.split("."):
        value = value[part]
    return value


def code_versions(project: Project, directory: Path) -> dict[str, str]:
    """Code version of every asset: its code, its settings and models, and those of its ancestors.

    Ancestors count, so that a changed embedder marks the adapter stale at once and not only after
    the chain between them ran. Languages do not count: adding one leaves the others fresh.
    """
    prints = _model_fingerprints(project, directory)
    own: dict[str, Any] = {
        node.name: {
            "code": node.code,
            "settings": {key: setting(project, key) for key in node.settings},
            "models": {name: prints[name] for name in node.models},
        }
        for node in _TABLE
    }
    return {
        name: f"{NODES[name].code}-{version_of({above: own[above] for above in ancestors(name)})}"
        for name in NODES
    }


def _model_fingerprints(project: Project, directory: Path) -> dict[str, str]:
    from compass_core.adapters.model_folder import base_fingerprint
    from compass_core.embeddings.fingerprint import embedder_fingerprint
    from compass_core.errors import ModelError

    found: dict[str, str] = {}
    computations: dict[str, Callable[[], str]] = {
        "embedder": lambda: embedder_fingerprint(project.embedder, directory),
        "base_model": lambda: base_fingerprint(project.base_model, directory),
    }
    for name, compute in computations.items():
        try:
            found[name] = compute()
        except ModelError:
            # The location must load without the models, so that the UI can say what is missing.
            found[name] = "absent"
    return found
