"""Assigning more rows than vectors fit in memory: one pass over the stored vectors."""

from collections.abc import Callable

import numpy as np
import polars as pl

from compass_core.clusters.assign import assign
from compass_core.clusters.model import ClusterModel
from compass_core.embeddings.key_index import KeyIndex
from compass_core.embeddings.vector_store import VectorStore
from compass_core.errors import StoreError
from compass_core.progress import Progress

FETCH_ROWS = 20_000  # up to here vectors are picked by key
SCAN_ROWS = 65_536  # vectors in memory at a time beyond
Report = Callable[[str], None]


def assign_stored(
    model: ClusterModel,
    vectors: VectorStore,
    table: str,
    fingerprint: str,
    hashes: pl.Series,
    noise: str,
    report: Report = lambda text: None,
) -> pl.DataFrame:
    """cluster_id, similarity, noise, off_target of rows in their order, by their content hashes.

    Memory: for each row its hash, 16 bytes to find it by and 14 of the answer; never more than
    65,536 vectors. Raises StoreError with the number of rows that have no vector.
    """
    if len(hashes) <= FETCH_ROWS:
        found = vectors.fetch(table, fingerprint, hashes.to_list())
        return _columns(model, found, noise) if len(hashes) else _columns_of_none(model)
    index = KeyIndex(hashes)
    answer = {
        column.name: np.zeros(len(hashes), dtype=column.to_numpy().dtype)
        for column in _columns_of_none(model)
    }
    known = np.zeros(len(hashes), dtype=bool)
    names: list[pl.Series] = []
    blocks: list[np.ndarray] = []
    held = placed = 0
    progress = Progress(report, table, vectors.count(table, fingerprint), "vectors assigned")

    def flush() -> None:
        nonlocal held, placed
        if held:
            columns = _columns(model, _stacked(blocks), noise)
            rows, places = index.find(pl.concat(names))
            for name, values in answer.items():
                values[places] = columns[name].to_numpy()[rows]
            known[places] = True
        placed += held
        progress.at(placed)
        held = 0
        names.clear()
        blocks.clear()

    for keys, block in vectors.scan(table, fingerprint):
        names.append(keys)
        blocks.append(block)
        held += len(block)
        if held >= SCAN_ROWS:
            flush()
    flush()
    lost = hashes.filter(~known).n_unique()
    if lost:
        raise StoreError(
            f"{lost} texts have no vector in {table}_{fingerprint}; "
            "materialize the embeddings of this corpus first"
        )
    return pl.DataFrame(answer)


def _columns(model: ClusterModel, vectors: np.ndarray, noise: str) -> pl.DataFrame:
    placed = assign(model, vectors, noise)
    return pl.DataFrame(
        {
            "cluster_id": placed.cluster_ids,
            "similarity": placed.similarity,
            "noise": placed.noise,
            "off_target": placed.off_target,
        }
    )


def _columns_of_none(model: ClusterModel) -> pl.DataFrame:
    return _columns(model, np.zeros((0, model.centroids.shape[1]), dtype=np.float32), "nearest")


def _stacked(blocks: list[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
