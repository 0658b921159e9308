"""Pictures for asset pages, as inline PNG in Markdown: nothing is fetched to show them."""

import base64
import io

import polars as pl


def gap_plot(gaps: pl.DataFrame, most: int = 24) -> str:
    """p_usage with its interval, p_training and the share of the pool, for the clusters that matter
    most; readable on light and dark. A merged cluster is in the bar of the one it is merged into.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    host = pl.coalesce("merged_into", "cluster_id")
    pool = gaps.group_by(host.alias("cluster_id")).agg(pl.col("pool_rows").sum(), pl.len())
    shown = (
        gaps.filter(pl.col("merged_into").is_null())
        .drop("pool_rows")
        .join(pool, on="cluster_id", maintain_order="left")
    )
    top = shown.sort(pl.max_horizontal("p_usage", "p_training"), descending=True).head(most)
    top = top.sort("gap")
    height = max(2.0, 0.26 * top.height + 0.9)
    figure, axes = plt.subplots(figsize=(8, height), dpi=90)
    places = range(top.height)
    axes.barh([p + 0.2 for p in places], top["p_usage"], height=0.38, color="#2f6fde")
    axes.errorbar(
        top["p_usage"],
        [p + 0.2 for p in places],
        xerr=[
            (top["p_usage"] - top["p_usage_low"]).clip(0),
            (top["p_usage_high"] - top["p_usage"]).clip(0),
        ],
        fmt="none",
        ecolor="#123a80",
        elinewidth=1,
    )
    axes.plot(
        top["pool_rows"] / max(1, int(gaps["pool_rows"].sum())),
        list(places),
        "|",
        color="#2a7d46",
        markersize=11,
        markeredgewidth=2,
    )
    axes.barh([p - 0.2 for p in places], top["p_training"], height=0.38, color="#e0912f")
    # Titles are in many scripts and the default font has few of them: ids are always legible.
    names = [
        f"cluster {c}" + (f" + {n - 1} merged" if n > 1 else "")
        for c, n in top.select("cluster_id", "len").iter_rows()
    ]
    axes.set_yticks(list(places), names, fontsize=8)
    axes.set_xlabel("share")
    handles = [
        Patch(color="#2f6fde", label="asked (p_usage), with its interval"),
        Patch(color="#e0912f", label="trained on (p_training)"),
        Patch(color="#2a7d46", label="share of the pool (mark)"),
    ]
    axes.legend(handles=handles, fontsize=8, loc="lower right")
    axes.set_title("What is asked against what is covered, largest gap on top", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return f"![gaps](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
