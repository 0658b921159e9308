"""Pictures show what the tables say: bars, points and bands are checked, not pixels."""

import base64
from datetime import date

import numpy as np
import polars as pl
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from compass_assets.plots.cluster_map import cluster_map_plot, draw_cluster_map, luminance, plane
from compass_assets.plots.composition import composition, composition_plot, draw_composition
from compass_assets.plots.coverage import coverage, coverage_plot, draw_coverage
from compass_assets.plots.curves import curves_plot, draw_curves, running_mean
from compass_assets.plots.drift import draw_drift, drift_plot
from compass_assets.plots.forgetting import draw_forgetting, forgetting_plot
from compass_assets.plots.gaps import draw_gaps, gap_plot, standing
from compass_assets.plots.names import cluster_name
from compass_assets.plots.scores import draw_scores, scores_plot
from compass_assets.plots.style import MIX, WARN, per_cent
from compass_core.stages.retention import FORGETTING

DRIFT = pl.DataFrame(
    {
        "adapter_version": ["v0001", "v0001", "v0002"],
        "window_last_day": [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 9)],
        "jsd_bits": [0.05, 0.3, 0.04],
        "null_mean_bits": [0.04, 0.04, 0.03],
        "null_95_bits": [0.08, 0.09, 0.07],
        "verdict": ["no_drift", "drift", "no_drift"],
    }
)
FORGOTTEN = pl.DataFrame(
    [
        ("v0002", "v0001", 9, 0.05, -0.1, 0.2, 1.0, 0.15),
        ("v0003", "v0002", 9, 0.30, 0.2, 0.4, 1.0, 0.15),
    ],
    FORGETTING,
    orient="row",
)
PNG = b"\x89PNG\r\n"
GAPS = pl.DataFrame(
    {
        "cluster_id": [3, 7, 9],
        "title": ["bei · mahindi", "चिकित्सक", "shule"],
        "p_usage": [0.6, 0.4, 0.0],  # a merged cluster's row holds zeros
        "p_training": [0.2, 0.8, 0.0],
        "gap": [0.4, 0.0, 0.0],
        "p_usage_low": [0.5, 0.3, 0.0],
        "p_usage_high": [0.7, 0.5, 0.0],
        "pool_rows": [10, 30, 60],
        "merged_into": [None, None, 7],
    }
)
SELECTED = pl.DataFrame(
    {
        "cluster_id": [7, 9, 9, 3, 3],
        "origin": ["training", "training", "training", "auxiliary", "auxiliary"],
        "row_language": ["sw", "sw", "sw", "en", "pt"],
        "supervised_tokens": [10, 10, 20, 30, 10],
    }
)
SCORES = pl.DataFrame(
    {
        "suite": ["qa", "qa"],
        "model": ["v0002", "base"],
        "kind": ["version", "base"],
        "accuracy": [0.8, 0.5],
        "low": [0.7, 0.4],
        "high": [0.9, 0.6],
    }
)


@pytest.fixture
def axes():
    figure, made = plt.subplots()
    yield made
    plt.close(figure)


