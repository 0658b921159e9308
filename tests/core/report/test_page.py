"""The page stands alone, shows what the tables say, and no text can break out of it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from compass_core import records
from compass_core.report.figures import RED, figures
from compass_core.report.gather import LanguageData
from compass_core.report.page import render
from compass_core.stages.retention import FORGETTING

EVIL = "<script>alert('x')</script> bei ya mahindi"


def frame(schema: pl.Schema, *rows: dict) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)


def gap(cluster: int, title: str, asked: float, trained: float) -> dict:
    return {
        "language": "sw",
        "cluster_id": cluster,
        "title": title,
        "p_usage": asked,
        "p_usage_low": asked * 0.8,
        "p_usage_high": asked * 1.2,
        "p_training": trained,
        "gap": max(0.0, asked - trained),
        "pool_rows": 12,
        "usage_rows": 30,
        "usage_first_day": date(2026, 1, 21),
        "usage_last_day": date(2026, 1, 30),
    }


def score(model: str, version: str | None, item: int, correct: bool) -> dict:
    return {
        "suite": "s",
        "item_id": str(item),
        "subject": "law",
        "model": model,
        "adapter_version": version,
        "correct": correct,
    }


@pytest.fixture
def data():
    at = datetime(2026, 2, 1, tzinfo=UTC)
    places = {"cluster_id": [1, 2], "x": [0.0, 1.0], "y": [0.0, 1.0]}
    return LanguageData(
        language="sw",
        gaps=frame(records.GAPS, gap(1, EVIL, 0.7, 0.2), gap(2, "mpira", 0.3, 0.8)),
        selections=frame(
            records.SELECTIONS,
            {"origin": "training", "row_language": "sw", "cluster_id": 2, "supervised_tokens": 50},
            {"origin": "auxiliary", "row_language": "en", "cluster_id": 1, "supervised_tokens": 50},
        ),
        scores=frame(
            records.SCORES,
            *[score("base", None, i, i == 0) for i in range(4)],
            *[score("adapter", "v0001", i, i < 3) for i in range(4)],
            *[score("adapter", "v0002", i, i < 2) for i in range(4)],
        ),
        comparisons=records.empty(records.COMPARISONS),
        drift=frame(
            records.DRIFT,
            {
                "window_last_day": date(2026, 1, 30),
                "window_rows": 200,
                "jsd_bits": 0.2,
                "null_mean_bits": 0.05,
                "null_95_bits": 0.08,
                "verdict": "drift",
                "measured_at": at,
            },
        ),
        versions=frame(
            records.ADAPTERS,
            {"version": "v0001", "status": "retired", "created_at": at},
            {"version": "v0002", "status": "serving", "created_at": at},
        ),
        status=frame(
            records.STALENESS,
            {"asset": "adapter", "state": "stale", "causes": ["usage_window changed"]},
        ),
        serving="v0002",
        summaries={"gap_report": "2 clusters"},
        cluster_map=pl.DataFrame(places),
        points=pl.DataFrame(
            {"role": ["usage"], "cluster_id": [1], "row_language": ["sw"], "text": [EVIL]}
            | {"x": [0.1], "y": [0.1]}
        ),
        losses={"v0002": {"task": [1.0, 0.5], "EWC penalty": [0.0, 0.1]}},
        forgetting=pl.DataFrame(
            [("v0002", "v0001", 9, 0.3, 0.2, 0.4, 1.0, 0.15)], FORGETTING, orient="row"
        ),
    )


def test_every_question_has_its_place(data):
    page = render(data)
    for text in ("Swahili", "stale: usage_window changed", "2 clusters", "What was added"):
        assert text in page
    assert set(figures(data)) == {
        "map",
        "gaps",
        "composition",
        "scores",
        "training",
        "drift",
        "forgetting",
        "versions",
    }


def test_nothing_is_fetched_from_outside(data):
    own = re.sub(r"<script>.*?</script>", "", render(data), flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", own)


def test_text_from_users_stays_text(data):
    assert "<script>alert" not in render(data)


def test_the_share_after_sampling_is_that_of_the_training_set(data):
    bars = {
        trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figures(data)["gaps"].data
    }
    assert list(bars["with the sample"].values()) == [0.5, 0.5]
    assert max(bars["asked (p_usage)"].values()) == 0.7


def test_a_merged_cluster_is_counted_with_its_host(data):
    merged = {**gap(3, "kandanda", 0.0, 0.0), "merged_into": 2, "pool_rows": 4}
    rows = {"origin": "auxiliary", "row_language": "en", "cluster_id": 3, "supervised_tokens": 100}
    made = figures(
        replace(
            data,
            gaps=pl.concat([data.gaps, frame(records.GAPS, merged)]),
            selections=pl.concat([data.selections, frame(records.SELECTIONS, rows)]),
        )
    )
    after = next(trace for trace in made["gaps"].data if trace.name == "with the sample")
    assert dict(zip(after.y, after.x, strict=True))["mpira · 2"] == 0.75
    assert len(after.y) == 2  # and has no bar of its own
    drawn = {
        trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in made["composition"].data
    }
    assert drawn["sampled, en"]["mpira · 2"] == 100


def test_the_share_counts_what_the_budget_counts(data):
    more = [
        {"origin": "training", "row_language": "sw", "cluster_id": 2, "supervised_tokens": 0}
    ] * 2
    counted = replace(
        data, unit="rows", selections=pl.concat([data.selections, frame(records.SELECTIONS, *more)])
    )
    after = next(t for t in figures(counted)["gaps"].data if t.name == "with the sample")
    assert sorted(after.x) == [0.25, 0.75]


def test_scores_are_those_of_the_items(data):
    (bars,) = figures(data)["scores"].data
    assert dict(zip(bars.x, bars.y, strict=True)) == {
        "base model": 0.25,
        "adapter v0001": 0.75,
        "adapter v0002": 0.5,
    }


def test_each_term_of_the_loss_has_its_line(data):
    lines = {trace.name: list(trace.y) for trace in figures(data)["training"].data}
    assert lines == {"task": [1.0, 0.5], "EWC penalty": [0.0, 0.1]}


def test_what_was_forgotten_stands_against_what_is_allowed(data):
    allowed, measured = figures(data)["forgetting"].data
    assert (list(measured.x), list(measured.y), list(allowed.y)) == (
        ["v0002 after v0001"],
        [0.3],
        [0.15],
    )
    assert measured.marker.color == (RED,)


def test_strategies_stand_beside_the_versions(data):
    run = {"strategy": "random", "seed": 17, "items": 4, "accuracy": 0.5, "base_accuracy": 0.25}
    compared = replace(data, comparisons=frame(records.COMPARISONS, run))
    (bars,) = figures(compared)["scores"].data
    assert bars.x[-1] == "strategy random, 1 seed"
    assert (bars.y[-1], round(bars.error_y.array[-1], 3)) == (0.5, 0.35)


def test_a_language_without_anything_yet_has_a_page(data):
    bare = LanguageData(
        language="sw",
        gaps=records.empty(records.GAPS),
        selections=records.empty(records.SELECTIONS),
        scores=records.empty(records.SCORES),
        comparisons=records.empty(records.COMPARISONS),
        drift=records.empty(records.DRIFT),
        versions=records.empty(records.ADAPTERS),
        status=records.empty(records.STALENESS),
        serving=None,
        summaries={},
        cluster_map=data.cluster_map.clear(),
        points=data.points.clear(),
    )
    assert "not there yet" in render(bare)
