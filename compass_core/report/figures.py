"""Interactive figures of a language's page. Neutral ink on no ground: right on light and dark."""

import html
from typing import Any

import polars as pl

from compass_core.benchmarks.baselines import ALL, baselines
from compass_core.gaps.hosts import on_hosts, shares, standing
from compass_core.report.gather import LanguageData

INK, FAINT = "#7d8590", "rgba(125,133,144,0.25)"
BLUE, ORANGE, GREEN, RED = "#4c8dff", "#cc7722", "#3fa66b", "#d9534f"
GREY = "#7d8794"
ROLE_COLOURS = {"usage": BLUE, "proxy": "#8a63d2", "training": ORANGE, "auxiliary": GREY}
ROLE_NAMES = {
    "usage": "asked",
    "proxy": "asked (dev items)",
    "training": "trained on",
    "auxiliary": "pool",
}
KIND_COLOURS = {"base": GREY, "version": BLUE, "strategy": ORANGE}
TOP = 20


def figures(data: LanguageData) -> dict[str, Any]:
    """Plotly figures by name; those that there is no data for are left out."""
    made = {
        "map": _map(data),
        "gaps": _gaps(data),
        "composition": _composition(data),
        "scores": _scores(data),
        "training": _training(data),
        "drift": _drift(data),
        "forgetting": _forgetting(data),
        "versions": _versions(data),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def _figure(height: int, **layout: Any) -> Any:
    from plotly import graph_objects as go

    figure = go.Figure()
    axis = {"gridcolor": FAINT, "zerolinecolor": FAINT, "automargin": True}
    figure.update_layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "size": 12},
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.08, "x": 0},
        hoverlabel={"align": "left"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": BLUE},
        xaxis=axis,
        yaxis=axis,
    )
    figure.update_layout(**layout)
    return figure


def _titles(data: LanguageData) -> dict[int, str]:
    return {c: html.escape(t) for c, t in data.gaps.select("cluster_id", "title").iter_rows()}