def contrast(one, two) -> float:
    """WCAG's, from 1 to 21."""
    light, dark = sorted((luminance(to_rgb(one)), luminance(to_rgb(two))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def widths(axes) -> list[float]:
    return [bar.get_width() for bar in axes.patches]


def test_every_picture_is_an_inline_png() -> None:
    centroids = np.eye(3, 5)
    pictures = [
        gap_plot(GAPS),
        coverage_plot(GAPS, SELECTED, "tokens"),
        composition_plot(GAPS, SELECTED),
        curves_plot({"task": [1.0, 0.5]}),
        scores_plot(SCORES),
        cluster_map_plot(centroids, np.array([3, 7, 9]), GAPS),
        curves_plot({}),
        scores_plot(SCORES.clear()),
        drift_plot(DRIFT),
        drift_plot(DRIFT.clear()),
        forgetting_plot(FORGOTTEN),
        forgetting_plot(FORGOTTEN.clear()),
    ]
    for markdown in pictures:
        head, data = markdown.removesuffix(")").split("base64,")
        assert head.startswith("![")
        assert base64.b64decode(data).startswith(PNG)
    assert len(set(pictures)) == len(pictures)
    assert not plt.get_fignums()  # a daemon that leaves figures open runs out of memory


def test_gaps_put_the_largest_on_top_and_count_what_was_merged(axes) -> None:
    draw_gaps(axes, standing(GAPS))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    # The font has no Devanagari.
    assert labels == ["cluster 7 + 1 merged", "bei · mahindi (3)"]
    assert widths(axes)[:2] == [0.4, 0.6]  # asked, from below
    marks = [line for line in axes.lines if line.get_marker() == "|"]
    assert list(marks[-1].get_xdata()) == [0.9, 0.1]  # of the pool, merged ones included


def test_coverage_compares_the_corpus_with_the_whole_mix(axes) -> None:
    shares = coverage(GAPS, SELECTED, "tokens")
    assert shares["cluster_id"].to_list() == [3, 7]  # 9 was merged into 7
    assert shares["before"].to_list() == [0.0, 1.0]
    assert shares["after"].to_list() == [0.5, 0.5]
    assert coverage(GAPS, SELECTED, "rows")["after"].to_list() == pytest.approx([0.4, 0.6])
    draw_coverage(axes, shares)
    before, after = axes.lines[:2]
    assert list(before.get_ydata()) == [0.0, 1.0]
    assert list(after.get_ydata()) == [0.5, 0.5]


def test_composition_stacks_the_corpus_below_the_sample(axes) -> None:
    parts = composition(GAPS, SELECTED)
    assert parts["cluster_id"].unique().sort().to_list() == [3, 7]  # 9 was merged into 7
    assert parts.filter(pl.col("cluster_id") == 3).rows() == [(3, "en", 30), (3, "pt", 10)]
    draw_composition(axes, parts, dict(GAPS.select("cluster_id", "title").iter_rows()))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["cluster 7", "bei · mahindi (3)"]
    assert axes.get_legend_handles_labels()[1] == ["corpus", "en", "pt"]
    tops = [max(bar.get_y() + bar.get_height() for bar in c) for c in axes.containers]
    assert max(tops) == 40  # the tokens of cluster 3


def test_composition_names_the_rest_others(axes) -> None:
    many = pl.DataFrame(
        {
            "cluster_id": [1] * 14,
            "origin": ["auxiliary"] * 14,
            "row_language": [f"l{i:02}" for i in range(14)],
            "supervised_tokens": list(range(20, 6, -1)),
        }
    )
    draw_composition(axes, composition(GAPS, many), {})
    labels = axes.get_legend_handles_labels()[1]
    assert labels[-1] == "others"
    heights = [bar.get_height() for container in axes.containers for bar in container]
    assert sum(heights) == sum(range(7, 21))  # nobody's tokens are lost


def test_curves_show_each_term_and_its_mean(axes) -> None:
    assert running_mean([4.0, 2.0, 0.0], 2) == [4.0, 3.0, 1.0]
    draw_curves(axes, {"task": [4.0, 2.0], "replay": [], "penalty": [0.1, 0.2]})
    assert axes.get_legend_handles_labels()[1] == ["task", "penalty"]
    assert list(axes.lines[0].get_ydata()) == [4.0, 2.0]


def test_scores_have_their_intervals(axes) -> None:
    draw_scores(axes, SCORES)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["qa, base", "qa, v0002"]
    bars = axes.containers[1].lines[2][0].get_segments()[0]
    assert [round(x) for x in bars[:, 0]] == [70, 90]


def test_drift_shows_each_version_and_marks_its_alarms(axes) -> None:
    draw_drift(axes, DRIFT)
    assert [text.get_text() for text in axes.texts] == ["v0001", "v0002"]
    measured = [line for line in axes.lines if len(line.get_ydata()) and line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in measured] == [[0.05, 0.3], [0.04], [0.3]]
    assert measured[-1].get_color() == WARN
    tops = [band.get_paths()[0].vertices[:, 1].max() for band in axes.collections[:2]]
    assert tops == [0.09, 0.07]  # the band of chance


def test_a_version_that_forgot_too_much_stands_out(axes) -> None:
    draw_forgetting(axes, FORGOTTEN)
    marks = [part.lines[0] for part in axes.containers]
    assert [(list(m.get_ydata()), m.get_color()) for m in marks] == [([0.05], MIX), ([0.3], WARN)]
    bars = axes.containers[0].lines[2][0].get_segments()[0]
    assert [round(y, 6) for y in bars[:, 1]] == [-0.1, 0.2]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["v0002\nafter v0001", "v0003\nafter v0002"]


def test_pictures_are_legible_on_light_and_on_dark_pages() -> None:
    """WCAG's contrast of every colour, on white and on the UI's dark ground: at least 3 to 1."""
    from compass_assets.plots import style
    from compass_core.report import figures

    page_colours = [figures.BLUE, figures.ORANGE, figures.GREEN, figures.RED, figures.INK]
    page_colours += [*figures.ROLE_COLOURS.values(), *figures.KIND_COLOURS.values()]
    weak = {
        (colour, ground): round(contrast(colour, ground), 2)
        for colour in {*style.MANY, style.TEXT, *page_colours}
        for ground in ("#ffffff", "#0f1115")
        if contrast(colour, ground) < 3.0
    }
    assert not weak


def test_the_map_keeps_near_clusters_near(axes) -> None:
    centroids = np.array([[1, 0, 0, 0], [0.9, 0.1, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    points = plane(centroids)
    near = np.linalg.norm(points[0] - points[1])
    assert near < 0.3 * np.linalg.norm(points[0] - points[2])
    assert np.array_equal(points, plane(centroids))
    draw_cluster_map(axes, points, np.array([3, 7, 9]), GAPS)
    sizes = axes.collections[0].get_sizes()
    assert list(np.argsort(sizes)) == [2, 1, 0]  # by usage
    assert [text.get_text() for text in axes.texts] == ["3", "7", "9"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["bei · mahindi (3)"]


def test_the_numbers_on_the_map_stand_out_from_their_dots(axes) -> None:
    """From the darkest to the lightest gap: WCAG's contrast of at least 4.5 to 1."""
    ids = np.arange(40)
    gaps = pl.DataFrame(
        {"cluster_id": ids, "title": ["x"] * 40, "p_usage": [0.025] * 40, "gap": ids / 40}
    )
    draw_cluster_map(axes, plane(np.eye(40)), ids, gaps)
    dots = axes.collections[0]
    assert dots.get_alpha() is None  # or the page would shine through
    found = [
        contrast(tuple(colour), text.get_color())
        for colour, text in zip(dots.get_facecolors(), axes.texts, strict=True)
    ]
    assert len(found) == 40
    assert min(found) >= 4.5


def test_shares_are_in_per_cent(axes) -> None:
    per_cent(axes.xaxis)
    axes.set_xlim(0, 0.3)
    axes.figure.canvas.draw()
    texts = [label.get_text() for label in axes.get_xticklabels()]
    assert {"0 %", "5 %", "30 %"} <= set(texts)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("bei · mahindi", "bei · mahindi (10)"),
        ("inavujisha · kufunguliwa · pampu", "inavujisha · kufunguliwa (10)"),
        ("a" * 40, "a" * 25 + "… (10)"),
        ("bei · $5 · $9", r"bei · \$5 · \$9 (10)"),  # else a formula
        ("चिकित्सक · gusutu", "cluster 10"),
        ("سعر · ذرة", "cluster 10"),  # the font has the letters, not how they join
        ("", "cluster 10"),
        (None, "cluster 10"),
    ],
)
def test_a_cluster_has_its_title_where_it_can_be_drawn(title, name) -> None:
    assert cluster_name(10, title) == name


def test_the_map_of_one_cluster(axes) -> None:
    draw_cluster_map(axes, plane(np.ones((1, 4))), np.array([3]), GAPS)
    assert len(axes.collections[0].get_offsets()) == 1
