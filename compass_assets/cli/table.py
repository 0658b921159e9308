"""Rows in the terminal: a table, or where its columns would be crushed, record after record."""

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compass_assets.cli.terminal import terminal

READABLE = 24  # columns of the terminal that a wide cell needs, wrapped, to be read at all
MOST_ROWS = 200


def print_rows(frame: pl.DataFrame, title: str, console: Console | None = None) -> None:
    """Prints at most 200 rows, and says so where there are more.

    A table as long as every column gets its own width or 24 places, whichever is less; beyond,
    a line for each value, as `psql` does with `\\x auto`.
    """
    console = console or terminal()
    shown = frame.head(MOST_ROWS)
    cells = [[_cell(value) for value in row] for row in shown.iter_rows()]
    table = _table(shown, cells, title)
    if _least_width(shown.columns, cells) <= console.width:
        console.print(table)
    else:
        _print_records(shown.columns, cells, title, console)
    if frame.height > MOST_ROWS:
        console.print(f"the first {MOST_ROWS} of {frame.height} rows; --json prints all")


def _table(frame: pl.DataFrame, cells: list[list[str]], title: str) -> Table:
    table = Table(title=title)
    for name in frame.columns:
        table.add_column(name, justify="right" if frame[name].dtype.is_numeric() else "left")
    for row in cells:
        table.add_row(*(Text(text) for text in row))
    return table


def _least_width(names: list[str], cells: list[list[str]]) -> int:
    """Places that a table needs so that no column is narrower than it is readable."""
    widths = [
        max(_width(text) for text in (name, *(row[place] for row in cells)))
        for place, name in enumerate(names)
    ]
    return sum(min(width, READABLE) + 3 for width in widths) + 1


def _width(text: str) -> int:
    return max((Text(line).cell_len for line in text.splitlines()), default=0)


def _print_records(names: list[str], cells: list[list[str]], title: str, console: Console) -> None:
    console.print(title if cells else f"{title}: {', '.join(names)}")
    for place, row in enumerate(cells, start=1):
        console.rule(f"row {place}", align="left")
        record = Table.grid(padding=(0, 2))
        for name, text in zip(names, row, strict=True):
            record.add_row(Text(name), Text(text))
        console.print(record)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
