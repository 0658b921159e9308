"""Fit and assign planted vectors: COMPASS beside its peers, each in a process of its own.

    pip install -e '.[bench]'
    python -m benchmarks.clustering --rows 100000
    python -m benchmarks.clustering --rows 25000,50000,100000,200000 --peers compass
    python -m benchmarks.clustering --rows 10000 --seeds 0,1,2,3,4 --peers compass,hdbscan

Per peer: CPU and wall seconds of fit + assign after a warm-up on 2,000 rows (compilation is not
counted), peak memory above what the process held with the vectors loaded, clusters, the share that
it calls noise, ARI with noise as a class of its own, and ARI on the rows of planted clusters.
CPU seconds are what to compare where other work shares the machine. A peer that needs more than
the limit is stopped and shown as `> limit`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.clustering_peers import PEERS
from benchmarks.planted import planted

WARM_ROWS = 2_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(
    rows: Annotated[str, typer.Option(help="Sizes, with commas.")] = "100000",
    dims: int = 384,
    clusters: int = 100,
    noise: float = 0.1,
    spread: float = 1.0,
    seeds: Annotated[str, typer.Option(help="Of the planted vectors, with commas.")] = "0",
    peers: Annotated[str, typer.Option(help="Names, with commas.")] = ",".join(PEERS),
    threads: int = 1,
    limit_cpu_s: Annotated[int, typer.Option(help="CPU seconds a peer may take.")] = 1800,
    out: Annotated[Path | None, typer.Option(help="Results so far, as JSON.")] = None,
    one: Annotated[str | None, typer.Option(hidden=True)] = None,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, print a table; with --out go on after what is in the file already."""
    if one is not None and folder is not None:
        _child(one, folder, clusters, limit_cpu_s)
        return
    results: list[dict[str, Any]] = json.loads(out.read_text()) if out and out.exists() else []
    done = {(r["rows"], r.get("seed", 0), r["peer"]) for r in results}
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        for size, seed in product(_numbers(rows), _numbers(seeds)):
            todo = [name for name in peers.split(",") if (size, seed, name) not in done]
            if not todo:
                continue
            vectors, truth = planted(size, dims, clusters, noise, spread, seed)
            np.save(work / "vectors.npy", vectors)
            del vectors
            for name in todo:
                load = os.getloadavg()[0]
                found = _measure(name, work, clusters, threads, limit_cpu_s)
                labels = found.pop("labels", None)
                found |= {
                    "rows": size,
                    "seed": seed,
                    "dims": dims,
                    "peer": name,
                    "threads": threads,
                }
                found |= {"load": round(load, 1), "limit_cpu_s": limit_cpu_s}
                if labels is not None:
                    found |= _quality(truth, labels)
                results.append(found)
                if out:
                    out.write_text(json.dumps(results, indent=1) + "\n")
    _print(results, limit_cpu_s)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _measure(name: str, work: Path, clusters: int, threads: int, limit: int) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.clustering", "--one", name]
    command += ["--folder", str(work), "--clusters", str(clusters), "--limit-cpu-s", str(limit)]
    for left in ("labels.npy", "figures.json"):
        (work / left).unlink(missing_ok=True)
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    child = subprocess.run(command, env=environment, capture_output=True, text=True)
    if child.returncode == 0:
        figures: dict[str, Any] = json.loads((work / "figures.json").read_text())
        return {**figures, "outcome": "done", "labels": np.load(work / "labels.npy")}
    if child.returncode in (-24, -9) and not child.stderr.strip():  # SIGXCPU, then SIGKILL
        return {"outcome": "over the limit"}
    lines = child.stderr.strip().splitlines() or [f"exit {child.returncode}"]
    return {"outcome": f"failed: {lines[-1][:200]}"}


def _child(name: str, folder: Path, clusters: int, limit: int) -> None:
    vectors = np.load(folder / "vectors.npy")
    peer = PEERS[name]
    peer(vectors[:WARM_ROWS], min(clusters, WARM_ROWS // 20))
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + limit, spent + limit + 5))
    before_kib = used.ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    labels = peer(vectors, clusters)
    figures = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak_mib"] = (peak_kib - before_kib) / 1024
    np.save(folder / "labels.npy", labels)
    (folder / "figures.json").write_text(json.dumps(figures))


def _quality(truth: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    from sklearn.metrics import adjusted_rand_score

    inside = truth >= 0
    return {
        "clusters": len(np.unique(labels[labels >= 0])),
        "noise_share": float((labels < 0).mean()),
        "ari": float(adjusted_rand_score(truth, labels)),
        "ari_planted_rows": float(adjusted_rand_score(truth[inside], labels[inside])),
    }


def _print(results: list[dict[str, Any]], limit: int) -> None:
    table = Table(title="fit + assign")
    heads = (
        "rows",
        "seed",
        "peer",
        "CPU s",
        "wall s",
        "peak MiB",
        "clusters",
        "noise",
        "ARI",
        "planted",
    )
    for head in (*heads, "load"):
        table.add_column(head, justify="left" if head == "peer" else "right")
    for r in results:
        first = (f"{r['rows']:,}", str(r.get("seed", 0)))
        if r["outcome"] != "done":
            shown = f"> {r['limit_cpu_s']}" if r["outcome"] == "over the limit" else r["outcome"]
            table.add_row(*first, r["peer"], shown, *[""] * 6, str(r["load"]))
            continue
        table.add_row(
            *first,
            r["peer"],
            f"{r['cpu_s']:.1f}",
            f"{r['wall_s']:.1f}",
            f"{r['peak_mib']:.0f}",
            str(r["clusters"]),
            f"{100 * r['noise_share']:.1f} %",
            f"{r['ari']:.3f}",
            f"{r['ari_planted_rows']:.3f}",
            str(r["load"]),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
