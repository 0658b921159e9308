"""A notebook for analysts: gaps, coverage, samples, scores and drift of one language after another.

    .venv/bin/marimo edit notebooks/languages.py     # change it
    .venv/bin/marimo run notebooks/languages.py      # look at it
    .venv/bin/python notebooks/languages.py          # run every cell and show nothing

It reads the views of compass.duckdb, read-only, of the project that COMPASS_PROJECT names or that
lies in this folder or above it. The tests run it on a small project.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="COMPASS: languages")


@app.cell
def _():
    import marimo as mo
    import plotly.graph_objects as go
    import polars as pl

    from compass_assets.location import find_project
    from compass_core.warehouse import catalogue_path, ensure_catalogue, query
    from compass_core.workspace import Workspace

    return Workspace, catalogue_path, ensure_catalogue, find_project, go, mo, pl, query


@app.cell
def _(Workspace, catalogue_path, ensure_catalogue, find_project, pl, query):
    _ws = Workspace.open(find_project())
    catalogue = ensure_catalogue(_ws.store, catalogue_path(_ws.store, _ws.directory))

    def ask(sql: str) -> pl.DataFrame:
        """The answer of the views to one statement; nothing can be written."""
        return query(catalogue, sql)

    return ask, catalogue


@app.cell
def _(ask, catalogue, mo):
    languages = ask("SELECT DISTINCT language FROM gaps ORDER BY language")["language"].to_list()
    mo.stop(
        not languages,
        mo.md(
            f"`{catalogue}` holds no gap report yet. Run `compass materialize`, then this again."
        ),
    )
    chosen = mo.ui.dropdown(languages, value=languages[0], label="Language")
    mo.vstack([mo.md("# What a language lacks, what it was given, and whether it helped"), chosen])
    return chosen, languages


@app.cell
def _(ask, chosen, mo):
    state = ask(
        f"""
        SELECT asset, state, causes, since, materialized_at FROM staleness
        WHERE language = '{chosen.value}' ORDER BY state DESC, asset
        """
    )
    _adapter = state.filter(asset="adapter")
    _said = "not trained yet" if not _adapter.height else _adapter["state"][0]
    mo.vstack([mo.md(f"## Is it up to date?\n\nThe adapter is **{_said}**."), mo.ui.table(state)])
    return (state,)


@app.cell
def _(ask, chosen, go, mo):
    gaps = ask(
        f"""
        SELECT title, cluster_id, gap, p_usage, p_usage_low, p_usage_high, p_training, usage_rows,
               pool_rows
        FROM gaps_top WHERE language = '{chosen.value}' ORDER BY gap DESC LIMIT 15
        """
    )
    _names = [
        f"{title} · {cluster}" for title, cluster in gaps.select("title", "cluster_id").rows()
    ]
    gaps_figure = go.Figure()
    gaps_figure.add_bar(
        y=_names,
        x=gaps["p_usage"].to_list(),
        orientation="h",
        name="asked",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (gaps["p_usage_high"] - gaps["p_usage"]).to_list(),
            "arrayminus": (gaps["p_usage"] - gaps["p_usage_low"]).to_list(),
        },
    )
    gaps_figure.add_bar(
        y=_names, x=gaps["p_training"].to_list(), orientation="h", name="trained on"
    )
    gaps_figure.update_layout(
        height=160 + 34 * len(_names), yaxis_autorange="reversed", xaxis_tickformat=".0%"
    )
    mo.vstack(
        [
            mo.md(
                "## What is missing?\n\nThe largest gaps: share of usage less share of training."
            ),
            gaps_figure,
            mo.ui.table(gaps),
        ]
    )
    return gaps, gaps_figure


@app.cell
def _(ask, go, languages, mo, pl):
    # Of a week, the last report counts: later days make the window fuller.
    coverage = ask(
        """
        WITH report AS (
          SELECT language, usage_last_day, 1 - sum(gap) AS covered, any_value(jsd_bits) AS jsd_bits
          FROM gaps_history GROUP BY language, usage_last_day
        )
        SELECT language, date_trunc('week', usage_last_day)::DATE AS week, usage_last_day, covered,
               jsd_bits
        FROM report
        QUALIFY row_number() OVER (PARTITION BY language, week ORDER BY usage_last_day DESC) = 1
        ORDER BY language, week
        """
    )
    coverage_figure = go.Figure()
    for _language in languages:
        _mine = coverage.filter(pl.col("language") == _language)
        coverage_figure.add_scatter(
            x=_mine["week"].to_list(),
            y=_mine["covered"].to_list(),
            mode="lines+markers",
            name=_language,
        )
    coverage_figure.update_layout(
        height=320, yaxis={"tickformat": ".0%", "title": "usage that training covers"}
    )
    mo.vstack(
        [
            mo.md(
                "## Coverage over weeks\n\nShare of usage that training covers, 1 − Σ gap, "
                f"by the week of the window's last day ({coverage['week'].n_unique()} so far)."
            ),
            coverage_figure,
            mo.ui.table(coverage),
        ]
    )
    return coverage, coverage_figure


@app.cell
def _(ask, chosen, mo):
    sample = ask(f"SELECT * FROM samples WHERE language = '{chosen.value}'")
    added = ask(
        f"""
        SELECT row_language, count(*) AS texts, sum(supervised_tokens) AS tokens
        FROM selections WHERE language = '{chosen.value}' AND origin = 'auxiliary'
        GROUP BY ALL ORDER BY tokens DESC, row_language
        """
    )
    added_for = ask(
        f"""
        SELECT g.title, g.gap, count(*) AS texts, sum(s.supervised_tokens) AS tokens,
               first(s.why ORDER BY s.rank) AS why_the_first
        FROM selections s JOIN gaps own USING (language, cluster_id)
        JOIN gaps g ON g.language = s.language
            AND g.cluster_id = coalesce(own.merged_into, own.cluster_id)
        WHERE s.language = '{chosen.value}' AND s.origin = 'auxiliary'
        GROUP BY ALL ORDER BY tokens DESC
        """
    )
    mo.vstack(
        [
            mo.md("## What did the last sample add?"),
            mo.ui.table(sample),
            mo.md("From which languages:"),
            mo.ui.table(added),
            mo.md("For which topics:"),
            mo.ui.table(added_for),
        ]
    )
    return added, added_for, sample


@app.cell
def _(ask, chosen, go, mo):
    scores = ask(
        f"""
        SELECT suite, coalesce(adapter_version, 'base') AS model, items, accuracy, accuracy_low,
               accuracy_high
        FROM scores_summary WHERE language = '{chosen.value}'
        ORDER BY suite, adapter_version NULLS FIRST
        """
    )
    _names = [f"{suite}, {model}" for suite, model in scores.select("suite", "model").rows()]
    scores_figure = go.Figure()
    scores_figure.add_bar(
        x=_names,
        y=scores["accuracy"].to_list(),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (scores["accuracy_high"] - scores["accuracy"]).to_list(),
            "arrayminus": (scores["accuracy"] - scores["accuracy_low"]).to_list(),
        },
    )
    scores_figure.update_layout(height=320, yaxis={"tickformat": ".0%", "rangemode": "tozero"})
    mo.vstack(
        [
            mo.md(
                "## Did it help?\n\nRight answers on held-out items, with Wilson's 95 % interval."
            ),
            scores_figure,
            mo.ui.table(scores),
        ]
    )
    return scores, scores_figure


@app.cell
def _(ask, chosen, go, mo):
    drift = ask(
        f"""
        SELECT adapter_version, window_last_day, window_rows, jsd_bits, null_mean_bits,
               null_95_bits, p_month, verdict, reason
        FROM drift WHERE language = '{chosen.value}' ORDER BY window_last_day, adapter_version
        """
    )
    _known = drift.drop_nulls("jsd_bits")
    _days = _known["window_last_day"].to_list()
    drift_figure = go.Figure()
    drift_figure.add_scatter(
        x=_days, y=_known["null_95_bits"].to_list(), name="chance alone, 95 %", fill="tozeroy"
    )
    drift_figure.add_scatter(
        x=_days, y=_known["jsd_bits"].to_list(), name="measured", mode="lines+markers"
    )
    drift_figure.update_layout(height=320, yaxis={"title": "bits", "rangemode": "tozero"})
    mo.vstack(
        [
            mo.md(
                "## Has usage moved?\n\nDivergence from the usage that the serving adapter was "
                f"trained for. {_known.height} of {drift.height} reports had enough data."
            ),
            drift_figure if _known.height else mo.md("Nothing to draw yet."),
            mo.ui.table(drift),
        ]
    )
    return drift, drift_figure


if __name__ == "__main__":
    app.run()
