from pathlib import Path

import pytest
from ruamel.yaml import YAML

from compass_core.config.digest import settings_digest
from compass_core.config.load import load_project, with_overrides
from compass_core.config.template import render_template
from compass_core.errors import ConfigError


def loaded(tmp_path: Path, text: str):
    path = tmp_path / "compass.yaml"
    path.write_text(text, encoding="utf-8")
    return load_project(path).project


def complaint(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text)
    return str(error.value).splitlines()


def test_defaults_and_tags_as_sources_write_them(tmp_path):
    project = loaded(tmp_path, "languages:\n  targets: [swh_Latn, hin, zh-Hant]\n")
    assert project.languages.targets == ["sw", "hi", "zh-Hant"]
    assert project.sampling.unit == "tokens"


def test_every_problem_is_one_line_with_key_line_value_and_what_is_allowed(tmp_path):
    lines = complaint(
        tmp_path,
        "languages:\n  targets: [sw]\n"
        "sampling:\n  budgett: 5\n  budget: -5\nadapter:\n  rank: many\n",
    )
    assert len(lines) == 3
    budget = next(line for line in lines if "sampling.budget:" in line)
    assert budget == (
        "compass.yaml:5: sampling.budget: received -5; allowed: greater than or equal to 0"
    )
    unknown = next(line for line in lines if "budgett" in line)
    assert unknown.startswith("compass.yaml:4: sampling.budgett: unknown key; allowed: strategy")
    assert unknown.endswith("did you mean budget?")
    assert any(line.startswith("compass.yaml:7: adapter.rank: received 'many'") for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("- sw\n", "allowed: keys and values"),
        ("languages:\n\ttargets: [sw]\n", "compass.yaml:2:"),
        ("name: a\nname: b\n", 'found duplicate key "name"'),
        ("languages: {targets: [../../etc]}\n", "'../../etc' is no language tag"),
        ("languages: {targets: [sw, swh]}\n", "language named twice: sw"),
        ("languages: {targets: []}\n", "languages.targets"),
        ("languages: {targets: [sw], auxiliary: {hi: auto}}\n", "names hi, not in"),
        ("languages: {targets: [true]}\n", "has to be quoted: 'no'"),
        ("languages: {targets: [sw]}\nsampling: {strategy: best}\n", "'gap_waterfill'"),
        ("languages: {targets: [sw]}\nclusters: {k_min: 9, k_max: 3}\n", "k_min 9 is greater"),
        ("languages: {targets: [sw]}\nbenchmarks: {suites: [{name: ../x}]}\n", "suites.0.name"),
        ("name: x\n", "languages: missing"),
    ],
)
def test_bad_files_are_explained(tmp_path, text, expected):
    assert any(expected in line for line in complaint(tmp_path, text))


def test_a_file_that_is_not_utf8_or_missing_says_so(tmp_path):
    (tmp_path / "compass.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_project(tmp_path / "compass.yaml")
    with pytest.raises(ConfigError, match="compass init"):
        load_project(tmp_path / "other.yaml")


def test_norwegian_is_no_boolean_here(tmp_path):
    assert loaded(tmp_path, "languages:\n  targets: [no]\n").languages.targets == ["nb"]


def test_overrides_nest_or_use_dots_and_are_validated(tmp_path):
    project = loaded(tmp_path, "languages: {targets: [sw]}\n")
    assert with_overrides(project, {"sampling": {"budget": 7}}).sampling.budget == 7
    assert with_overrides(project, {"adapter.rank": 4}).adapter.rank == 4
    assert project.sampling.budget != 7
    with pytest.raises(ConfigError, match=r"sampling\.budget: received -1"):
        with_overrides(project, {"sampling.budget": -1})
    with pytest.raises(ConfigError, match="did you mean rank"):
        with_overrides(project, {"adapter": {"rnk": 3}})


def test_the_template_says_what_the_schema_says(tmp_path):
    project = loaded(tmp_path, render_template({"name": "mine"}))
    plain = loaded(tmp_path, "name: mine\nlanguages: {targets: [sw]}\n")
    assert project == plain
    text = render_template()
    for key in ("budget", "window_days", "learning_rate", "refit_novelty"):
        assert f"\n  {key}: " in text


def test_values_in_the_template_win_over_defaults(tmp_path):
    values = {"languages": {"targets": ["th"]}, "sampling": {"budget": 9}}
    project = loaded(tmp_path, render_template(values))
    assert project.languages.targets == ["th"]
    assert project.sampling.budget == 9


def test_digests_see_the_named_settings_only(tmp_path):
    project = loaded(tmp_path, "languages: {targets: [sw]}\n")
    other = with_overrides(project, {"adapter.rank": 4})
    assert settings_digest(project, "clusters", "seed") == settings_digest(
        other, "seed", "clusters"
    )
    assert settings_digest(project, "adapter") != settings_digest(other, "adapter")


def test_the_projects_own_file_is_valid():
    root = Path(__file__).parent.parent.parent.parent
    assert len(load_project(root / "compass.yaml").project.languages.targets) >= 3


def test_the_projects_own_file_has_every_setting_with_its_present_description():
    """Made again by `render_template` with the file's own values, it is the same text."""
    file = Path(__file__).parent.parent.parent.parent / "compass.yaml"
    text = file.read_text(encoding="utf-8")
    assert text == render_template(YAML(typ="safe").load(text))


def test_a_store_is_a_path_or_a_place_that_tables_and_vectors_can_be_in(tmp_path):
    for place in ("results", "s3://bucket/compass", "gs://bucket"):
        assert loaded(tmp_path, f"store: {place}\nlanguages:\n  targets: [sw]\n").store == place
    (line,) = complaint(tmp_path, "store: ftp://host/x\nlanguages:\n  targets: [sw]\n")
    assert line.startswith("compass.yaml:1: store: received 'ftp://host/x'")
    assert "s3://" in line
