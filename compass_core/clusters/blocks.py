"""Matrix products in blocks, the same to the last bit for any number of threads.

A BLAS that splits one product over threads may sum in another order with another number of them.
So each block is one single-threaded product of a fixed size, and threads share out the blocks.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

BLOCK_ROWS = 1_024  # × 384 floats: 1.5 MB, stays in the cache with its similarities


@lru_cache(maxsize=1)
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@contextmanager
def workers() -> Iterator[int]:
    """How many threads may be used: those that BLAS had (OMP_NUM_THREADS), which gets one each."""
    allowed = max([1, *(int(library["num_threads"]) for library in _blas().info())])
    with _blas().limit(limits=1):
        yield allowed


def over_blocks(rows: int, work: Callable[[int, int], None], size: int = BLOCK_ROWS) -> None:
    """Call `work(start, stop)` for consecutive blocks; each writes to its own part of the result.

    An exception of any block is raised here.
    """
    edges = [(start, min(start + size, rows)) for start in range(0, rows, size)]
    with workers() as count:
        if count == 1 or len(edges) <= 1:
            for start, stop in edges:
                work(start, stop)
            return
        with ThreadPoolExecutor(min(count, len(edges))) as pool:
            list(pool.map(lambda edge: work(*edge), edges))


def exact_cosines(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Row-wise products f64[n] of f32[n, d] and f32[n, d], summed in one fixed order."""
    products = vectors.astype(np.float64) * points
    return np.asarray(products.sum(axis=1), dtype=np.float64)
