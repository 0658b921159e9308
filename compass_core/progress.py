"""How far a long step is, and how long the rest will take, in the run's log."""

import time
from collections.abc import Callable

EVERY_S = 5.0


class Progress:
    """Lines of the form `label: 120 of 400 items, 35 s left`, at most one every few seconds.

    The rest is taken to go as fast as what was done since this object was made.
    """

    def __init__(
        self,
        report: Callable[[str], None],
        label: str,
        total: int,
        what: str,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report, self._label, self._total, self._what = report, label, total, what
        self._every_s, self._clock = every_s, clock
        self._started = self._told = clock()

    def at(self, done: int, more: str = "") -> None:
        """`done` of the total are finished; says so if the last line is old or this is the end."""
        now = self._clock()
        if done < self._total and now - self._told < self._every_s:
            return
        self._told = now
        left_s = (now - self._started) / max(1, done) * (self._total - done)
        rest = f", {_time(left_s)} left" if done < self._total else ""
        tail = f", {more}" if more else ""
        self._report(f"{self._label}: {done} of {self._total} {self._what}{tail}{rest}")


def _time(seconds: float) -> str:
    """Whole seconds up to two minutes, then minutes, from two hours on hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
