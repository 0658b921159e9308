"""Every asset carries what a person expects on its page."""

from pathlib import Path

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


def test_each_asset_links_to_its_code_and_its_guide(specs):
    for name, spec in specs.items():
        links = spec.metadata["dagster/code_references"].code_references
        code, guide = (Path(link.file_path) for link in links)
        assert f'"{name}"' in code.read_text(encoding="utf-8"), name
        assert guide.parent.name == "docs", name
        assert guide.is_file(), name


def test_what_is_due_again_says_when(specs, empty_bench):
    windows = {name: spec.freshness_policy for name, spec in specs.items() if spec.freshness_policy}
    hours = {
        name: p.fail_window.to_timedelta().total_seconds() / 3600 for name, p in windows.items()
    }
    assert hours == {"usage_window": 48, "gap_report": 72, "drift_report": 72}
    empty_bench.reload(**{"ingest:": "freshness: {logs_hours: null}\ningest:"})
    node = empty_bench.defs.resolve_asset_graph().get(dg.AssetKey("usage_window"))
    assert node.freshness_policy is None


def test_every_field_that_a_launch_can_set_is_described(empty_bench):
    """Of the jobs' own configuration; the settings of a project have a test of their own."""
    bare, seen = [], []
    for job in empty_bench.defs.resolve_all_job_defs():
        for node in job.nodes:
            schema = node.definition.config_field
            fields = getattr(schema.config_type, "fields", {}) if schema else {}
            seen += [f"{job.name}.{name}" for name in fields]
            bare += [f"{job.name}.{name}" for name, f in fields.items() if not f.description]
    assert {"ingest_logs.language", "promote_adapter.version"} <= set(seen)
    assert bare == []


def test_whatever_may_hold_a_model_is_in_its_pool(empty_bench):
    """Whoever is given the client of child processes may start one that loads a model."""
    loose, held = [], []
    for job in empty_bench.defs.resolve_all_job_defs():
        for node in job.nodes:
            if "pipes" in node.definition.required_resource_keys:
                (held if node.definition.pool == "models" else loose).append(node.name)
    assert loose == []
    assert {"adapter", "benchmark_scores", "usage_embeddings", "promote_adapter_op"} <= set(held)


def test_there_is_a_job_for_everything_people_do(empty_bench):
    jobs = {job.name: job.description for job in empty_bench.defs.resolve_all_job_defs()}
    done = ["ingest_logs", "refresh_gaps", "retrain", "evaluate", "promote_adapter"]
    for name in (*done, "rollback_adapter", "ingest_auxiliary", "ingest_training"):
        assert jobs[name], name


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


def test_the_launchpad_shows_what_is_set_now_and_no_secret(empty_bench):
    resource = empty_bench.defs.resources["project"]
    override = type(resource).model_fields["override"].annotation
    fields = override.model_fields["sampling"].annotation.model_fields
    assert fields["budget"].description.endswith("(now: 300)")
    assert fields["budget"].default is None
    assert fields["strategy"].description.endswith('(now: "gap_waterfill")')
    salt = override.model_fields["ingest"].annotation.model_fields["user_salt"].description
    assert "now" not in salt
    assert resource.overrides() == {}
    long = override.model_fields["languages"].annotation.model_fields["targets"].description
    assert long.endswith('(now: ["sw", "hi", "ar"])')


@pytest.mark.parametrize(
    "job", ["ingest_logs", "promote_adapter", "rollback_adapter", "compare_adapters"]
)
def test_jobs_of_one_language_offer_the_targets(empty_bench, job):
    (node,) = empty_bench.defs.resolve_job_def(job).nodes
    kind = node.definition.config_field.config_type.fields["language"].config_type
    assert [value.config_value for value in kind.enum_values] == ["sw", "hi", "ar"]


def test_a_job_of_a_language_that_is_no_target_does_not_start(empty_bench):
    with pytest.raises(dg.DagsterInvalidConfigError, match="th"):
        empty_bench.ingest_logs("th")


def test_a_bad_override_is_refused_by_name(bench):
    resources = {"project": {"config": {"override": {"sampling": {"budget": -4}}}}}
    done = bench.run("bootstrap_language", "sw", ["gap_report"], resources=resources)
    assert not done.success
    error = str(done.get_step_failure_events()[0].step_failure_data.error)
    assert "sampling.budget" in error
    assert "-4" in error


def test_definitions_can_be_loaded_by_dagster(empty_bench):
    dg.Definitions.validate_loadable(empty_bench.defs)
