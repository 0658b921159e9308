"""Checks that fail say by how much, and what to do; those that pass ask for nothing."""

import pytest

from compass_core.drift.calibration import Calibration
from compass_core.stages import findings

CLUSTERS = {"clusters": 12, "silhouette": 0.2, "usage_off_target": 0.01}
IDENTIFIED = {"disagree_share": 0.02, "detected": {}}
CASES = {
    "rows": (
        findings.rows_add_up(10, 7, 3, "sw"),
        findings.rows_add_up(10, 7, 2, "sw"),
        "compass quarantine list",
    ),
    "languages": (
        findings.languages_as_declared(IDENTIFIED, 0.05),
        findings.languages_as_declared({"disagree_share": 0.4, "detected": {"en": 9}}, 0.05),
        "language_id.warn_share",
    ),
    "embedder": (
        findings.embedder_mixes_languages(0.1, None),
        findings.embedder_mixes_languages(0.9, "a row's cluster gives away 90 %"),
        "embedder.model",
    ),
    "clusters": (
        findings.clusters_usable(CLUSTERS),
        findings.clusters_usable({**CLUSTERS, "silhouette": -0.05}),
        "clusters.k_min",
    ),
    "one cluster": (
        findings.clusters_usable({**CLUSTERS, "clusters": 2}),
        findings.clusters_usable({**CLUSTERS, "clusters": 1, "silhouette": None}),
        "usage.window_days",
    ),
    "usage": (findings.enough_usage(50, 50), findings.enough_usage(49, 50), "usage.source"),
    "budget": (
        findings.budget_spent(95, 100, "tokens", "random", {}),
        findings.budget_spent(94, 100, "tokens", "random", {"off_target": 9, "duplicate": 1}),
        "the reason off_target",
    ),
    "adapter": (
        findings.adapter_differs(1e-9),
        findings.adapter_differs(0.0),
        "adapter.learning_rate",
    ),
    "drift": (
        findings.drift_calibrated(Calibration(60, 9, 9)),
        findings.drift_calibrated(Calibration(60, 10, 9)),
        "drift.auto_update",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_passes_fails_and_says_what_to_do(case):
    good, bad, advice = CASES[case]
    assert (good.passed, good.todo) == (True, "")
    assert not bad.passed
    assert advice in bad.todo
    assert bad.name == good.name
    assert good.unit
    assert bad.threshold is not None


def test_strategies_without_a_budget_need_not_spend_one():
    assert findings.budget_spent(0, 100, "tokens", "none", {}).passed
    assert findings.budget_spent(10**6, 100, "tokens", "all_data", {}).passed


def test_what_was_not_measured_is_said():
    found = findings.drift_calibrated(None)
    assert found.passed
    assert "not measured" in found.text
