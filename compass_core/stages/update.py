"""How the adapter of a language is trained this time: from zero, or on from what serves; and why.

An update trains on the rows of the training set that the serving version has not learnt, itself
or through the versions that it was trained on from. The set is water-filled as for a full
training, with the training corpus alone counted as held. So the updated version has learnt every
row that a full training would have learnt, and is fresh on the same data.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import lineage, memory_dir, serving
from compass_core.gaps.report import weighed_counts
from compass_core.hashing import unit_key
from compass_core.stages import frames
from compass_core.workspace import Workspace

Mode = Literal["full", "ecda"]
KEY = ["row_id", "prompt", "response", "earlier_turns"]
HISTORY_FILE = "history.parquet"


@dataclass(frozen=True)
class TrainingPlan:
    """`rows` are trained on; `history` (records.HISTORY) is what will have been learnt then.

    `usage_rows` (cluster -> prompts) is the usage that it was learnt for: this version's own
    window and, in an update, that of the versions before it. In a blend dev items count as
    usage.proxy_weight says, so it may be parts of a prompt. `parent_usage_rows` is without the
    present window.
    """

    mode: Mode
    reason: str
    parent: str | None
    rows: pl.DataFrame
    history: pl.DataFrame
    usage_rows: dict[int, float]
    parent_history: pl.DataFrame = field(default_factory=lambda: records.empty(records.HISTORY))
    parent_usage_rows: dict[int, float] = field(default_factory=dict)
    withdrawn_rows: int = 0


def plan_training(ws: Workspace, language: str, asked: Literal["full", "update"]) -> TrainingPlan:
    """Decide; reads the training set, and the memory of the serving version. Trains nothing."""
    chosen = ws.store.read_parquet(layout.training_set(language, "parquet"))
    parent = serving(ws.store, language)
    folder = memory_dir(ws.store, language, parent) if parent else None
    learnt = records.empty(records.HISTORY) if folder is None else read_history(folder)
    anchor = _anchor(ws, language)
    asked_about = [cluster for cluster, prompts in anchor.items() if prompts > 0]
    share = ws.project.continual.held_out_share
    rows = with_held(records.widened(chosen, records.SELECTIONS), share, learnt, asked_about)
    present = records.conform(rows, records.HISTORY)
    trained = rows.filter(~pl.col("held"))

    def full(reason: str) -> TrainingPlan:
        return TrainingPlan("full", reason, None, trained, present, anchor)

    mode = ws.project.continual.mode
    if mode == "full" or (mode == "auto" and asked == "full"):
        return full("trained from zero, as asked for")
    if parent is None:
        return full("trained from zero: no version serves yet")
    if folder is None:
        return full(f"trained from zero: {parent} was made before versions kept a memory")
    strange = _difference(ws, folder)
    if strange:
        return full(f"trained from zero: {parent} cannot be trained on, {strange}")
    still = _still_there(ws, language, learnt)
    withdrawn = learnt.height - still.height
    allowed = ws.project.continual.max_withdrawn_share
    if withdrawn > allowed * learnt.height:
        return full(
            f"trained from zero: {withdrawn} of {learnt.height} rows that {parent} has learnt "
            f"left the corpora or changed (continual.max_withdrawn_share is {allowed:g})"
        )
    new = trained.join(still.filter(~pl.col("held")), on=KEY, how="anti", nulls_equal=True)
    if not new.height:
        return full(f"trained from zero: no row of the training set is new to {parent}")
    before = {int(c): n for c, n in _record(ws, language, parent)["history_usage_rows"].items()}
    older = _placed_now(ws, language, still.join(present, on=KEY, how="anti", nulls_equal=True))
    return TrainingPlan(
        "ecda",
        f"updated from {parent} on {new.height} rows that are new to it",
        parent,
        new,
        pl.concat([older, present]).sort("row_id", "prompt", "response"),
        {c: before.get(c, 0) + anchor.get(c, 0) for c in sorted({*before, *anchor})},
        still,
        before,
        withdrawn,
    )


def read_history(folder: Path) -> pl.DataFrame:
    """What a version has learnt (records.HISTORY), from the folder of its memory."""
    return records.widened(pl.read_parquet(folder / HISTORY_FILE), records.HISTORY)


def with_held(
    rows: pl.DataFrame, share: float, before: pl.DataFrame, asked_about: Collection[int]
) -> pl.DataFrame:
    """Adds `held`: by a key of the prompt, so that a row once held out is so in every version.

    Where no row of a cluster that is asked about has so low a key, the one with the lowest is held
    out all the same, as long as others are left: forgetting is measured on such rows, and in a
    small set the share may hit none. It is one that the serving version has not learnt (`before`
    is its records.HISTORY), and what that held out for this reason stays held out.
    """
    keys = [unit_key(content, 0, "held-out") for content in rows["content_hash"]]
    keyed = rows.with_columns(pl.Series("_key", keys, dtype=pl.Float64)).with_columns(
        (pl.col("_key") < share).alias("held")
    )
    if share == 0 or rows["content_hash"].n_unique() < 2:
        return keyed.drop("_key")
    kept = before.filter("held").with_columns(pl.lit(True).alias("_kept")).select(*KEY, "_kept")
    learnt = before.filter(~pl.col("held")).select(KEY).unique()
    marked = keyed.join(kept.unique(), on=KEY, how="left", nulls_equal=True, maintain_order="left")
    marked = marked.with_columns(pl.col("_kept").fill_null(False))
    if not marked.filter("_kept", "held").height:
        marked = marked.with_columns((pl.col("held") | pl.col("_kept")).alias("held"))
    usable = pl.col("cluster_id").is_in(list(asked_about))
    if not marked.filter(pl.col("held") & usable).height:
        new = marked.join(learnt, on=KEY, how="anti", nulls_equal=True)
        lowest = new.filter(usable).sort("_key", *KEY)["content_hash"].head(1)
        marked = marked.with_columns(
            (pl.col("held") | pl.col("content_hash").is_in(lowest.to_list())).alias("held")
        )
    return marked.drop("_key", "_kept")


def _anchor(ws: Workspace, language: str) -> dict[int, float]:
    """Prompts by cluster that the gaps were measured on, dev items as usage.proxy_weight says."""
    ids = ws.store.read_parquet(layout.gaps(language))["cluster_id"].to_list()
    placed = ws.store.read_parquet(layout.assignments(language), ["role", "cluster_id"])
    counts = dict.fromkeys(("usage", "proxy"), np.zeros(0))
    for role in counts:
        found = dict(placed.filter(pl.col("role") == role).group_by("cluster_id").len().iter_rows())
        counts[role] = np.array([found.get(cluster, 0) for cluster in ids], dtype=np.float64)
    weighed = weighed_counts(counts["usage"], counts["proxy"], ws.project.usage)
    whole = [int(n) if n.is_integer() else round(n, 6) for n in weighed.tolist()]
    return dict(zip(ids, whole, strict=True))


def _record(ws: Workspace, language: str, version: str) -> dict[str, Any]:
    return lineage(ws.store, language, version)


def _difference(ws: Workspace, folder: Any) -> str | None:
    import json

    from compass_core.adapters.anchor import FACTS, difference, identity_of
    from compass_core.adapters.model_folder import base_fingerprint

    kept = json.loads((folder / FACTS).read_text(encoding="utf-8"))["identity"]
    fingerprint = base_fingerprint(ws.project.base_model, ws.directory)
    return difference(kept, identity_of(ws.project.base_model, fingerprint, ws.project.adapter))


def _still_there(ws: Workspace, language: str, learnt: pl.DataFrame) -> pl.DataFrame:
    """Rows that the corpora still hold, word for word."""
    corpus = frames.training_rows(ws, language).select(KEY)
    now = pl.concat([corpus, frames.pool_rows(ws, language, KEY).select(KEY)])
    return learnt.join(now.unique(), on=KEY, how="semi", nulls_equal=True)


def _placed_now(ws: Workspace, language: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with their clusters of today; those that have none keep the one that they had."""
    placed = ws.store.read_parquet(layout.assignments(language)).select(
        pl.col("role").alias("origin"), "row_id", pl.col("cluster_id").alias("now")
    )
    joined = rows.join(placed, on=["origin", "row_id"], how="left")
    return records.conform(
        joined.with_columns(pl.coalesce("now", "cluster_id").alias("cluster_id")), records.HISTORY
    )
