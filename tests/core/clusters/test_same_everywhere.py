"""The same rows give the same clusters in processes with other thread counts and row orders."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
import numpy as np
from compass_core.clusters import neighbours
from compass_core.clusters.assign import assign
from compass_core.clusters.blocks import workers
from compass_core.clusters.fit import fit_clusters
from compass_core.config.schema import Clusters

neighbours.EXACT_ROWS, neighbours.CELL_ROWS, neighbours.NEAR_CELLS = 500, 60, 6
rng = np.random.default_rng(0)
centres = rng.normal(size=(14, 48))
vectors = centres[np.arange(3000) % 14] + 1.6 * rng.normal(size=(3000, 48))
vectors[:300] = rng.normal(size=(300, 48))
vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
vectors[700:720] = vectors[700]  # twins
order = np.random.default_rng(int(sys.argv[1])).permutation(3000)
result = {"workers": None}
for method in ("hdbscan", "kmeans"):
    settings = Clusters(method=method, k_min=8, k_max=20, k_steps=3, min_cluster_size=10)
    model = fit_clusters(
        vectors[order], [f"r{i:04d}" for i in order], ["usage"] * 3000, settings, 7
    )
    placed = assign(model, vectors, "own_bucket")
    result[method] = [model.version, len(model.cluster_ids), placed.cluster_ids.tolist()[:400],
                      [float(s) for s in placed.similarity[:400]]]
with workers() as count:
    result["workers"] = count
print(json.dumps(result))
"""


def fitted(threads, seed):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(names, str(threads))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(seed)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout)


def test_neither_threads_nor_order_change_a_fit_in_another_process():
    one, two = fitted(1, seed=1), fitted(2, seed=2)
    assert (one.pop("workers"), two.pop("workers")) == (1, 2)
    assert one == two
    assert one["hdbscan"][1] > 5  # more than one cluster, or there is nothing to disagree on
