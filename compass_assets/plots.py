"""Pictures for asset pages, as inline PNG in Markdown: nothing is fetched to show them."""

import base64
import io

import polars as pl


def gap_plot(gaps: pl.DataFrame, most: int = 24) -> str:
    """p_usage beside p_training for the clusters that matter most; readable on light and dark."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    top = gaps.sort(pl.max_horizontal("p_usage", "p_training"), descending=True).head(most)
    top = top.sort("gap")
    height = max(2.0, 0.26 * top.height + 0.9)
    figure, axes = plt.subplots(figsize=(8, height), dpi=90)
    places = range(top.height)
    axes.barh([p + 0.2 for p in places], top["p_usage"], height=0.38, color="#2f6fde")
    axes.barh([p - 0.2 for p in places], top["p_training"], height=0.38, color="#e0912f")
    # Titles are in many scripts and the default font has few of them: ids are always legible.
    axes.set_yticks(list(places), [f"cluster {c}" for c in top["cluster_id"]], fontsize=8)
    axes.set_xlabel("share")
    axes.legend(["asked (p_usage)", "trained on (p_training)"], fontsize=8, loc="lower right")
    axes.set_title("What is asked against what is covered, largest gap on top", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return f"![gaps](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
