"""The analysts' notebook runs from its first cell to its last, and shows what the tables say."""

import importlib.util
from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest

from compass_core import layout

NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "languages.py"


@pytest.fixture
def cells(bench, monkeypatch):
    """What the cells defined, on a materialized project; an error in any of them is raised."""
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.directory))
    spec = importlib.util.spec_from_file_location("languages_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _shown, defined = module.app.run()
    return defined


def test_every_question_has_rows_and_a_figure(cells, bench):
    language = cells["chosen"].value
    assert cells["languages"] == sorted(bench.ws.targets)
    for name in ("state", "gaps", "coverage", "sample", "added", "added_for", "scores", "drift"):
        assert isinstance(cells[name], pl.DataFrame), name
        assert cells[name].height, name
    for name in ("gaps_figure", "coverage_figure", "scores_figure", "drift_figure"):
        assert isinstance(cells[name], go.Figure), name
    report = bench.ws.store.read_parquet(layout.gaps(language))
    assert cells["gaps"]["gap"][0] == report["gap"].max()
    covered = cells["coverage"].filter(pl.col("language") == language)["covered"][-1]
    assert covered == pytest.approx(1 - report["gap"].sum())
    rows = bench.ws.store.read_parquet(layout.selections(language))
    taken = rows.filter(pl.col("origin") == "auxiliary")
    assert cells["added"]["tokens"].sum() == taken["supervised_tokens"].sum()
    assert cells["added_for"]["texts"].sum() == taken.height


def test_the_notebook_can_only_read(cells):
    from compass_core.errors import InputError

    with pytest.raises(InputError, match="read-only"):
        cells["ask"]("CREATE TABLE x AS SELECT 1")
