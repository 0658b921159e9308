"""What each partition of each asset was made from: the record behind every staleness answer.

A manifest is written after the data that it speaks of and before the orchestrator is told, so a
killed step leaves the earlier manifest standing and is simply run again.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from compass_core import layout
from compass_core.errors import StoreError
from compass_core.storage import Store


@dataclass(frozen=True)
class Consumed:
    """One ancestor as it was when it was read. `pointer`: id of its event in the event log."""

    version: str
    pointer: int | None = None


@dataclass(frozen=True)
class Manifest:
    """One materialization. `consumed` holds every ancestor, through whatever path it came."""

    asset: str
    partition: str
    data_version: str
    code_version: str
    consumed: dict[str, Consumed] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)  # figures later steps and status need
    overrides: dict[str, Any] = field(default_factory=dict)  # settings that differed in this run
    blocked: str = ""  # the checks that nothing may be made of this after, with what they found
    warned: list[str] = field(default_factory=list)  # the other checks that failed, likewise
    run_id: str = ""
    materialized_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Manifests:
    """Manifests of a store, one small JSON file a partition."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, asset: str, partition: str) -> Manifest | None:
        raw = self._store.read_json_or_none(layout.manifest(asset, partition))
        if raw is None:
            return None
        consumed = {name: Consumed(**value) for name, value in raw.pop("consumed").items()}
        return Manifest(**raw, consumed=consumed)

    def require(self, asset: str, partition: str) -> Manifest:
        """As get, for whoever makes something of it; raises StoreError with the way out where it is
        missing or did not pass a check that blocks."""
        found = self.get(asset, partition)
        if found is None:
            raise StoreError(
                f"{asset}[{partition}] is not materialized yet, and is read here; "
                f"run: compass materialize --language {partition}"
            )
        if found.blocked:
            raise StoreError(
                f"nothing is made of {asset}[{partition}], which did not pass {found.blocked} "
                f"When that is mended, materialize {asset} of {partition} again"
            )
        return found

    def put(self, manifest: Manifest) -> None:
        key = layout.manifest(manifest.asset, manifest.partition)
        self._store.write_json(key, asdict(manifest))

    def partitions(self, asset: str) -> list[str]:
        prefix = f"manifests/{asset}/"
        keys = self._store.keys(f"manifests/{asset}", ".json")
        return [key.removeprefix(prefix).removesuffix(".json") for key in keys]


def merge_consumed(parents: dict[str, tuple[Manifest, int | None]]) -> dict[str, Consumed]:
    """What a step consumes that reads `parents` (name -> manifest and event pointer).

    An ancestor reached by two paths at two versions counts with the older one: then the step is
    shown stale although one of its inputs is new, never fresh although one is old.
    """
    merged: dict[str, Consumed] = {}

    def add(name: str, consumed: Consumed) -> None:
        seen = merged.get(name)
        older = seen is None or (consumed.pointer or 0) < (seen.pointer or 0)
        if older:
            merged[name] = consumed

    for name, (manifest, pointer) in parents.items():
        add(name, Consumed(manifest.data_version, pointer))
        for above, consumed in manifest.consumed.items():
            add(above, consumed)
    return merged