def _map(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    if not data.cluster_map.height:
        return None
    figure = _figure(560, hovermode="closest", dragmode="pan")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    titles = _titles(data)
    for role, colour in ROLE_COLOURS.items():
        mine = data.points.filter(pl.col("role") == role)
        if not mine.height:
            continue
        texts = [
            f"{html.escape(text)}<br>{ROLE_NAMES[role]}, {language}, {titles.get(cluster, '')}"
            for text, language, cluster in mine.select(
                "text", "row_language", "cluster_id"
            ).iter_rows()
        ]
        figure.add_trace(
            go.Scattergl(
                x=mine["x"].to_list(),
                y=mine["y"].to_list(),
                mode="markers",
                marker={"size": 4, "color": colour, "opacity": 0.55},
                name=ROLE_NAMES[role],
                hovertext=texts,
                hoverinfo="text",
            )
        )
    both = data.cluster_map.join(data.gaps, on="cluster_id", how="inner")
    figure.add_trace(
        go.Scatter(
            x=both["x"].to_list(),
            y=both["y"].to_list(),
            mode="markers",
            name="clusters, by gap",
            marker={
                "size": [14 + 120 * share**0.5 for share in both["p_usage"]],
                "color": both["gap"].to_list(),
                "colorscale": [[0, "rgba(125,133,144,0.15)"], [1, "rgba(217,83,79,0.75)"]],
                "colorbar": {"title": "gap", "thickness": 10},
                "line": {"color": INK, "width": 1},
            },
            hovertext=[
                f"<b>{titles[c]}</b><br>asked {u:.1%}, trained on {t:.1%}, gap {g:.1%}<br>"
                f"{n} rows in the pool"
                for c, u, t, g, n in both.select(
                    "cluster_id", "p_usage", "p_training", "gap", "pool_rows"
                ).iter_rows()
            ],
            hoverinfo="text",
        )
    )
    return figure


def _gaps(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    if not data.gaps.height:
        return None
    after = shares(data.selections, data.gaps, data.unit)
    largest = pl.max_horizontal("p_usage", "p_training")
    top = standing(data.gaps).sort(largest, descending=True).head(TOP).sort("gap")
    # The id after the title: two clusters may have the same words.
    names = [f"{html.escape(t)} · {c}" for t, c in top.select("title", "cluster_id").iter_rows()]
    figure = _figure(120 + 26 * top.height, barmode="group")
    figure.update_xaxes(tickformat=".0%")
    asked = top["p_usage"].to_list()
    figure.add_trace(
        go.Bar(
            y=names,
            x=asked,
            orientation="h",
            name="asked (p_usage)",
            marker_color=BLUE,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (top["p_usage_high"] - top["p_usage"]).to_list(),
                "arrayminus": (top["p_usage"] - top["p_usage_low"]).to_list(),
                "color": INK,
                "thickness": 1,
            },
        )
    )
    for name, values, colour in (
        ("training corpus (p_training)", top["p_training"].to_list(), ORANGE),
        ("with the sample", [after.get(c, 0.0) for c in top["cluster_id"]], GREEN),
    ):
        figure.add_trace(go.Bar(y=names, x=values, orientation="h", name=name, marker_color=colour))
    return figure


def _composition(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    if not data.selections.height:
        return None
    titles = _titles(data)
    totals = (
        on_hosts(data.selections, data.gaps)
        .group_by("cluster_id", "origin", "row_language")
        .agg(pl.col("supervised_tokens").sum().alias("tokens"))
        .sort("cluster_id", "origin", "row_language")
    )
    order = (
        totals.group_by("cluster_id")
        .agg(pl.col("tokens").sum())
        .sort("tokens", "cluster_id", descending=[True, False])
        .head(TOP)["cluster_id"]
        .to_list()
    )
    figure = _figure(380, barmode="stack", legend={"orientation": "v", "x": 1.02, "y": 1})
    figure.update_yaxes(title="supervised tokens")
    parts = totals.select("origin", "row_language").unique(maintain_order=True)
    for origin, language in parts.sort("origin", "row_language", descending=[True, False]).rows():
        mine = totals.filter((pl.col("origin") == origin) & (pl.col("row_language") == language))
        by_cluster = dict(mine.select("cluster_id", "tokens").iter_rows())
        name = f"corpus, {language}" if origin == "training" else f"sampled, {language}"
        figure.add_trace(
            go.Bar(
                x=[f"{titles.get(c, '')} · {c}" for c in order],
                y=[by_cluster.get(c, 0) for c in order],
                name=name,
            )
        )
    return figure


def _scores(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    table = baselines(data.scores, data.comparisons, data.versions["version"].to_list())
    if not table.height:
        return None
    whole = table.filter(pl.col("suite") == ALL)
    if whole.height:
        table = whole  # by suite it stands on the asset's page
    named = {"base": "base model", "version": "adapter {}", "strategy": "strategy {}"}
    figure = _figure(320)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title="right answers")
    figure.add_trace(
        go.Bar(
            x=[named[k].format(m) for k, m in table.select("kind", "model").iter_rows()],
            y=table["accuracy"].to_list(),
            marker_color=[KIND_COLOURS[kind] for kind in table["kind"]],
            error_y=_interval(table, "accuracy"),
            name="95 % interval",
        )
    )
    return figure


def _interval(table: pl.DataFrame, middle: str) -> dict[str, Any]:
    """Whiskers from `low` to `high` around a column."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (table["high"] - table[middle]).to_list(),
        "arrayminus": (table[middle] - table["low"]).to_list(),
        "color": INK,
    }


def _training(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    if not data.losses:
        return None
    version = data.serving or max(data.losses)
    figure = _figure(320, title={"text": f"loss of {version} by term, nats per supervised token"})
    figure.update_xaxes(title="step")
    for name, values in data.losses[version].items():
        steps = list(range(1, len(values) + 1))
        figure.add_trace(go.Scatter(y=values, x=steps, mode="lines", name=name))
    return figure


def _forgetting(data: LanguageData) -> Any:
    """Rise of the loss on held-out rows of earlier usage, by version, with what is allowed."""
    from plotly import graph_objects as go

    known = data.forgetting
    if not known.height:
        return None
    names = [f"{v} after {r}" for v, r in known.select("version", "reference").iter_rows()]
    figure = _figure(320)
    figure.update_yaxes(title="rise of the loss, nats per token")
    figure.add_trace(
        go.Scatter(
            x=names,
            y=known["allowed"].to_list(),
            mode="markers",
            name="most that may be lost",
            marker={"symbol": "line-ew-open", "size": 40, "color": INK},
        )
    )
    kept = (known["rise"] <= known["allowed"]).to_list()
    figure.add_trace(
        go.Scatter(
            x=names,
            y=known["rise"].to_list(),
            mode="markers",
            name="measured, 95 % interval",
            marker={"size": 10, "color": [GREEN if passed else RED for passed in kept]},
            error_y=_interval(known, "rise"),
            hovertext=[f"{rows} held-out rows" for rows in known["rows"]],
        )
    )
    return figure


def _drift(data: LanguageData) -> Any:
    from plotly import graph_objects as go

    known = data.drift.filter(pl.col("jsd_bits").is_not_null()).sort(
        "window_last_day", "measured_at"
    )
    if not known.height:
        return None
    figure = _figure(320)
    figure.update_yaxes(title="jsd, bits", rangemode="tozero")
    days = [str(day) for day in known["window_last_day"]]
    for name, column, line in (
        ("chance alone, mean", "null_mean_bits", {"color": FAINT, "dash": "dot"}),
        ("chance alone, 95 %", "null_95_bits", {"color": FAINT}),
    ):
        fill = "tonexty" if column == "null_95_bits" else None
        figure.add_trace(
            go.Scatter(x=days, y=known[column].to_list(), name=name, line=line, fill=fill)
        )
    colours = [RED if verdict == "drift" else GREEN for verdict in known["verdict"]]
    figure.add_trace(
        go.Scatter(
            x=days,
            y=known["jsd_bits"].to_list(),
            name="measured",
            mode="lines+markers",
            line={"color": INK},
            marker={"color": colours, "size": 10},
            hovertext=[
                f"{verdict}, {rows} prompts"
                for verdict, rows in known.select("verdict", "window_rows").iter_rows()
            ],
        )
    )
    return figure


def _versions(data: LanguageData) -> Any:
    """Accuracy by subject over versions: a line that falls is a subject that was forgotten."""
    from plotly import graph_objects as go

    adapted = data.scores.filter(pl.col("model") == "adapter")
    if adapted["adapter_version"].n_unique() < 2:
        return None
    figure = _figure(360)
    figure.update_yaxes(tickformat=".0%", title="right answers by subject")
    means = (
        adapted.group_by("subject", "adapter_version")
        .agg(pl.col("correct").mean().alias("accuracy"))
        .sort("subject", "adapter_version")
    )
    for (subject,), part in means.group_by("subject", maintain_order=True):
        figure.add_trace(
            go.Scatter(
                x=part["adapter_version"].to_list(),
                y=part["accuracy"].to_list(),
                mode="lines+markers",
                name=html.escape(str(subject)),
            )
        )
    return figure
