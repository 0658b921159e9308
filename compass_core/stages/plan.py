"""What has to be materialized to bring a language up to date, in graph order."""

from collections.abc import Callable, Collection

from compass_core.graph import NODES, ancestors
from compass_core.workspace import Workspace

BY_LANGUAGE = tuple(name for name, node in NODES.items() if node.partition == "language")
COMPARISON = "strategy_comparison"
ON_DEMAND = (COMPARISON,)  # trains several adapters; only when asked for
SHOW_COMPARISON = ("benchmark_scores", "language_report")  # have its figures beside the adapter's


def plan_language(
    ws: Workspace,
    language: str,
    *,
    changed: Collection[str] = (),
    recorded: Callable[[str, str], bool] = lambda asset, partition: True,
) -> list[str]:
    """Assets of a language that are not fresh, and those below them.

    `changed` names root assets whose input files differ; `recorded` says whether the
    orchestrator has an event of a partition (after its history was deleted it has none, although
    the data is there).
    """
    staleness = ws.staleness()
    planned: list[str] = []
    for name in BY_LANGUAGE:
        if name in ON_DEMAND:
            continue
        stale = staleness.status(name, language).state != "fresh"
        below = any(parent in planned for parent in NODES[name].inputs)
        if stale or below or name in changed or not recorded(name, language):
            planned.append(name)
    return planned


def split_at_comparison(planned: Collection[str]) -> tuple[list[str], list[str]]:
    """What the comparison hangs from, and the rest: it comes between, so that the rest shows it."""
    above = ancestors(COMPARISON)
    return [n for n in planned if n in above], [n for n in planned if n not in above]


def older_than_comparison(ws: Workspace, language: str) -> list[str]:
    """Assets that show the comparison's figures and were made before its newest ones."""
    compared = ws.manifests.get(COMPARISON, language)
    made = {name: ws.manifests.get(name, language) for name in SHOW_COMPARISON}
    return [
        name
        for name, manifest in made.items()
        if compared and manifest and manifest.materialized_at < compared.materialized_at
    ]


def plan_pool(
    ws: Workspace,
    pool: str,
    *,
    changed: bool,
    recorded: Callable[[str, str], bool] = lambda asset, partition: True,
) -> list[str]:
    """As plan_language, for the two assets of an auxiliary language."""
    staleness = ws.staleness()
    planned: list[str] = []
    for name in ("auxiliary_corpus", "auxiliary_embeddings"):
        stale = staleness.status(name, pool).state != "fresh"
        if stale or changed or planned or not recorded(name, pool):
            planned.append(name)
    return planned
