"""Roll-ups: many partitions become one manifest of a language.

A language's usage window names the days it holds, its auxiliary catalogue the pools it may use,
each with its data version. They are rolled in the same step that publishes a day or a pool, so
that whatever hangs from them is stale at once, and their cost does not grow with the history.
"""

from typing import Any

from compass_core import layout
from compass_core.hashing import version_of
from compass_core.workspace import Workspace


def roll_window(ws: Workspace, language: str) -> tuple[str, dict[str, Any]]:
    """Write the usage window of a language; returns its data version and the manifest.

    The window ends at the last logged day, not today: it moves with the logs, so that the same
    logs give the same window whenever it is rolled. Cost: one small file, whatever the history.
    """
    days: dict[str, Any] = ws.store.read_json_or_none(layout.usage_days(language)) or {}
    logged = sorted(day for day, entry in days.items() if entry["rows"] > 0)
    kept = _last_days(logged, ws.base.usage.window_days)
    manifest = {
        "days": {day: days[day]["version"] for day in kept},
        "rows": sum(days[day]["rows"] for day in kept),
        "first_day": kept[0] if kept else None,
        "last_day": kept[-1] if kept else None,
    }
    version = version_of(manifest["days"])
    ws.store.write_json(layout.window(language), manifest)
    return version, manifest


def _last_days(logged: list[str], count: int) -> list[str]:
    """The logged days within `count` calendar days of the last one (ISO dates, sorted)."""
    if not logged:
        return []
    from datetime import date, timedelta

    first = date.fromisoformat(logged[-1]) - timedelta(days=count - 1)
    return [day for day in logged if date.fromisoformat(day) >= first]


def roll_catalogue(ws: Workspace, language: str) -> tuple[str, dict[str, Any]]:
    """Write the auxiliary catalogue of a target: its pools with text and vector versions."""
    manifest = expected_catalogue(ws, language)
    version = version_of({name: (p["text"], p["vectors"]) for name, p in manifest["pools"].items()})
    ws.store.write_json(layout.catalogue(language), manifest)
    return version, manifest


def expected_catalogue(ws: Workspace, language: str) -> dict[str, Any]:
    """What the catalogue of a target should say now. `vectors` is null while they lag behind."""
    found = ws.manifests.partitions("auxiliary_corpus")
    pools: dict[str, Any] = {}
    for pool in ws.base.languages.auxiliary_for(language, found):
        text = ws.manifests.get("auxiliary_corpus", pool)
        vectors = ws.manifests.get("auxiliary_embeddings", pool)
        if text is None:
            continue
        made_from = vectors.consumed["auxiliary_corpus"].version if vectors else None
        ready = vectors is not None and made_from == text.data_version
        pools[pool] = {
            "text": text.data_version,
            "rows": text.facts["rows_accepted"],
            "vectors": vectors.data_version if vectors is not None and ready else None,
        }
    return {"pools": pools, "rows": sum(p["rows"] for p in pools.values())}
