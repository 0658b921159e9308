import polars as pl

from compass_core import layout
from compass_core.stages.fertility import fertility_finding, training_fertility
from compass_core.stages.sampling import select_language
from tests.core.stages.test_sampling import text_rows, ws  # noqa: F401


def table(times):
    return pl.DataFrame(
        [
            {"language": "en", "tokens_per_word": 1.5, "times_english": 1.0},
            {"language": "sw", "tokens_per_word": 1.5 * (times or 1), "times_english": times},
        ],
        schema_overrides={"times_english": pl.Float64},
    )


def test_far_above_english_is_a_warning_that_says_what_to_do():
    found = fertility_finding(table(3.0), "sw", 2.0)
    assert (found.passed, found.figure, found.threshold) == (False, 3.0, 2.0)
    assert found.text == "4.5 tokens a word, 3.0 times English"
    assert "adapter.max_tokens" in found.todo
    fine = fertility_finding(table(1.9), "sw", 2.0)
    assert (fine.passed, fine.todo) == (True, "")
    assert fine.text == "2.8 tokens a word, 1.9 times English"
    assert fertility_finding(table(None), "sw", 2.0).passed
    assert fertility_finding(table(3.0), "hi", 2.0).passed


def test_english_comes_from_the_pool_where_the_training_set_has_none(ws):  # noqa: F811
    rows = select_language(ws, "sw")[0]
    own = rows.filter(pl.col("row_language") == "sw")
    measured = training_fertility(ws, "sw", own)
    assert measured["language"].to_list() == ["en", "sw"]
    assert measured.filter(pl.col("language") == "en")["texts"].to_list() == [20]
    assert measured["times_english"].null_count() == 0
    nobody = training_fertility(ws, "sw", rows.clear())
    assert nobody["language"].to_list() == ["en"]  # nobody asked anything in Swahili either


def test_the_same_rows_are_measured_in_any_order(ws, monkeypatch):  # noqa: F811
    monkeypatch.setattr("compass_core.stages.fertility.ROWS", 5)
    rows = select_language(ws, "sw")[0]
    ws.store.write_parquet(
        layout.corpus("auxiliary", "en"), text_rows("en", [f"other {i}" for i in range(9)], "MIT")
    )
    one = training_fertility(ws, "sw", rows)
    assert one.equals(training_fertility(ws, "sw", rows.reverse()))
    assert one["texts"].max() == 5
