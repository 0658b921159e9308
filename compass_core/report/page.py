"""One self-contained HTML file a language: why stale, what is missing, what was added, did it help.

Nothing is fetched to show it: the drawing library (plotly.js, about 4.5 MB) is inside, so it can be
mailed or opened without a network.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.gaps.covered import under_covered
from compass_core.languages import display_name
from compass_core.report.figures import figures
from compass_core.report.gather import LanguageData

TEMPLATE = Path(__file__).with_name("page.html.j2")
TOP = 15


def render(data: LanguageData, made_at: datetime | None = None) -> str:
    """The page as HTML. Every text from data is escaped."""
    from jinja2 import Environment
    from plotly.offline import get_plotlyjs

    drawn = {
        name: figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"figure-{name}",
            config={"scrollZoom": name == "map", "displaylogo": False, "responsive": True},
        )
        for name, figure in figures(data).items()
    }
    environment = Environment(autoescape=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    days = data.gaps.select("usage_first_day", "usage_last_day")
    moment = made_at or datetime.now(UTC)
    return template.render(
        name=display_name(data.language),
        language=data.language,
        made_at=f"{moment:%Y-%m-%d %H:%M}",
        first_day=days["usage_first_day"].min() or "no logs",
        last_day=days["usage_last_day"].max() or "no logs",
        plotly_js=get_plotlyjs(),
        cards=_cards(data),
        sections=_sections(data, drawn),
    )


def _cards(data: LanguageData) -> list[tuple[str, str]]:
    adapter = data.status.filter(pl.col("asset") == "adapter")
    state = "not trained yet"
    if adapter.height:
        row = adapter.row(0, named=True)
        state = row["state"] + (f": {', '.join(row['causes'])}" if row["causes"] else "")
    named = {
        "What is missing": "gap_report",
        "What was added": "sampled_training_set",
        "Did it help": "benchmark_scores",
        "May it serve": "promoted_adapter",
    }
    told = [(title, data.summaries.get(asset, "not there yet")) for title, asset in named.items()]
    return [("Is it up to date", state), *told]


def _sections(data: LanguageData, drawn: dict[str, str]) -> list[dict[str, Any]]:
    gaps = under_covered(data.gaps).head(TOP)
    sections = [
        _section(
            "What is missing",
            "Large circles are clusters: size is what is asked, red is what is not covered. Drag "
            "to move, scroll to zoom, point at a dot to read it. Places come from a projection to "
            "two dimensions; no figure is computed from it.",
            [drawn.get("map"), drawn.get("gaps")],
            gaps.select("title", "gap", "p_usage", "p_training", "usage_rows", "pool_rows"),
        ),
        _section(
            "What was added",
            "Supervised tokens by cluster: the training corpus, and what was sampled from each "
            "language of the pool.",
            [drawn.get("composition")],
        ),
        _section(
            "Did it help",
            "The same held-out items for every model, with 95 % intervals: base model, adapter "
            "versions, and adapters of other sampling strategies where they were compared.",
            [drawn.get("scores"), drawn.get("training")],
        ),
        _section(
            "Has usage moved",
            "Divergence of recent usage from what the serving adapter was trained for, against "
            "what chance alone gives.",
            [drawn.get("drift")],
            data.drift.select(
                "window_last_day",
                "window_rows",
                "jsd_bits",
                "null_95_bits",
                "novel_share",
                "verdict",
            ).tail(TOP),
        ),
        _section(
            "Versions",
            "How much higher the loss is on held-out rows of what the version before was made for "
            "(below 0: nothing was forgotten), and right answers by subject: a line that falls is "
            "a subject that a later version forgot.",
            [drawn.get("forgetting"), drawn.get("versions")],
            data.versions.select(
                "version", "parent", "status", "method", "rank", "training_rows", "created_at"
            ),
        ),
    ]
    return [section for section in sections if section["figures"] or section["rows"]]


def _section(
    title: str, text: str, drawn: list[str | None], table: pl.DataFrame | None = None
) -> dict[str, Any]:
    shown = pl.DataFrame() if table is None else table
    columns = [name.replace("_", " ") for name in shown.columns]
    numeric = [c for c, name in zip(columns, shown.columns, strict=True) if _is_number(shown, name)]
    return {
        "title": title,
        "text": text,
        "figures": [figure for figure in drawn if figure],
        "columns": columns,
        "numeric": numeric,
        "rows": [list(zip(columns, map(_cell, row), strict=True)) for row in shown.iter_rows()],
    }


def _is_number(frame: pl.DataFrame, name: str) -> bool:
    return frame[name].dtype.is_numeric()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)
