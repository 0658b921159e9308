"""The evidence that a new adapter version needs before it may serve: one finding a question."""

from collections.abc import Callable
from typing import Any

import polars as pl

from compass_core import layout
from compass_core.adapters.registry import memory_dir, rolled_back, served_before
from compass_core.benchmarks.pairs import ENOUGH, KEYS, adapter_scores, base_scores, paired
from compass_core.benchmarks.stats import Paired, paired_comparison
from compass_core.errors import StoreError
from compass_core.findings import Finding
from compass_core.stages.findings import benchmark_rows_in
from compass_core.stages.retention import held_rows, retained
from compass_core.stages.update import HISTORY_FILE
from compass_core.workspace import Workspace

CHECKS = {
    "benchmark_gate": "The new version loses no more than the margin on the same items.",
    "no_slow_loss": "Losses within the margin have not added up over the versions before it.",
    "forgetting_gate": "It keeps what the serving version was made for, on held-out rows.",
    "logits_differ": "It answers differently from the base model: the adapter is applied.",
    "no_contamination": "No benchmark item is among the rows that it has learnt.",
    "not_rolled_back": "A version that was rolled back from does not come back by itself.",
}
SAME_NATS = 1e-6  # below it two log-likelihoods are the same number


def judge(ws: Workspace, language: str, candidate: str, reference: str | None) -> list[Finding]:
    """All findings on a version, in the order of CHECKS. Reads only.

    `reference` is the version that serves, as read by whoever is going to act on the findings.
    """
    against = None if reference in (None, candidate) else reference
    questions: tuple[Callable[[Workspace, str, str, str | None], Finding], ...] = (
        _benchmark,
        _slow_loss,
        _forgetting,
        _differs,
        _contamination,
        _rolled_back,
    )
    return [ask(ws, language, candidate, against) for ask in questions]


