"""What a check found: the figure, the threshold, and what to do."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One check: what was measured, against what, and what to do where it did not pass."""

    name: str
    passed: bool
    figure: float | None
    threshold: float | None
    unit: str
    text: str
    todo: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
