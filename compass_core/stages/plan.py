"""What has to be materialized to bring a language up to date, in graph order."""

from collections.abc import Callable, Collection

from compass_core.graph import NODES
from compass_core.workspace import Workspace

BY_LANGUAGE = tuple(name for name, node in NODES.items() if node.partition == "language")
ON_DEMAND = ("strategy_comparison",)  # trains several adapters; only when asked for


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
