"""What a query prints: columns while they can be read, else records."""

import io

import polars as pl
from rich.console import Console

from compass_assets.cli.table import MOST_ROWS, print_rows


def printed(frame: pl.DataFrame, width: int) -> list[str]:
    out = io.StringIO()
    print_rows(frame, "rows", Console(file=out, width=width, highlight=False))
    return [line.rstrip() for line in out.getvalue().splitlines()]


WIDE = pl.DataFrame({f"column_{i:02d}": [i / 3, i / 7] for i in range(10)})


def test_what_fits_is_a_table_and_what_does_not_is_a_record_for_each_row():
    assert any("column_00" in line and "column_09" in line for line in printed(WIDE, 140))
    narrow = printed(WIDE, 60)
    assert "column_07  2.333" in narrow
    assert "column_07  1" in narrow
    assert sum(line.startswith("row ") for line in narrow) == 2
    assert not any("…" in line for line in narrow)


def test_a_long_text_is_wrapped_in_its_column_and_nothing_of_it_is_lost():
    frame = pl.DataFrame({"n": [1], "text": ["maji safi " * 20]})
    lines = printed(frame, 60)
    assert not any(line.startswith("row ") for line in lines)
    assert sum(line.count("maji") for line in lines) == 20


def test_wide_scripts_count_by_the_places_they_take():
    frame = pl.DataFrame({f"c{i}": ["人工智能"] for i in range(6)})
    assert any(line.startswith("row ") for line in printed(frame, 60))
    assert not any(line.startswith("row ") for line in printed(frame, 70))


def test_markup_in_a_cell_is_text():
    assert any(
        "[bold]a[/bold]" in line for line in printed(pl.DataFrame({"t": ["[bold]a[/bold]"]}), 80)
    )


def test_rows_that_are_not_shown_are_said():
    many = pl.DataFrame({"n": range(MOST_ROWS + 5)})
    assert (
        printed(many, 80)[-1] == f"the first {MOST_ROWS} of {MOST_ROWS + 5} rows; --json prints all"
    )
    assert "--json" not in "\n".join(printed(many.head(MOST_ROWS), 80))


def test_no_rows_still_name_their_columns():
    empty = pl.DataFrame({f"c{i}": [] for i in range(20)})
    assert any("c0" in line for line in printed(empty, 60))
