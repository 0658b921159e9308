"""Every drift report of a language, against what chance alone would give."""

from typing import Any

import polars as pl

from compass_assets.plots.style import QUIET, USAGE, WARN, nothing, picture


def drift_plot(history: pl.DataFrame) -> str:
    """Divergence by day with the band that chance alone fills; `history` is records.DRIFT."""
    return picture("drift", lambda axes: draw_drift(axes, history), height_in=2.8)


def draw_drift(axes: Any, history: pl.DataFrame) -> None:
    measured = history.filter(pl.col("jsd_bits").is_not_null()).sort("window_last_day")
    if not measured.height:
        nothing(axes, "no report had enough prompts since the adapter was trained")
        return
    for _, part in measured.group_by("adapter_version", maintain_order=True):
        days = part["window_last_day"].to_list()
        axes.fill_between(days, 0, part["null_95_bits"], color=QUIET, alpha=0.3, lw=0)
        axes.plot(days, part["null_95_bits"], "_", color=QUIET, ms=8)  # a day alone has no band
        axes.plot(days, part["null_mean_bits"], color=QUIET, lw=1, ls="--")
        axes.plot(days, part["jsd_bits"], color=USAGE, marker="o", ms=3)
        name = part["adapter_version"][0]
        axes.annotate(name, (days[0], 0.01), xycoords=("data", "axes fraction"), fontsize=7)
    drifted = measured.filter(pl.col("verdict") == "drift")
    axes.plot(drifted["window_last_day"], drifted["jsd_bits"], "o", color=WARN, ms=6)
    band, mean, line, alarm = (
        axes.fill_between([], [], color=QUIET, alpha=0.3, lw=0),
        axes.plot([], [], color=QUIET, lw=1, ls="--")[0],
        axes.plot([], [], color=USAGE, marker="o", ms=3)[0],
        axes.plot([], [], "o", color=WARN, ms=6)[0],
    )
    axes.legend(
        [line, alarm, mean, band],
        ["measured", "verdict: drift", "chance alone, mean", "95 % of looks at chance alone"],
        fontsize=8,
        ncols=2,
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("divergence, bits")
    axes.figure.autofmt_xdate(rotation=30)
    axes.set_title("Usage against what the serving adapter was trained for")
