"""The pool as columns of numbers: about 40 bytes a row, and no Python loop over rows."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from compass_core.hashing import hash64

# Vectors f32[m, d] of rows at positions int64[m] of the pool.
VectorSource = Callable[[np.ndarray], np.ndarray]

REASONS = (
    "",
    "in_benchmark",
    "in_training_corpus",
    "off_target",
    "duplicate",
    "near_duplicate",
    "near_training_corpus",
    "no_demand",
    "language_cap",
    "beyond_budget",
)
CODE = {name: code for code, name in enumerate(REASONS)}


@dataclass
class Pool:
    """Columns of n rows, in the order of the frame; nothing depends on that order."""

    key: np.ndarray  # uint64[n], random by row id and seed; decides between equals
    text: np.ndarray  # uint64[n], the same for the same text
    cluster: np.ndarray  # int32[n], place in the gap report of the cluster's host; -1: none
    language: np.ndarray  # int16[n], place in `languages`
    similarity: np.ndarray  # f32[n], cosine to the nearest centroid
    amount: np.ndarray  # int64[n], supervised tokens or 1: the budget's unit
    languages: list[str]  # L tags, sorted
    reason: np.ndarray = field(init=False)  # uint8[n], a code of REASONS
    # int32[n], position of the row that it repeats, in the corpus where the reason says so; -1
    twin: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.reason = np.zeros(len(self.key), dtype=np.uint8)
        self.twin = np.full(len(self.key), -1, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.key)

    def drop(self, where: np.ndarray, reason: str) -> None:
        """Mark rows (bool[n] or positions); an earlier reason stays."""
        rows = np.flatnonzero(where) if where.dtype == bool else where
        open_ = rows[self.reason[rows] == 0]
        self.reason[open_] = CODE[reason]

    def open(self) -> np.ndarray:
        """Positions int64[m] of rows without a reason against them."""
        return np.flatnonzero(self.reason == 0)

    def by_language(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Sums f64[L] of values[m] over the languages of rows[m]."""
        return np.bincount(self.language[rows], weights=values, minlength=len(self.languages))


def read_pool(frame: pl.DataFrame, hosts: dict[int, int], unit: str, seed: int) -> Pool:
    """Columns of a frame with row_id, row_language, cluster_id, similarity, supervised_tokens and
    text_hash (or content_hash). `hosts` maps cluster ids to places."""
    languages = sorted(frame["row_language"].unique().to_list())
    codes = pl.DataFrame(
        {"row_language": languages, "code": np.arange(len(languages), dtype=np.int16)},
        schema={"row_language": pl.String, "code": pl.Int16},
    )
    places = pl.DataFrame(
        {"cluster_id": list(hosts), "place": list(hosts.values())},
        schema={"cluster_id": pl.Int64, "place": pl.Int32},
    )
    cluster = frame.select(pl.col("cluster_id").cast(pl.Int64)).join(
        places, on="cluster_id", how="left", maintain_order="left"
    )["place"]
    language = frame.select(pl.col("row_language").cast(pl.String)).join(
        codes, on="row_language", how="left", maintain_order="left"
    )["code"]
    texts = frame["text_hash" if "text_hash" in frame.columns else "content_hash"]
    tokens = frame["supervised_tokens"].cast(pl.Int64).to_numpy()
    return Pool(
        key=hash64(frame["row_id"], seed),
        text=texts.to_numpy() if texts.dtype == pl.UInt64 else hash64(texts),
        cluster=cluster.fill_null(-1).to_numpy(),
        language=language.to_numpy(),
        similarity=frame["similarity"].cast(pl.Float32).to_numpy(),
        amount=tokens if unit == "tokens" else np.ones(frame.height, dtype=np.int64),
        languages=languages,
    )


def drop_unfit(
    pool: Pool,
    contaminated: np.ndarray,
    training_texts: np.ndarray,
    off_target: np.ndarray,
) -> None:
    """Mark rows that can never be chosen. Of rows with one text, the one of lowest key stays.

    `contaminated`, `off_target` bool[n]; `training_texts` uint64[m]. Cost: one sort of the pool.
    """
    pool.drop(contaminated, "in_benchmark")
    held = np.unique(training_texts)
    if held.size:
        at = np.minimum(np.searchsorted(held, pool.text), len(held) - 1)
        pool.drop(held[at] == pool.text, "in_training_corpus")
    pool.drop(off_target, "off_target")
    rows = pool.open()
    rows = rows[np.lexsort((pool.key[rows], pool.text[rows]))]
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = pool.text[rows[1:]] == pool.text[rows[:-1]]
    first = rows[np.maximum.accumulate(np.where(again, 0, np.arange(len(rows))))]
    pool.twin[rows[again]] = first[again]
    pool.drop(rows[again], "duplicate")
