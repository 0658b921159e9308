from pathlib import Path

import pytest

from compass_core import graph
from compass_core.config.schema import Project


@pytest.fixture
def project():
    return Project(languages={"targets": ["sw", "hi"]})


def changed_by(before: Project, after: Project) -> set[str]:
    here = Path("nowhere")  # models are absent, which is a fingerprint like any other
    old, new = graph.code_versions(before, here), graph.code_versions(after, here)
    return {name for name in old if old[name] != new[name]}


def with_value(project: Project, section: str, **values) -> Project:
    inner = getattr(project, section).model_copy(update=values)
    return project.model_copy(update={section: inner})


def test_edges_name_nodes_that_come_earlier():
    seen: set[str] = set()
    for node in graph.NODES.values():
        assert set(node.edges) <= seen, node.name
        seen.add(node.name)


def test_settings_named_in_the_graph_exist(project):
    for node in graph.NODES.values():
        for key in node.settings:
            graph.setting(project, key)


def test_a_setting_marks_what_it_changes_and_what_hangs_from_it(project):
    changed = changed_by(project, with_value(project, "adapter", rank=8))
    assert changed == {
        "adapter",
        "benchmark_scores",
        "promoted_adapter",
        "strategy_comparison",
        "drift_report",
        "performance_signal",
        "language_report",
    }
    changed = changed_by(project, with_value(project, "promotion", margin_points=2.0))
    below = {"drift_report", "performance_signal", "language_report"}
    assert changed == {"promoted_adapter"} | below
    changed = changed_by(project, with_value(project, "embedder", prefix="query: "))
    assert "auxiliary_corpus" not in changed
    assert {"auxiliary_embeddings", "gap_report", "adapter", "benchmark_scores"} <= changed


def test_settings_that_change_no_result_mark_nothing(project):
    assert changed_by(project, with_value(project, "embedder", batch_size=8)) == set()
    assert changed_by(project, with_value(project, "execution", threads=1)) == set()
    assert changed_by(project, with_value(project, "ingest", settle_s=9.0)) == set()


def test_a_new_target_language_marks_nobody_else(project):
    languages = project.languages.model_copy(update={"targets": ["sw", "hi", "th"]})
    assert changed_by(project, project.model_copy(update={"languages": languages})) == set()


def test_a_changed_model_folder_counts_although_its_name_stays(tmp_path, monkeypatch, project):
    prints = {"embedder": "a", "base_model": "b"}
    monkeypatch.setattr(graph, "_model_fingerprints", lambda *_: prints)
    before = graph.code_versions(project, tmp_path)
    prints = {"embedder": "a", "base_model": "c"}
    after = graph.code_versions(project, tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert "adapter" in changed
    assert "semantic_clusters" not in changed
