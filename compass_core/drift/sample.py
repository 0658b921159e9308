"""Prompts as the drift test sees them: which cell each is in, and who wrote it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

ALONE = -1  # a prompt of an unknown user, who counts as a user of their own


@dataclass(frozen=True)
class Sample:
    """`cells` int64[n] in 0..C-1 and `users` int64[n]; a user has one number in both samples.

    Cells are the clusters in the order of the model and, last, everything outside them.
    """

    cells: np.ndarray
    users: np.ndarray
    cell_count: int

    @classmethod
    def from_counts(cls, counts: np.ndarray) -> "Sample":
        """Rows of unknown users from counts int64[C] by cell."""
        cells = np.repeat(np.arange(len(counts)), counts)
        return cls(cells, np.full(len(cells), ALONE), len(counts))

    @property
    def rows(self) -> int:
        return len(self.cells)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows int64[C] by cell."""
        return np.bincount(self.cells, minlength=self.cell_count)


def number_users(
    window: list[str | None], anchor: list[str | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Users of two samples as numbers int64 that agree between them; None becomes ALONE."""
    names = {name: i for i, name in enumerate(sorted({*window, *anchor} - {None}))}  # type: ignore[type-var]
    window_users, anchor_users = (
        np.array([ALONE if name is None else names[name] for name in rows], dtype=np.int64)
        for rows in (window, anchor)
    )
    return window_users, anchor_users
