"""How far a long step is, and how long the rest will take, in the run's log."""

import time
from collections.abc import Callable

EVERY_S = 5.0
Report = Callable[[str], None]


def silent(text: str) -> None:
    """Says nothing: the report of whoever does not listen."""


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f}"


class Progress:
    """Lines of the form `label: 120 of 400 items, 35 s left`, at most one every few seconds.

    The rest is taken to go as fast as what was done since this object was made. `show` writes a
    count; `megabytes` does where bytes are counted.
    """

    def __init__(
        self,
        report: Report,
        label: str,
        total: int,
        what: str,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        show: Callable[[int], str] = str,
    ) -> None:
        self._report, self._label, self._total, self._what = report, label, total, what
        self._every_s, self._clock, self._show = every_s, clock, show
        self._started = self._told = clock()

    def at(self, done: int, more: str = "") -> None:
        """`done` of the total are finished; says so if the last line is old or this is the end."""
        now = self._clock()
        if done < self._total and now - self._told < self._every_s:
            return
        self._told = now
        left_s = (now - self._started) / max(1, done) * (self._total - done)
        rest = f", {duration(left_s)} left" if done < self._total else ""
        tail = f", {more}" if more else ""
        far = f"{self._show(done)} of {self._show(self._total)}"
        self._report(f"{self._label}: {far} {self._what}{tail}{rest}")


def duration(seconds: float) -> str:
    """Whole seconds up to two minutes, then minutes, from two hours on hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
