"""Whether a language's drift report calls for an update of its adapter, by what the store says.

Whoever starts runs (the sensor `drift_updates`) adds what the runs say. Rules, first that applies:
nothing without a report of `drift`, about the version that serves, on the logs as they are; and
nothing within `drift.cooldown_days` after a version that was trained from the serving one and not
promoted, or after a rollback: a gate that says no today says no tomorrow, and whoever rolled back
does not want the same again at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from compass_core.adapters.registry import history, serving, versions
from compass_core.workspace import Workspace


@dataclass(frozen=True)
class Standing:
    """`wanted`: the store has nothing against an update. `why` is for people in either case."""

    language: str
    wanted: bool
    why: str
    report_version: str = ""
    serving: str = ""
    excess_bits: float = 0.0

    @property
    def key(self) -> str:
        """Identity of the question: this report about this version."""
        return f"{self.language}:{self.report_version}:{self.serving}"


def standing(ws: Workspace, language: str, now: datetime | None = None) -> Standing:
    """Read the newest drift report of a language against the registry and the usage window."""
    report = ws.manifests.get("drift_report", language)
    if report is None:
        return Standing(language, False, "no drift report yet")
    facts = report.facts
    text = f"{facts.get('verdict')} on the days to {facts.get('window_last_day')}"
    if facts.get("verdict") != "drift":
        return Standing(language, False, f"{text}: {facts.get('reason', '')}".rstrip(": "))
    current = serving(ws.store, language)
    if current is None or current != facts.get("adapter_version"):
        said = f"{text} about {facts.get('adapter_version')}, but {current} serves: "
        return Standing(language, False, said + "waits for a report about that")
    if not ws.project.drift.auto_update:
        return Standing(language, False, f"{text}, but drift.auto_update is false")
    if ws.project.usage.source == "proxy":
        said = f"{text}, but with usage.source: proxy an update would not be made for the logs"
        return Standing(language, False, said)
    window = ws.manifests.get("usage_window", language)
    seen = report.consumed.get("usage_window")
    if window is not None and (seen is None or seen.version != window.data_version):
        return Standing(language, False, f"{text}, but newer logs wait for their report")
    held = _cooling(ws, language, current, now or datetime.now(UTC))
    if held:
        return Standing(language, False, f"{text}, but {held}")
    excess = float(facts.get("excess_bits") or 0.0)
    return Standing(language, True, text, report.data_version, current, excess)


def cooled_at(ws: Workspace, since: datetime) -> datetime:
    """When the cool-down that began then is over."""
    return since + timedelta(days=ws.project.drift.cooldown_days)


def _cooling(ws: Workspace, language: str, current: str, now: datetime) -> str:
    """Why the language has to wait by its registry, or an empty text."""
    changes = history(ws.store, language)
    table = versions(ws.store, language)
    # Made since that version began to serve: an update has a parent, a full training has none.
    refused = table.filter(pl.col("status") == "candidate")
    if changes:
        began = datetime.fromisoformat(changes[-1]["at"])
        refused = refused.filter(pl.col("created_at") > began)
    if refused.height:
        newest = refused.sort("created_at").row(-1, named=True)
        until = cooled_at(ws, newest["created_at"])
        if now < until:
            return f"{newest['version']} was not promoted: no new try before {until:%Y-%m-%d %H:%M}"
    if changes and changes[-1]["action"] == "rollback":
        until = cooled_at(ws, datetime.fromisoformat(changes[-1]["at"]))
        if now < until:
            return f"{current} was rolled back to: no new try before {until:%Y-%m-%d %H:%M}"
    return ""
