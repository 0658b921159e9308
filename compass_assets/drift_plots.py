"""The picture on the page of a drift report: every report so far, against chance."""

import base64
import io

import polars as pl


def history_plot(history: pl.DataFrame) -> str:
    """Divergence by day with the band that chance alone fills (records.DRIFT), as inline PNG.

    Empty text where nothing was measured yet.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    measured = history.filter(pl.col("jsd_bits").is_not_null()).sort("window_last_day")
    if not measured.height:
        return ""
    figure, axes = plt.subplots(figsize=(8, 2.8), dpi=90)
    texts = ("exceeded by chance in 5 % of looks", "divergence from the anchor")
    for _, part in measured.group_by("adapter_version", maintain_order=True):
        days = part["window_last_day"].to_list()
        band, line = texts
        axes.fill_between(days, 0, part["null_95_bits"], color="#c9d3e3", alpha=0.8, label=band)
        axes.plot(days, part["jsd_bits"], color="#2f6fde", marker="o", markersize=3, label=line)
        name = part["adapter_version"][0]
        axes.annotate(name, (days[0], 0.01), xycoords=("data", "axes fraction"), fontsize=7)
        texts = ("_nolegend_", "_nolegend_")  # one entry for all versions
    drifted = measured.filter(pl.col("verdict") == "drift")
    if drifted.height:
        axes.plot(
            drifted["window_last_day"],
            drifted["jsd_bits"],
            "o",
            color="#c8372d",
            markersize=6,
            label="drift",
        )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("bits")
    axes.legend(fontsize=8, loc="upper left")
    figure.autofmt_xdate(rotation=30)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return f"![drift](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
