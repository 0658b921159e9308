"""Titles are names: what is measured in the clusters does not depend on them."""

from compass_core.config.digest import settings_digest
from compass_core.config.schema import Clusters, Project
from compass_core.graph import CLUSTERING, code_versions

NAMED = {"endpoint": "http://localhost:8000/v1", "model": "small"}


def project(**clusters):
    return Project.model_validate({"languages": {"targets": ["sw"]}, "clusters": clusters})


def test_a_model_for_titles_makes_nothing_stale(tmp_path):
    plain, named = project(), project(titles=NAMED)
    assert code_versions(plain, tmp_path) == code_versions(named, tmp_path)
    assert settings_digest(plain, *CLUSTERING) == settings_digest(named, *CLUSTERING)
    other = project(noise="drop")
    assert code_versions(plain, tmp_path) != code_versions(other, tmp_path)


def test_every_other_setting_of_the_clusters_counts():
    assert {f"clusters.{name}" for name in Clusters.model_fields} == {
        *CLUSTERING,
        "clusters.titles",
    }
