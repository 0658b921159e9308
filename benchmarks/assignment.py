"""Assignment of vectors to clusters: its rate beside a bare matrix product, and ten million rows.

    python -m benchmarks.assignment rate [--rows 200000 --dims 384 --clusters 100]
    python -m benchmarks.assignment stream [--rows 10000000 --dims 128 --fit-rows 100000]

`rate` alternates the product of the same shape, the project's assignment, faiss' flat index and
the product with numpy's argmax, one thread each, and prints medians of vectors per CPU second.
`stream` plants vectors in a LanceDB table block by block, fits a sample of them, assigns every row
by one pass over the table, and prints seconds and peak memory of each step.
"""

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.planted import planted
from compass_core.clusters.assign import nearest_centroid
from compass_core.clusters.fit import fit_clusters
from compass_core.clusters.stream import assign_stored
from compass_core.config.schema import Clusters
from compass_core.embeddings.vector_store import VectorStore
from compass_core.storage import Store

BLOCK = 131_072
app = typer.Typer(add_completion=False)


@app.command()
def rate(rows: int = 200_000, dims: int = 384, clusters: int = 100, repeats: int = 9) -> None:
    """Vectors per second against a bare matrix product of the same shape."""
    vectors, labels = planted(rows, dims, clusters)
    centroids = np.stack([vectors[labels == c].mean(axis=0) for c in range(clusters)])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    turned = np.ascontiguousarray(centroids.T)
    ways: dict[str, Callable[[], Any]] = {
        "bare matrix product": lambda: vectors @ turned,
        "compass: nearest_centroid": lambda: nearest_centroid(vectors, centroids),
        "product, then numpy's argmax": lambda: (vectors @ turned).argmax(axis=1),
    }
    try:
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.IndexFlatIP(dims)
        index.add(centroids)
        ways["faiss: IndexFlatIP.search"] = lambda: index.search(vectors, 1)
    except ImportError:
        print("faiss is left out: pip install -e '.[bench]'")
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with threadpool_limits(1):
        for _ in range(repeats):
            for name, way in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                way()
                taken = (time.process_time() - cpu, time.perf_counter() - wall)
                seconds[name].append(taken)
    bare = float(np.median([cpu for cpu, _ in seconds["bare matrix product"]]))
    shape = f"{rows:,} x {dims} to {clusters}"
    table = Table(title=f"{shape}, one thread, load {os.getloadavg()[0]:.1f}")
    for head in ("way", "vectors / CPU s", "of the bare product", "vectors / wall s, best"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for name, runs in seconds.items():
        middle = float(np.median([c for c, _ in runs]))
        best = min(w for _, w in runs)
        cells = (f"{rows / middle:,.0f}", f"{100 * bare / middle:.0f} %", f"{rows / best:,.0f}")
        table.add_row(name, *cells)
    Console(width=110).print(table)


@app.command()
def stream(
    rows: int = 10_000_000,
    dims: int = 128,
    clusters: int = 100,
    fit_rows: Annotated[int, typer.Option(help="Rows of the sample that is fitted.")] = 100_000,
    folder: Annotated[Path, typer.Option(help="Made, filled, removed.")] = Path("data/bench-lance"),
) -> None:
    """Fit a sample, assign all rows from LanceDB in bounded memory."""
    free = shutil.disk_usage(folder.parent if folder.parent.exists() else Path()).free
    if free < 6 * rows * dims:
        raise SystemExit(f"{folder} needs {6 * rows * dims / 1e9:.0f} GB, {free / 1e9:.0f} free")
    folder.mkdir(parents=True)
    steps: list[tuple[str, float, float, float]] = []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        taken = (time.process_time() - cpu, time.perf_counter() - wall)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps.append((name, *taken, peak_mib))
        print(
            f"{name}: {taken[0]:.1f} CPU s, {taken[1]:.1f} s, peak {peak_mib:.0f} MiB", flush=True
        )
        return result

    try:
        store = VectorStore(Store(folder))
        truth = timed(
            "write the table (bulk, not by key)", lambda: _fill(folder, rows, dims, clusters)
        )
        hashes = timed("name all rows", lambda: _hashes(0, rows))
        step = max(1, rows // fit_rows)
        sample = np.arange(0, rows, step)[:fit_rows]  # planted in random order: any row will do
        vectors = timed(
            f"fetch {len(sample):,} rows",
            lambda: store.fetch("auxiliary", "bench", hashes.gather(sample).to_list()),
        )
        names = [f"{i:09d}" for i in sample]
        settings = Clusters(noise="own_bucket")
        model = timed(
            "fit them",
            lambda: fit_clusters(vectors, names, ["auxiliary"] * len(names), settings, 17),
        )
        placed = timed(
            f"assign {rows:,} rows",
            lambda: assign_stored(model, store, "auxiliary", "bench", hashes, "own_bucket"),
        )
        _quality(truth, placed, rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{rows:,} x {dims}; load {os.getloadavg()[0]:.1f}")


def _fill(folder: Path, rows: int, dims: int, clusters: int) -> np.ndarray:
    """Bulk add in the store's own schema. Blocks share their centres; noise differs."""
    import lancedb
    import pyarrow as pa

    table: Any = None
    truth = np.empty(rows, dtype=np.int16)
    database = lancedb.connect(str(folder / "lance"))
    for number, start in enumerate(range(0, rows, BLOCK)):
        count = min(BLOCK, rows - start)
        vectors, labels = planted(count, dims, clusters, seed=number + 1, centres_seed=0)
        truth[start : start + count] = labels
        block = pa.table(
            {
                "content_hash": _hashes(start, count).to_arrow().cast(pa.string()),
                "partition": pa.array(["en"] * count, pa.string()),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dims),
            }
        )
        if table is None:
            table = database.create_table("auxiliary_bench", block)
        else:
            table.add(block)
    return truth


def _hashes(start: int, count: int) -> pl.Series:
    numbers = pl.int_range(start, start + count, eager=True)
    return numbers.cast(pl.String).str.zfill(32).alias("content_hash")


def _quality(truth: np.ndarray, placed: pl.DataFrame, rows: int) -> None:
    from sklearn.metrics import adjusted_rand_score

    ids = placed["cluster_id"].to_numpy()
    some = slice(0, min(rows, 1_000_000))
    ari = adjusted_rand_score(truth[some], np.where(ids[some] < 0, -1, ids[some]))
    noise = float((ids < 0).mean())
    print(f"ARI {ari:.3f} (noise a class, first million), noise {100 * noise:.1f} %")


if __name__ == "__main__":
    app()
