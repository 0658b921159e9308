"""The `adapters_in_sync` check: which adapters lag behind their data, since when and why.

It is evaluated in the step that changed something, so that the graph node is right at once, and
again by a sensor, because a changed project file has no step of its own.
"""

import dagster as dg

from compass_core.stages.status import write_status
from compass_core.staleness import Staleness, Status
from compass_core.workspace import Workspace

CHECK = "adapters_in_sync"


def sync_statuses(ws: Workspace, staleness: Staleness | None = None) -> list[Status]:
    """Status of the adapter of every target language."""
    staleness = staleness or ws.staleness()
    return [staleness.status("adapter", language) for language in ws.targets]


def sync_result(statuses: list[Status]) -> dg.AssetCheckResult:
    """Passes when every adapter that exists was trained on what there is now."""
    stale = [s for s in statuses if s.state == "stale"]
    missing = [s for s in statuses if s.state == "missing"]
    lines = ["| language | state | changed inputs | since |", "|---|---|---|---|"]
    for status in statuses:
        causes = ", ".join(dict.fromkeys(cause.text() for cause in status.causes))
        since = min((c.since for c in status.causes), default="")[:19].replace("T", " ")
        lines.append(f"| {status.partition} | {status.state} | {causes} | {since} |")
    fine = not stale and not missing
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=fine,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            "Every adapter was trained on the present data."
            if fine
            else "Run the job `retrain` for these: "
            + "; ".join(_line(status) for status in [*stale, *missing])
        ),
        metadata={
            "languages": dg.MetadataValue.md("\n".join(lines)),
            "stale": len(stale),
            "missing": len(missing),
            "figure": len(stale) + len(missing),
            "threshold": 0,
            "unit": "adapters that lag behind their data",
            "what_to_do": "nothing" if fine else "run the job retrain, or compass materialize",
        },
    )


def _line(status: Status) -> str:
    causes = ", ".join(dict.fromkeys(cause.text() for cause in status.causes))
    return f"**{status.partition}** {status.state}" + (f" ({causes})" if causes else "")


def report_sync(ws: Workspace, instance: dg.DagsterInstance) -> None:
    """Record an evaluation of the check outside of its own run, and the table behind the view."""
    staleness = ws.staleness()
    write_status(ws, staleness)
    result = sync_result(sync_statuses(ws, staleness))
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("adapter"),
            check_name=CHECK,
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
        )
    )
