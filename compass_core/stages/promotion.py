"""Which version serves: a new one takes over when the evidence allows it, or a person says so."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import polars as pl

from compass_core import layout
from compass_core.adapters import registry
from compass_core.benchmarks.pairs import ENOUGH, adapter_scores, covered, paired
from compass_core.benchmarks.stats import paired_comparison
from compass_core.errors import InputError, ServingChanged
from compass_core.findings import Finding
from compass_core.stages import frames
from compass_core.stages.gate import judge
from compass_core.workspace import Workspace

TRIES = 3  # to judge against what serves before somebody changes it


@dataclass(frozen=True)
class Gate:
    """What was decided. `serving` is the version that serves afterwards."""

    promoted: bool
    reason: str
    serving: str | None
    findings: list[Finding]

    def finding(self, name: str) -> Finding:
        return next(f for f in self.findings if f.name == name)


def decide(ws: Workspace, language: str, candidate: str) -> Gate:
    """Promote the candidate if every finding of the gate lets it pass. Writes the registry.

    Where another version comes to serve meanwhile, the candidate is judged again, against that.
    """
    for attempt in range(1, TRIES + 1):
        reference = registry.serving(ws.store, language)
        findings = judge(ws, language, candidate, reference)
        failed = [f for f in findings if not f.passed]
        reason = "; ".join(f.text for f in failed) if failed else findings[0].text
        if failed or reference == candidate:
            break
        try:
            registry.promote(ws.store, language, candidate, reason, expected=reference)
            break
        except ServingChanged:
            if attempt == TRIES:
                raise
    registry.write_catalogue(ws.store, language)
    return Gate(not failed, reason, registry.serving(ws.store, language), findings)


def promote_by_hand(
    ws: Workspace, language: str, version: str, *, force: bool, reason: str
) -> Gate:
    """Make a version serve because a person asks for it. Writes the registry.

    Raises InputError where the gate does not let it pass and it is not forced, or where it is
    forced without a reason; both are kept in the history. Raises ServingChanged where another
    version has come to serve meanwhile.
    """
    registry.adapter_dir(ws.store, language, version)  # says which versions there are
    if force and not reason.strip():
        raise InputError(
            "--force: received no reason; allowed is a --reason, which is kept in the history"
        )
    reference = registry.serving(ws.store, language)
    findings = judge(ws, language, version, reference)
    failed = [f for f in findings if not f.passed]
    if failed and not force:
        lines = "\n".join(f"  {f.name}: {f.text}. What to do: {f.todo}" for f in failed)
        raise InputError(
            f"{language} {version} does not pass the gate:\n{lines}\n"
            "To promote it all the same: --force --reason ..."
        )
    text = reason.strip() or findings[0].text
    registry.promote(ws.store, language, version, text, forced=bool(failed), expected=reference)
    registry.write_catalogue(ws.store, language)
    return Gate(True, text, version, findings)


def roll_back(ws: Workspace, language: str, reason: str) -> str:
    """Serve what served before; returns its version. Writes the registry."""
    version = registry.rollback(ws.store, language, reason.strip() or "rolled back by hand")
    registry.write_catalogue(ws.store, language)
    return version


def unscored(ws: Workspace, language: str, versions: list[str]) -> list[str]:
    """Those of the versions that have to be scored before they can be compared with one another.

    They have no scores, or not of nearly all of today's local items as today's settings ask them;
    or the versions differ in what the harness and long contexts asked of them: what is asked today
    is known by asking only, so then it is all of them.
    """
    from compass_core.benchmarks.score import local_questions

    suites = ws.project.benchmarks.suites
    local = [suite.name for suite in suites if suite.kind == "local"]
    questions = local_questions(frames.benchmark_rows(ws, language), suites)
    stored = {v: _adapter_scores(ws, language, v) for v in dict.fromkeys(versions)}
    elsewhere = [
        rows.filter(~pl.col("suite").is_in(local)) for rows in stored.values() if rows is not None
    ]
    alike = all(covered(one, two) >= ENOUGH for one, two in permutations(elsewhere, 2))
    return [
        version
        for version, rows in stored.items()
        if rows is None or not alike or covered(questions, rows) < ENOUGH
    ]


def _adapter_scores(ws: Workspace, language: str, version: str) -> pl.DataFrame | None:
    registry.adapter_dir(ws.store, language, version)  # says which versions there are
    key = layout.scores(language, version)
    return adapter_scores(ws.store.read_parquet(key)) if ws.store.exists(key) else None


def compare(ws: Workspace, language: str, one: str, two: str) -> dict[str, Any]:
    """Two versions side by side, `two` minus `one` on the same items; both must be scored.

    JSON-like: `versions` (what each was made from), `accuracy_percent`, the paired difference, by
    subject and overall, and the lineage entries in which they differ.
    """
    first, second = (
        adapter_scores(ws.store.read_parquet(layout.scores(language, name))) for name in (one, two)
    )
    both = paired(second, first).rename({"old": "one", "new": "two"})
    found = paired_comparison(both["two"].to_numpy(), both["one"].to_numpy(), ws.project.seed)
    table = registry.versions(ws.store, language)
    rows = {row["version"]: row for row in table.to_dicts()}
    lineages = {name: registry.lineage(ws.store, language, name) for name in (one, two)}
    named = sorted(set(lineages[one]) | set(lineages[two]))
    subjects = both.group_by("subject").agg(
        pl.len().alias("items"), pl.col("one", "two").mean() * 100
    )
    return {
        "language": language,
        "versions": {name: rows[name] for name in (one, two)},
        "items": both.height,
        "accuracy_percent": {
            name: (100 * float(both[column].mean()) if both.height else None)  # type: ignore[arg-type]
            for name, column in ((one, "one"), (two, "two"))
        },
        "difference_points": found.difference_points,
        "low_points": found.low_points,
        "high_points": found.high_points,
        "p_value": found.p_value,
        "gained": found.gained,
        "lost": found.lost,
        "by_subject": subjects.sort("subject").to_dicts(),
        "lineage_differs": {
            key: {name: lineages[name].get(key) for name in (one, two)}
            for key in named
            if lineages[one].get(key) != lineages[two].get(key)
        },
    }
