"""Which version serves: a new one takes over when the evidence allows it."""

from dataclasses import dataclass

import polars as pl

from compass_core import layout
from compass_core.adapters.registry import promote, serving
from compass_core.benchmarks.stats import paired_comparison
from compass_core.workspace import Workspace


@dataclass(frozen=True)
class Gate:
    """`difference_points`: candidate minus reference on the same items, with its interval."""

    promoted: bool
    reason: str
    reference: str  # version that serves, or base
    difference_points: float
    low_points: float
    high_points: float
    p_value: float


def decide(ws: Workspace, language: str, candidate: str) -> Gate:
    """Compare the candidate with the serving version (or the base model) on the same items.

    It is promoted unless it loses more than `promotion.margin_points`. Writes the registry.
    """
    margin = ws.project.promotion.margin_points
    now = ws.store.read_parquet(layout.scores(language, candidate))
    current = serving(ws.store, language)
    keys = ["suite", "item_id"]
    mine = now.filter(pl.col("model") == "adapter").select(*keys, pl.col("correct").alias("new"))
    if current is None or current == candidate:
        reference = "base"
        other = now.filter(pl.col("model") == "base")
    else:
        reference = current
        other = ws.store.read_parquet(layout.scores(language, current)).filter(
            pl.col("model") == "adapter"
        )
    both = mine.join(other.select(*keys, pl.col("correct").alias("old")), on=keys).sort(keys)
    if not both.height:
        reason = f"no benchmark item of {language} was scored for both {candidate} and {reference}"
        return Gate(False, reason, reference, 0.0, 0.0, 0.0, 1.0)
    compared = paired_comparison(
        both["new"].to_numpy(), both["old"].to_numpy(), seed=ws.project.seed
    )
    allowed = compared.difference_points >= -margin
    reason = (
        f"{candidate} against {reference}: {compared.difference_points:+.1f} points on "
        f"{both.height} items, margin {margin:g}"
    )
    if allowed and current != candidate:
        promote(ws.store, language, candidate, reason)
    return Gate(
        allowed,
        reason,
        reference,
        compared.difference_points,
        compared.low_points,
        compared.high_points,
        compared.p_value,
    )
