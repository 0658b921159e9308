"""The checks of the stages before an adapter serves: figure, threshold and what to do.

The gate's own findings, which decide what serves, are in gate.py.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from compass_core import layout
from compass_core.clusters.language_split import LIMIT
from compass_core.drift.calibration import LEVEL, Calibration
from compass_core.findings import Finding
from compass_core.progress import Report, silent
from compass_core.stages.screening import Screening, not_looked_for
from compass_core.workspace import Workspace

SPENT = 0.95  # share of the budget that counts as spent: rows are whole
NAMED = 10  # rows named in a finding


def rows_add_up(read: int, accepted: int, quarantined: int, what: str) -> Finding:
    lost = read - accepted - quarantined
    return Finding(
        "rows_accounted_for",
        lost == 0,
        float(lost),
        0.0,
        "rows",
        f"{what}: {read} rows read, {accepted} accepted, {quarantined} quarantined",
        ""
        if lost == 0
        else "do not build on these rows: run it again, and if the sum stays wrong keep the files "
        "and compare them with `compass quarantine list`",
        {"read": read, "accepted": accepted, "quarantined": quarantined},
    )


def log_rows_add_up(ws: Workspace, languages: list[str] | None = None) -> Finding:
    """Over all log files that were ever taken, of these languages (default: all targets)."""
    columns = ["rows_read", "rows_accepted", "rows_quarantined"]
    named = languages or ws.targets
    keys = [layout.corpora_catalogue("usage_logs", language) for language in named]
    rows = [ws.store.read_parquet(key, columns).row(0) for key in keys if ws.store.exists(key)]
    read, accepted, quarantined = (sum(counts) for counts in zip((0, 0, 0), *rows, strict=True))
    return rows_add_up(read, accepted, quarantined, f"logs of {', '.join(named)}")


def languages_as_declared(facts: Mapping[str, Any], allowed: float) -> Finding:
    """`facts` as of corpora.language_facts; `allowed` is language_id.warn_share."""
    share = float(facts["disagree_share"])
    passed = share <= allowed
    instead = ", ".join(f"{count} {tag}" for tag, count in facts["detected"].items())
    return Finding(
        "languages_identified_as_declared",
        passed,
        share,
        allowed,
        "share of the judged rows",
        f"{100 * share:.1f} % of the rows are in another language than they are said to be"
        + (f": {instead}" if instead else ""),
        ""
        if passed
        else "look at rows with language_flag disagrees, move the files to the folder of their "
        "language, or raise language_id.warn_share where the identification is wrong",
    )


def embedder_mixes_languages(value: float, warning: str | None) -> Finding:
    return Finding(
        "embedder_not_split_by_language",
        warning is None,
        value,
        LIMIT,
        "share of a row's language that its cluster gives away",
        warning or f"a row's cluster gives away {100 * value:.0f} % of its language",
        "" if warning is None else "set embedder.model to a multilingual one; see docs/models.md",
    )


def clusters_usable(figures: Mapping[str, Any]) -> Finding:
    """`figures` of stages.clusters: clusters, silhouette (null: it has none), usage_off_target."""
    count, silhouette = figures["clusters"], figures["silhouette"]
    passed = count >= 2 and silhouette is not None and silhouette > 0
    shown = "none" if silhouette is None else f"{silhouette:.3f}"
    return Finding(
        "clusters_usable",
        passed,
        silhouette,
        0.0,
        "mean silhouette (above 0: rows are nearer to their own cluster than to the next)",
        f"{count} clusters, silhouette {shown}, {100 * figures['usage_off_target']:.1f} % of what "
        "is asked lies outside all of them",
        ""
        if passed
        else "gaps between such clusters mean little: give more usage (usage.window_days), try "
        "another range (clusters.k_min, clusters.k_max) or another embedder.model",
        {"clusters": count, "usage_off_target_share": figures["usage_off_target"]},
    )


def enough_usage(rows: int, needed: int) -> Finding:
    passed = rows >= needed
    return Finding(
        "enough_usage",
        passed,
        float(rows),
        float(needed),
        "prompts",
        f"{rows} prompts in the usage window, usage.min_rows is {needed}",
        ""
        if passed
        else "the intervals p_usage_low and p_usage_high are wide: add logs, raise "
        "usage.window_days, or set usage.source to blend",
    )


def budget_spent(
    spent: int, budget: int, unit: str, strategy: str, dropped: Mapping[str, int]
) -> Finding:
    least = SPENT * budget if strategy not in ("none", "all_data") else 0.0
    passed = spent >= least
    most = max(dropped, key=lambda reason: dropped[reason], default="nothing")
    return Finding(
        "budget_spent",
        passed,
        float(spent),
        least,
        unit,
        f"{spent} of {budget} {unit} spent by {strategy}",
        ""
        if passed
        else f"most rows were not taken for the reason {most} (view dropped): add auxiliary data "
        "for the clusters in the view gaps_top, raise the limits by language, or lower "
        "sampling.budget",
        {"budget": budget, "unit_of_the_budget": unit},
    )


def benchmark_rows_in(
    ws: Workspace, language: str, rows: pl.DataFrame, report: Report = silent
) -> list[str]:
    """Ids of rows (row_id, language, content_hash, prompt, response) that hold a benchmark item."""
    hits = Screening(ws, language).hits(rows, language, "rows of the training set", report)
    return list(hits["row_id"].unique().sort())


def no_benchmark_items(
    ws: Workspace, language: str, rows: pl.DataFrame, report: Report = silent
) -> Finding:
    """Of a training set (records.SELECTIONS) as it is about to be trained on."""
    bad = benchmark_rows_in(
        ws, language, rows.drop("language").rename({"row_language": "language"}), report
    )
    missing = not_looked_for(ws)
    unknown = (
        f"; not looked for, as there is no local copy: {', '.join(missing)}" if missing else ""
    )
    return Finding(
        "no_benchmark_items",
        not bad,
        float(len(bad)),
        0.0,
        "rows",
        f"{len(bad)} of {rows.height} rows of the training set hold a benchmark item{unknown}",
        f"do not train on it: take these rows out of the corpora: {', '.join(bad[:NAMED])}"
        if bad
        else "",
    )


def adapter_differs(largest_update: float) -> Finding:
    """`largest_update` of train.TrainResult."""
    passed = largest_update > 0
    return Finding(
        "adapter_differs_from_base",
        passed,
        largest_update,
        0.0,
        "largest weight of the B matrices",
        f"the largest weight of the adapter's B matrices is {largest_update:.3g}",
        ""
        if passed
        else "the adapter does nothing: look at the loss in training_log.json, and check "
        "adapter.learning_rate and adapter.target_modules",
    )


def drift_calibrated(found: Calibration | None) -> Finding:
    name, unit = "drift_calibrated", f"share of looks with p below {LEVEL:g}"
    if found is None:
        return Finding(
            name, True, None, None, unit, "not measured: too few prompts or users for two halves"
        )
    return Finding(
        name,
        found.passed,
        found.share,
        found.allowed_share,
        unit,
        f"{found.alarms} of {found.looks} looks at halves of one and the same usage alarmed at "
        f"level {LEVEL:g}; chance gives at most {found.allowed}",
        ""
        if found.passed
        else "prompts hang together in ways that the logs do not say: name the user in the logs "
        "(docs/inputs.md), and until then set drift.auto_update to false",
        {"looks": found.looks},
    )
