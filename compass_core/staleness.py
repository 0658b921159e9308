"""What is stale, and why: the comparison behind `compass status` and the in-sync check.

An asset partition is stale when its code version differs from the project's, or when an ancestor
that it consumed has another data version now, or when it did not pass a check that blocks: then it
is made again before anything is made of it. Ancestors are compared directly, at any distance,
so the answer does not depend on which steps between them have been run since.
"""

from dataclasses import dataclass, field
from typing import Literal

from compass_core.graph import NODES
from compass_core.manifests import Manifest, Manifests

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class Cause:
    """One reason. `since` is when the ancestor got its present version (UTC, ISO)."""

    asset: str
    kind: Literal["data", "code", "check"]
    recorded: str
    current: str
    since: str

    def text(self) -> str:
        if self.kind == "code":
            return "code or settings changed"
        if self.kind == "check":
            return f"{self.asset} did not pass {self.recorded.partition(':')[0]}"
        return f"{self.asset} changed"


@dataclass(frozen=True)
class Status:
    asset: str
    partition: str
    state: State
    causes: list[Cause] = field(default_factory=list)
    manifest: Manifest | None = None


class Staleness:
    """Answers for one moment: manifests are read once and remembered."""

    def __init__(self, manifests: Manifests, code_versions: dict[str, str]) -> None:
        self._manifests = manifests
        self._code_versions = code_versions
        self._seen: dict[tuple[str, str], Manifest | None] = {}

    def manifest(self, asset: str, partition: str) -> Manifest | None:
        key = (asset, partition)
        if key not in self._seen:
            self._seen[key] = self._manifests.get(asset, partition)
        return self._seen[key]

    def status(self, asset: str, partition: str) -> Status:
        """State of one partition of a language- or pool-partitioned asset."""
        made = self.manifest(asset, partition)
        if made is None:
            return Status(asset, partition, "missing")
        causes = []
        expected = self._code_versions[asset]
        if made.code_version != expected:
            causes.append(Cause(asset, "code", made.code_version, expected, made.materialized_at))
        if made.blocked:
            causes.append(Cause(asset, "check", made.blocked, "", made.materialized_at))
        for name, consumed in made.consumed.items():
            if NODES[name].partition != NODES[asset].partition:
                continue  # days and pools reach a language through its window and its catalogue
            current = self.manifest(name, partition)
            if current is None or current.data_version != consumed.version:
                causes.append(
                    Cause(
                        name,
                        "data",
                        consumed.version,
                        current.data_version if current else "gone",
                        current.materialized_at if current else made.materialized_at,
                    )
                )
        order = list(NODES)
        causes.sort(key=lambda cause: order.index(cause.asset))
        return Status(asset, partition, "stale" if causes else "fresh", causes, made)
