"""Every query of docs/analysts.md runs on a real store, and says what the tables say."""

import html
import re
from pathlib import Path

import polars as pl
import pytest

from compass_core import layout

PAGE = Path(__file__).parent.parent.parent / "docs" / "analysts.md"
BLOCK = re.compile(r"### (?P<title>\d+\. [^\n]+)\n(?P<text>.*?)```sql\n(?P<sql>.*?)```", re.DOTALL)
QUESTIONS = {match["title"]: match for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}


def answer(bench, number: int) -> pl.DataFrame:
    match = next(m for title, m in QUESTIONS.items() if title.startswith(f"{number}. "))
    return bench.query(match["sql"])


def test_there_are_questions_and_none_was_lost_on_the_way():
    text = PAGE.read_text(encoding="utf-8")
    assert len(QUESTIONS) == len(re.findall(r"^### \d+\.", text, re.MULTILINE)) >= 20


def test_every_question_has_an_answer(bench):
    empty = [
        title
        for title, match in QUESTIONS.items()
        if not bench.query(match["sql"]).height and "may be empty" not in match["text"]
    ]
    assert empty == []


def shell_queries(text: str) -> list[str]:
    return [sql for sql in re.findall(r'compass query "([^"]+)"', text) if sql != "SQL"]


def queries(text: str) -> list[str]:
    """SQL of a page: fenced, as an argument of `compass query`, or a span of the running text."""
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    spans = [" ".join(span.split()) for span in re.findall(r"`((?:SELECT|WITH)\s[^`]+)`", rest)]
    return [
        *re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE),
        *shell_queries(text),
        *spans,
    ]


ROOT = PAGE.parent.parent
OTHERS = [p for p in (*PAGE.parent.rglob("*.md"), *ROOT.glob("*.md")) if p != PAGE]


def test_queries_on_other_pages_and_at_the_shell_run_as_well(bench):
    found = [(page.name, sql) for page in OTHERS for sql in queries(page.read_text("utf-8"))]
    found += [(PAGE.name, sql) for sql in shell_queries(PAGE.read_text("utf-8"))]
    assert {name for name, _ in found} >= {"README.md", "tutorial.md", "drift.md", "analysts.md"}
    for name, sql in found:
        # The page about another language asks for it; the small project does not have it.
        assert bench.query(sql.replace("language = 'yo'", "language = 'sw'")).height, (name, sql)


def test_sql_that_is_set_as_something_else_would_not_be_run():
    for page in (PAGE, *OTHERS):
        fenced = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
        assert not [text for kind, text in fenced if kind != "sql" and text.startswith("SELECT")]


def test_the_first_gap_is_the_largest_of_the_report(bench):
    report = bench.ws.store.read_parquet(layout.gaps("sw"))
    assert answer(bench, 1)["gap"][0] == report["gap"].max()


def test_a_gap_beyond_doubt_is_one_that_somebody_asked_about(bench):
    report = bench.ws.store.read_parquet(layout.gaps("sw"))
    unasked = pl.col("usage_rows") == 0
    spared = report.with_columns(
        p_training=pl.when(unasked).then(0.0).otherwise("p_training"),
        gap=pl.when(unasked).then("p_usage").otherwise("gap"),
    )
    silent = report.filter(unasked)["title"].to_list()
    assert silent
    bench.ws.store.write_parquet(layout.gaps("sw"), spared)
    for number in (1, 3):
        found = answer(bench, number)
        assert found.height
        assert not set(found.filter(pl.col("usage_rows") == 0)["title"])
    asked = spared.filter(~unasked & (pl.col("p_usage_low") > pl.col("p_training")))
    said = answer(bench, 3).filter(pl.col("language") == "sw")
    assert set(said["title"]) == set(asked["title"])


def test_a_gap_that_the_pool_cannot_fill_needs_more_than_there_is(bench):
    key = layout.gaps("sw")
    report = bench.ws.store.read_parquet(key)
    gap = answer(bench, 1)["title"][0]
    full = report.with_columns(pool_tokens=pl.lit(10**9))
    bench.ws.store.write_parquet(key, full)
    assert not answer(bench, 4).filter(pl.col("language") == "sw").height
    missing = pl.when(pl.col("title") == gap).then(7).otherwise("pool_tokens")
    bench.ws.store.write_parquet(key, full.with_columns(pool_tokens=missing))
    row = answer(bench, 4).filter(pl.col("language") == "sw").row(0, named=True)
    cluster = report.filter(pl.col("title") == gap).row(0, named=True)
    held, budget = report["training_tokens"].sum(), 300
    assert (row["title"], row["unit"], row["available"]) == (gap, "tokens", 7)
    assert row["needed"] == round(
        cluster["p_usage"] * (held + budget) - cluster["p_training"] * held
    )


def test_tokens_by_language_add_up_to_the_sample(bench):
    said = answer(bench, 10).filter(pl.col("language") == "hi")
    rows = bench.ws.store.read_parquet(layout.selections("hi"))
    taken = rows.filter(pl.col("origin") == "auxiliary")
    assert said["tokens"].sum() == taken["supervised_tokens"].sum()
    assert said["texts"].sum() == taken.height


def test_the_cost_of_a_point_is_what_the_adapter_cost_over_what_it_gained(bench):
    row = answer(bench, 18).filter(pl.col("language") == "ar").row(0, named=True)
    scores = bench.ws.store.read_parquet(layout.scores("ar", row["version"]))
    by_model = dict(scores.group_by("model").agg(pl.col("correct").mean()).iter_rows())
    points = 100 * (by_model["adapter"] - by_model["base"])
    assert row["points"] == pytest.approx(points)
    sample = bench.ws.store.read_parquet(layout.samples("ar"))
    assert row["bought"] == sample["spent"][0] > 0
    assert row["trained_tokens"] > row["bought"]  # the corpus is trained on as well
    if points:
        assert row["trained_tokens_per_point"] == pytest.approx(row["trained_tokens"] / points)
        assert row["bought_per_point"] == pytest.approx(row["bought"] / points)


def test_a_sample_that_nobody_was_trained_on_is_no_versions_cost(bench):
    resources = {"project": {"config": {"override": {"sampling": {"budget": 50}}}}}
    assert bench.run(
        "bootstrap_language", "ar", ["sampled_training_set"], resources=resources
    ).success
    row = answer(bench, 18).filter(pl.col("language") == "ar").row(0, named=True)
    assert row["bought"] is None
    assert row["trained_tokens"] > 0


def test_worsened_coverage_is_found_where_it_was_put(bench):
    key = layout.gaps_history("sw")
    history = bench.ws.store.read_parquet(key)
    covered = history.filter(pl.col("coverage") > 0).sort("cluster_id").head(1)
    earlier = covered.with_columns(
        pl.col("usage_last_day") - pl.duration(days=1), coverage=pl.col("coverage") + 0.25
    )
    bench.ws.store.write_parquet(key, pl.concat([history, earlier]))
    found = answer(bench, 6)
    assert found.select("title", "before", "coverage").rows() == [
        (covered["title"][0], earlier["coverage"][0], covered["coverage"][0])
    ]


def test_the_page_of_a_language_stands_in_the_store(bench):
    page = bench.ws.store.read_bytes(layout.report("hi")).decode()
    report = bench.ws.store.read_parquet(layout.gaps("hi"))
    assert html.escape(report.sort("gap", descending=True)["title"][0]) in page
    assert bench.dagster_state("language_report", "hi") == "fresh"
