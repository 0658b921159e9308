"""The replay buffer: a small part of what was learnt, spread as it was asked about."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from compass_core.adapters.chat import Example
from compass_core.hashing import unit_key
from compass_core.sampling.allocate import round_largest_remainder, waterfill


@dataclass(frozen=True)
class Buffer:
    """`rows`: the rows to replay. `unserved`: share of usage in clusters without any row."""

    rows: pl.DataFrame
    clusters: int
    unserved: float


def anchored_buffer(
    history: pl.DataFrame, usage_rows: Mapping[int, float], share: float, seed: int
) -> Buffer:
    """A part of `history` (row_id, cluster_id, ...) whose clusters are spread as usage was.

    `usage_rows` (cluster id -> prompts) is the distribution that the adapter was made for. The
    buffer has `share` of the rows, rounded, and never fewer than one row of each cluster that is
    asked about and has any; clusters with too few rows give what they have and the others fill
    up. Rows are taken by a key of their id: the same ones in any order of the history, and a
    larger share only adds.
    """
    counts = dict(history.group_by("cluster_id").len().iter_rows())
    asked = sorted(c for c, n in usage_rows.items() if n > 0)
    served = [c for c in asked if counts.get(c, 0) > 0]
    total = sum(usage_rows[c] for c in asked)
    unserved = 1.0 - sum(usage_rows[c] for c in served) / total if total else 0.0
    if share <= 0 or not served:
        return Buffer(history.clear(), 0, unserved)
    available = np.array([counts[c] for c in served], dtype=np.float64)
    p = np.array([usage_rows[c] for c in served], dtype=np.float64)
    size = min(int(available.sum()), max(len(served), round(share * history.height)))
    # One each first; the rest brings the whole closest to usage.
    held = np.ones(len(served))
    more = waterfill(p / p.sum(), held, available - held, size - len(served))
    quota = 1 + round_largest_remainder(more, available - held, size - len(served))
    keyed = history.with_columns(
        pl.Series("_key", [unit_key(r, seed, "replay") for r in history["row_id"]])
    ).sort("_key", "row_id")
    parts = [
        keyed.filter(pl.col("cluster_id") == cluster).head(int(n))
        for cluster, n in zip(served, quota, strict=True)
    ]
    return Buffer(pl.concat(parts).drop("_key").sort("row_id"), len(served), unserved)


def plan_replay(buffer: list[Example], steps: int, per_step: int, seed: int) -> list[list[int]]:
    """Positions into the buffer for each step: every row once a round, each round in a new order.

    Where the buffer is smaller than `per_step`, a step has each row once.
    """
    if not buffer:
        return [[] for _ in range(steps)]
    size = min(per_step, len(buffer))
    order: list[int] = []
    turn = 0
    while len(order) < steps * size:
        keys = [unit_key(e.row_id, seed, f"replay-{turn}") for e in buffer]
        order += sorted(range(len(buffer)), key=lambda i: (keys[i], buffer[i].row_id))
        turn += 1
    return [order[i * size : (i + 1) * size] for i in range(steps)]
