"""Every asset carries what a person expects on its page."""

import dagster as dg
import pytest

from compass_core.graph import NODES


@pytest.fixture
def specs(empty_bench):
    graph = empty_bench.defs.resolve_asset_graph()
    return {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}


def test_the_graph_of_the_table_is_the_graph_in_dagster(specs):
    assert set(specs) == set(NODES)
    for name, node in NODES.items():
        parents = {key.to_user_string() for key in specs[name].parent_keys}
        assert parents == set(node.edges), name


def test_each_asset_is_described(specs):
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.owners == ["team:compass"], name
        assert spec.kinds, name
        assert spec.group_name[0].isdigit(), name
        assert "-" in spec.code_version, name
        assert spec.is_partitioned, name


def test_every_setting_is_in_the_launchpad_with_its_description():
    from compass_assets.resources import ProjectResource
    from compass_core.config.schema import Project, Section

    def walk(schema, shown):
        for name, info in schema.model_fields.items():
            field = shown.model_fields[name]
            assert field.description, name
            if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
                walk(info.annotation, field.annotation)

    walk(Project, ProjectResource.model_fields["override"].annotation)


def test_a_bad_override_is_refused_by_name(bench):
    resources = {"project": {"config": {"override": {"sampling": {"budget": -4}}}}}
    done = bench.run("bootstrap_language", "sw", ["gap_report"], resources=resources)
    assert not done.success
    error = str(done.get_step_failure_events()[0].step_failure_data.error)
    assert "sampling.budget" in error
    assert "-4" in error


def test_definitions_can_be_loaded_by_dagster(empty_bench):
    dg.Definitions.validate_loadable(empty_bench.defs)