def _benchmark(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    margin = ws.project.promotion.margin_points
    now = _scores(ws, language, candidate)
    mine = adapter_scores(now)
    before = _scores(ws, language, against) if against else None
    both = paired(mine, base_scores(now) if before is None else adapter_scores(before))
    reference = against or "base"
    extra: dict[str, Any] = {"reference": reference, "items": both.height}
    if not both.height or both.height < ENOUGH * mine.height:
        return Finding(
            "benchmark_gate",
            False,
            None,
            -margin,
            "points",
            f"of the {mine.height} benchmark items of {candidate}, {both.height} were asked of "
            f"{reference} in the same way (task, its version, shots)",
            f"run the job evaluate, which asks {reference} again"
            if mine.height
            else f"add benchmark items of {language}, then run the job evaluate",
            extra,
        )
    found = paired_comparison(both["new"].to_numpy(), both["old"].to_numpy(), seed=ws.project.seed)
    passed = found.difference_points >= -margin
    chance = found.low_points <= 0 <= found.high_points
    todo = (
        "the difference is within what chance gives: score more items, or look at "
        f"compass compare and promote by hand with a reason (compass promote {language} "
        f"{candidate} --force --reason ...)"
        if chance
        else "train on more of what is asked about (sampling.budget), or keep the serving version"
    )
    return Finding(
        "benchmark_gate",
        passed,
        found.difference_points,
        -margin,
        "points",
        f"{candidate} against {reference}: {found.difference_points:+.1f} points "
        f"[{found.low_points:+.1f}, {found.high_points:+.1f}] on {both.height} items, "
        f"margin {margin:g}",
        "" if passed else todo,
        {
            **extra,
            "difference_points": found.difference_points,
            "low_points": found.low_points,
            "high_points": found.high_points,
            "p_value": found.p_value,
        },
    )


def _slow_loss(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    """Against the best of the versions that served before the one that serves.

    Beyond the margin and beyond chance: the best of many is in part the luckiest, and to ask for
    its figure again would let fewer and fewer equals through.
    """
    margin = ws.project.promotion.margin_points
    mine = adapter_scores(_scores(ws, language, candidate))
    found: list[tuple[Paired, str, int]] = []
    for version in served_before(ws.store, language):
        key = layout.scores(language, version)
        if version in (candidate, against) or not ws.store.exists(key):
            continue
        both = paired(mine, adapter_scores(ws.store.read_parquet(key)))
        if both.height and both.height >= ENOUGH * mine.height:
            arrays = both["new"].to_numpy(), both["old"].to_numpy()
            found.append((paired_comparison(*arrays, seed=ws.project.seed), version, both.height))
    if not found:
        text = "no earlier version that served was asked these items"
        return Finding("no_slow_loss", True, None, -margin, "points", text)
    worst, best, items = min(found, key=lambda entry: entry[0].difference_points)
    passed = worst.difference_points >= -margin or worst.high_points >= 0
    return Finding(
        "no_slow_loss",
        passed,
        worst.difference_points,
        -margin,
        "points",
        f"{candidate} against {best}, the best that served before: "
        f"{worst.difference_points:+.1f} points [{worst.low_points:+.1f}, "
        f"{worst.high_points:+.1f}] on {items} items, margin {margin:g}",
        ""
        if passed
        else f"small losses have added up: train from zero (job retrain), or go back to {best} "
        f"(compass promote {language} {best} --reason ...)",
        {"reference": best, "items": items},
    )


def _forgetting(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    share = ws.project.promotion.forgetting_share
    name, unit = "forgetting_gate", "nats per supervised token"

    def unmeasured(text: str) -> Finding:
        return Finding(name, True, None, None, unit, text)

    if against is None:
        return unmeasured("no other version serves: nothing to forget")
    key = layout.retention(language, candidate)
    rows = ws.store.read_parquet(key) if ws.store.exists(key) else None
    if memory_dir(ws.store, language, against) is None:
        return unmeasured(f"not measured: {against} was made before rows were held out")
    if not held_rows(ws, language, against).height:
        return unmeasured(f"not measured: {against} held out no row of what it was made for")
    if rows is None or not rows.height or rows["reference_version"][0] != against:
        return Finding(
            name,
            False,
            None,
            None,
            unit,
            f"not measured: {candidate} was not compared with {against} on any held-out row",
            "run the job evaluate; where it stays so, the new version has learnt all of these "
            "rows: run the job retrain",
        )
    kept = retained(rows, share, ws.project.seed)
    return Finding(
        name,
        kept.passed,
        kept.rise,
        kept.allowed,
        unit,
        f"loss on {kept.rows} held-out rows of earlier usage {kept.rise:+.3f} "
        f"[{kept.low:+.3f}, {kept.high:+.3f}] against {against}, which had gained "
        f"{kept.gained:.3f}; allowed {kept.allowed:.3f}",
        ""
        if kept.passed
        else "raise continual.beta or continual.lambda_, or train from zero (job retrain)",
        {"gained": kept.gained, "low": kept.low, "high": kept.high, "rows": kept.rows},
    )


def _differs(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    """By log-likelihoods where both models have them; generated answers are compared as texts."""
    frame = _scores(ws, language, candidate)
    both = adapter_scores(frame).join(
        base_scores(frame).select(
            *KEYS, pl.col("logliks").alias("base"), pl.col("response").alias("base_response")
        ),
        on=KEYS,
        nulls_equal=True,
    )
    name, todo = "logits_differ", "the adapter was not applied or learnt nothing: see its log"
    scored = both.drop_nulls(["logliks", "base"])
    if scored.height:
        largest = max(
            abs(a - b)
            for mine, other in scored.select("logliks", "base").iter_rows()
            for a, b in zip(mine, other, strict=True)
        )
        passed = largest > SAME_NATS
        return Finding(
            name,
            passed,
            largest,
            SAME_NATS,
            "nats per token",
            "largest change of a choice's log-likelihood against the base model on "
            f"{scored.height} items: {largest:.3g} nats",
            "" if passed else todo,
        )
    written = both.drop_nulls(["response", "base_response"])
    if written.height:
        others = written.filter(pl.col("response") != pl.col("base_response")).height
        return Finding(
            name,
            others > 0,
            float(others),
            0.0,
            "answers",
            f"{others} of {written.height} generated answers differ from the base model's",
            ""
            if others
            else f"{todo}; a suite of choices (kind: local) would show smaller changes",
        )
    return Finding(
        name,
        False,
        None,
        SAME_NATS,
        "nats per token",
        f"nothing to compare: no item has log-likelihoods or an answer of both {candidate} and "
        "the base model",
        "add benchmark items (benchmarks.suites), then run the job evaluate",
    )


def _contamination(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    folder = memory_dir(ws.store, language, candidate)
    name = "no_contamination"
    if folder is None:
        return Finding(
            name, True, None, 0, "rows", f"not measured: {candidate} keeps no list of its rows"
        )
    rows = pl.read_parquet(folder / HISTORY_FILE).filter(~pl.col("held"))
    bad = benchmark_rows_in(ws, language, rows.rename({"row_language": "language"}))
    return Finding(
        name,
        not bad,
        float(len(bad)),
        0.0,
        "rows",
        f"{len(bad)} of {rows.height} learnt rows are benchmark items",
        f"take these rows out of the corpora and run the job retrain: {', '.join(bad[:10])}"
        if bad
        else "",
    )


def _rolled_back(ws: Workspace, language: str, candidate: str, against: str | None) -> Finding:
    why = rolled_back(ws.store, language, candidate)
    return Finding(
        "not_rolled_back",
        why is None,
        None,
        None,
        "",
        f"{candidate} was rolled back from ({why})" if why else "never rolled back from",
        f"compass promote {language} {candidate} --force --reason ..." if why else "",
    )


def _scores(ws: Workspace, language: str, version: str) -> pl.DataFrame:
    key = layout.scores(language, version)
    if not ws.store.exists(key):
        raise StoreError(
            f"{language} {version} was never scored; run: compass compare {language} {version} "
            f"{version}, which scores it"
        )
    return ws.store.read_parquet(key)
