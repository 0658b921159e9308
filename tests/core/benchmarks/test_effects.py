import polars as pl
import pytest

from compass_core.benchmarks.effects import EFFECTS, effects_plot, strategy_effects
from compass_core.benchmarks.stats import wilson_interval


def runs(**values):
    return pl.DataFrame(
        [
            {"strategy": name, "language": "sw" if i < 3 else "hi", "seed": i % 3, "accuracy": v}
            for name, column in values.items()
            for i, v in enumerate(column)
        ]
    )


TABLE = runs(
    random=[0.50, 0.52, 0.54, 0.40, 0.42, 0.44],
    aimed=[0.60, 0.63, 0.66, 0.50, 0.53, 0.56],
    idle=[0.50, 0.51, 0.55, 0.40, 0.43, 0.43],
)


def row(frame, name):
    return frame.row(by_predicate=pl.col("strategy") == name, named=True)


def test_effects_by_hand():
    found = strategy_effects(TABLE, "random")
    assert found.schema == EFFECTS
    assert found["strategy"][0] == "aimed"
    aimed = row(found, "aimed")
    assert (aimed["runs"], aimed["pairs"]) == (6, 6)
    assert aimed["difference"] == pytest.approx(0.11)
    assert aimed["p_value"] == pytest.approx(2 / 64)
    assert aimed["p_holm"] == pytest.approx(4 / 64)
    assert aimed["cohens_d"] == pytest.approx(0.11 / 0.0089443, rel=1e-3)
    assert row(found, "idle")["p_holm"] == pytest.approx(1.0)
    assert row(found, "random")["difference"] is None


def test_pairs_are_matched_by_key_and_not_by_place():
    shuffled = TABLE.sample(fraction=1.0, shuffle=True, seed=3)
    one = strategy_effects(TABLE, "random").sort("strategy")
    assert strategy_effects(shuffled, "random").sort("strategy").equals(one)


def test_a_missing_run_drops_its_pair_only():
    short = TABLE.filter(~((pl.col("strategy") == "aimed") & (pl.col("seed") == 2)))
    aimed = row(strategy_effects(short, "random"), "aimed")
    assert (aimed["runs"], aimed["pairs"]) == (4, 4)
    assert aimed["difference"] == pytest.approx(0.105)


def test_blocks_are_exchanged_together():
    found = strategy_effects(TABLE, "random", block=["language"])
    assert row(found, "aimed")["p_value"] == pytest.approx(2 / 4)


def test_one_seed_gives_no_d():
    single = TABLE.filter((pl.col("seed") == 0) & (pl.col("language") == "sw"))
    aimed = row(strategy_effects(single, "random"), "aimed")
    assert aimed["cohens_d"] is None
    assert aimed["p_value"] == 1.0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="allowed are aimed, idle, random"):
        strategy_effects(TABLE, "nobody")
    with pytest.raises(ValueError, match="two runs of one strategy"):
        strategy_effects(pl.concat([TABLE, TABLE]), "random")


def test_the_picture_is_a_png_with_every_strategy():
    png = effects_plot(TABLE, strategy_effects(TABLE, "random"), line=("base", 0.4))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(png) < 150_000


@pytest.fixture
def drawn(monkeypatch):
    """The figure as it is before it is closed."""
    from matplotlib import pyplot as plt

    kept = []
    close = plt.close
    monkeypatch.setattr(plt, "close", kept.append)
    yield kept
    for figure in kept:
        close(figure)


def bars(figure):
    """strategy -> ends of its bar."""
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    return {names[round(line.get_ydata()[0])]: list(line.get_xdata()) for line in axes.lines}


def test_one_run_has_a_bar_over_items_and_the_axis_says_so(drawn):
    single = TABLE.filter((pl.col("seed") == 0) & (pl.col("language") == "sw"))
    single = single.with_columns(pl.lit(400).alias("items"))
    effects_plot(single, strategy_effects(single, "random"))
    low, high = wilson_interval(240, 400)
    assert bars(drawn[0])["aimed"] == pytest.approx([100 * low, 100 * high])
    assert "95 % over items" in drawn[0].axes[0].get_xlabel()


def test_several_runs_have_a_bar_over_runs(drawn):
    table = TABLE.with_columns(pl.lit(400).alias("items"))
    effects = strategy_effects(table, "random")
    effects_plot(table, effects)
    aimed = row(effects, "aimed")
    assert bars(drawn[0])["aimed"] == pytest.approx([100 * aimed["low"], 100 * aimed["high"]])
    assert "95 % of the mean" in drawn[0].axes[0].get_xlabel()


def test_without_items_one_run_promises_no_interval(drawn):
    single = TABLE.filter((pl.col("seed") == 0) & (pl.col("language") == "sw"))
    effects_plot(single, strategy_effects(single, "random"))
    assert "no interval" in drawn[0].axes[0].get_xlabel()


def test_the_axis_label_is_inside_the_picture(drawn):
    """The longest label that the experiments use."""
    label = "accuracy on held-out items, per cent, language means removed"
    effects_plot(TABLE, strategy_effects(TABLE, "random"), label=label)
    (figure,) = drawn
    figure.canvas.draw()
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= 0
