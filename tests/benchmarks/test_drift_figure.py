"""The figure of the drift benchmark shows what its table says: nothing is drawn where it says 0."""

from pathlib import Path

import polars as pl
import pytest
from matplotlib import pyplot as plt

from benchmarks.drift_figure import draw, draw_detection, draw_false_alarms

TABLE = Path(__file__).parent.parent.parent / "benchmarks" / "drift_results" / "summary.csv"


@pytest.fixture
def rows():
    return pl.read_csv(TABLE)


@pytest.fixture
def panels():
    figure, made = plt.subplots(2)
    yield made
    plt.close(figure)


def test_no_alarms_have_no_bar_but_a_zero(rows, panels):
    axes = panels[0]
    quiet = rows.filter(pl.col("kind") == "none")
    draw_false_alarms(axes, quiet)
    heights = [bar.get_height() for bar in axes.patches]
    shown = quiet.filter(~pl.col("rule").is_in(["bonferroni", "tuned_bits"]))
    assert sorted(heights) == sorted(shown["false_alarm_percent"].to_list())
    assert [text.get_text() for text in axes.texts] == ["0"] * heights.count(0.0)
    assert heights.count(0.0) > 0
    axes.figure.canvas.draw()
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks[:2] == ["20 clusters\n40 a day", "20 clusters\n40 a day\nbursts"]


def test_delays_have_an_axis_of_their_own(rows, panels):
    draw_detection(*panels, rows)
    found, delay = panels
    assert len(found.lines) == len(delay.lines) == 4
    assert list(delay.lines[0].get_ydata()) == [5.0, 3.0, 1.0]
    assert not [*found.texts, *delay.texts]  # labels at the points lay on each other


def test_the_ground_is_transparent(rows, tmp_path):
    draw(rows, tmp_path / "drift.png")
    image = plt.imread(tmp_path / "drift.png")
    assert image[0, 0, 3] == 0
    assert not plt.get_fignums()
