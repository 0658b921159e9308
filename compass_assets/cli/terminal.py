"""The console that all commands print to."""

import os
import sys

from rich.console import Console

PIPED_COLUMNS = 160


def terminal(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; in a pipe or a log, wide enough for whole column names."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED_COLUMNS
    return Console(stderr=stderr, highlight=False, width=width)
