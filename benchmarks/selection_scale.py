"""Allocation and selection from pools of 1 and 10 million rows: seconds and peak memory.

    python -m benchmarks.selection_scale
    python -m benchmarks.selection_scale --rows 100000

Each figure comes from a process of its own, which makes a pool of ids, clusters, languages, tokens
and text hashes (no texts), and reads vectors (384-d) only when it is asked for them; a corpus of
20,000 rows with vectors is held. Seconds, of the clock and of the processor, are of the selection
alone; peak memory is of the whole process, the pool itself included. The peer `polars_quota` is
what one writes by hand: quotas proportional to gaps, rows by similarity to their centroid, a
running sum. It looks at no vector, removes exact duplicates only and gives no reasons.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import polars as pl

from compass_core import records
from compass_core.config.sampling import Sampling
from compass_core.sampling.scene import Target
from compass_core.sampling.select import select_rows

CLUSTERS, DIMENSIONS = 100, 384
# fmt: off
TAGS = [
    "en", "zh", "es", "ar", "hi", "sw", "pt", "bn", "ru", "ja", "pa", "de", "jv", "ko",
    "fr", "te", "mr", "tr", "ta", "vi", "ur", "it", "th", "gu", "fa", "pl", "uk", "ml",
    "kn", "or", "my", "uz", "sd", "ro", "nl", "ha", "yo", "ig", "am", "zu",
]
# fmt: on
TARGET, SMALL = "sw", "ur"  # the language that is served, and one that gets a minimum share
POINTS = 1_000
CORPUS_ROWS = 20_000  # held already; every second one says what a row of the pool says
BUDGET_TOKENS = 2_000_000
RUNS = ("gap_waterfill", "gap_waterfill+limits", "random", "polars_quota")


def make_pool(n: int) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    weights = 1 / np.arange(1, CLUSTERS + 1)
    cluster = rng.choice(CLUSTERS, n, p=weights / weights.sum()).astype(np.int32)
    share = 1 / np.arange(1, len(TAGS) + 1)
    return pl.DataFrame(
        {
            "cluster_id": cluster,
            "row_language": np.array(TAGS)[rng.choice(len(TAGS), n, p=share / share.sum())],
            "similarity": rng.random(n, dtype=np.float32),
            "off_target": rng.random(n) < 0.01,
            "supervised_tokens": rng.integers(5, 80, n),
            "text_hash": rng.integers(0, 30 * n, n).astype(np.uint64),  # 1.6 % repeat another
        }
    ).with_columns(pl.int_range(n).cast(pl.String).str.zfill(32).alias("row_id"))


def make_gaps() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    p_usage, held = rng.dirichlet(np.ones(CLUSTERS)), rng.dirichlet(np.full(CLUSTERS, 0.3))
    filled = {
        "cluster_id": np.arange(CLUSTERS),
        "p_usage": p_usage,
        "p_training": held,
        "gap": np.clip(p_usage - held, 0, None),
        "training_tokens": (held * 100_000).astype(np.int64),
        "training_rows": (held * 3_000).astype(np.int64),
    }
    rest = [pl.lit(None).alias(name) for name in records.GAPS if name not in filled]
    return records.conform(pl.DataFrame(filled).with_columns(rest), records.GAPS)


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def select(run: str, pool: pl.DataFrame) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    base = unit(rng.normal(size=(65_536, DIMENSIONS)))
    read = 0

    def vectors(rows: np.ndarray) -> np.ndarray:
        nonlocal read
        read += len(rows)
        mixed = base[rows % 65_536] + 0.3 * base[(rows * 7 + 1) % 65_521]
        return unit(mixed)

    held = vectors(rng.integers(0, pool.height, CORPUS_ROWS))
    held[::2] = unit(rng.normal(size=held[::2].shape))
    read = 0
    target = Target(rng.integers(0, CLUSTERS, POINTS), base[:POINTS])
    limits = {"max_share_per_language": 0.3, "min_share_per_language": {SMALL: 0.02}}
    name, _, limited = run.partition("+")
    sampling = Sampling.model_validate(
        {"strategy": name, "budget": BUDGET_TOKENS, **(limits if limited else {})}
    )
    gaps = make_gaps()
    corpus = pl.DataFrame(
        {
            "row_id": [f"held-{i}" for i in range(CORPUS_ROWS)],
            "text_hash": np.arange(2**62, 2**62 + CORPUS_ROWS, dtype=np.uint64),
        }
    )
    started, cpu = time.perf_counter(), time.process_time()
    made = select_rows(
        TARGET,
        pool,
        gaps,
        corpus,
        sampling,
        1,
        vectors=vectors,
        training_vectors=held,
        target=target,
    )
    wall = time.perf_counter() - started
    return {
        "wall_s": wall,
        "cpu_s": time.process_time() - cpu,
        "chosen": made.selected.height,
        "spent": made.summary["spent"],
        "jsd_bits_after": made.summary["jsd_bits_after"],
        "vectors_read": read,
        "like_corpus": made.dropped.filter(pl.col("reason") == "near_training_corpus").height,
    }


def polars_quota(pool: pl.DataFrame) -> dict[str, Any]:
    gaps = make_gaps().select("cluster_id", "gap")
    started, cpu = time.perf_counter(), time.process_time()
    quota = pl.col("gap") / gaps["gap"].sum() * BUDGET_TOKENS
    kept = (
        pool.filter(~pl.col("off_target"))
        .unique("text_hash", keep="any")
        .with_columns(pl.col("cluster_id").cast(pl.Int64))
        .join(gaps.filter(pl.col("gap") > 0), on="cluster_id")
        .sort("cluster_id", "similarity", descending=[False, True])
        .filter(pl.col("supervised_tokens").cum_sum().over("cluster_id") <= quota)
    )
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "chosen": kept.height,
        "spent": int(kept["supervised_tokens"].sum()),
    }


def one(run: str, n: int) -> dict[str, Any]:
    pool = make_pool(n)
    made_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = polars_quota(pool) if run == "polars_quota" else select(run, pool)
    used = resource.getrusage(resource.RUSAGE_SELF)
    sizes = {"pool_mib": made_mib, "peak_mib": used.ru_maxrss / 1024}
    return {"run": run, "rows": n, **sizes, **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--runs", nargs="*", default=list(RUNS), choices=RUNS)
    parser.add_argument("--one", nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], int(given.one[1]))))
        return
    print(f"{'run':24}{'rows':>12}{'seconds':>10}{'cpu s':>10}{'peak MiB':>10}{'chosen':>9}  load")
    for n in given.rows:
        for run in given.runs:
            command = [sys.executable, "-m", "benchmarks.selection_scale", "--one", run, str(n)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            r = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{run:24}{n:>12,}{r['wall_s']:>10.1f}{r['cpu_s']:>10.1f}"
                f"{r['peak_mib']:>10,.0f}{r['chosen']:>9,}  "
                f"{os.getloadavg()[0]:.1f}"
                + (f"  jsd {r['jsd_bits_after']:.4f}" if "jsd_bits_after" in r else "")
                + (f"  vectors {r['vectors_read']:,}" if "vectors_read" in r else "")
                + (f"  like the corpus {r['like_corpus']:,}" if "like_corpus" in r else ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
