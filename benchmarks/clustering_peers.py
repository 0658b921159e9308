"""What fits and assigns, each by its own defaults or by those of the recipe it stands for."""

from collections.abc import Callable
from typing import Any

import numpy as np

MIN_CLUSTER_SIZE = 15
Peer = Callable[[np.ndarray, int], np.ndarray]  # vectors, planted number of clusters -> labels


def compass(vectors: np.ndarray, clusters: int, method: Any = "auto") -> np.ndarray:
    """Fit (HDBSCAN against five K) and assign; noise in a bucket of its own."""
    from compass_core.clusters.assign import assign
    from compass_core.clusters.fit import fit_clusters
    from compass_core.config.schema import Clusters

    settings = Clusters(method=method, noise="own_bucket", min_cluster_size=MIN_CLUSTER_SIZE)
    names = [f"row-{i:09d}" for i in range(len(vectors))]
    model = fit_clusters(vectors, names, ["usage"] * len(names), settings, 17)
    return assign(model, vectors, "own_bucket").cluster_ids


def compass_hdbscan(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """The same with `clusters.method: hdbscan`: nothing competes."""
    return compass(vectors, clusters, "hdbscan")


def hdbscan_alone(vectors: np.ndarray, clusters: int) -> np.ndarray:
    import hdbscan

    return _int(
        hdbscan.HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, core_dist_n_jobs=1).fit_predict(vectors)
    )


def hdbscan_same_density(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """`hdbscan` told to measure density as compass does, by the fifth neighbour."""
    import hdbscan

    from compass_core.clusters.density import MIN_SAMPLES

    tree = hdbscan.HDBSCAN(
        min_cluster_size=MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES, core_dist_n_jobs=1
    )
    return _int(tree.fit_predict(vectors))


def fast_hdbscan(vectors: np.ndarray, clusters: int) -> np.ndarray:
    from fast_hdbscan import HDBSCAN

    return _int(HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE).fit_predict(vectors))


def evoc(vectors: np.ndarray, clusters: int) -> np.ndarray:
    from evoc import EVoC

    return _int(EVoC().fit_predict(vectors))


def umap_hdbscan(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """BERTopic's defaults for both steps, with the smallest cluster as above."""
    import hdbscan
    from umap import UMAP

    reduced = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine").fit_transform(
        vectors
    )
    tree = hdbscan.HDBSCAN(
        min_cluster_size=MIN_CLUSTER_SIZE, prediction_data=True, core_dist_n_jobs=1
    )
    return _int(tree.fit_predict(reduced))


def sklearn_minibatch(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """Told the planted number of clusters."""
    from sklearn.cluster import MiniBatchKMeans

    return _int(MiniBatchKMeans(clusters, random_state=0).fit_predict(vectors))


def sklearn_kmeans(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """Told the planted number of clusters."""
    from sklearn.cluster import KMeans

    return _int(KMeans(clusters, random_state=0).fit_predict(vectors))


def faiss_kmeans(vectors: np.ndarray, clusters: int) -> np.ndarray:
    """Told the planted number of clusters; spherical, 25 iterations."""
    import faiss

    kmeans = faiss.Kmeans(vectors.shape[1], clusters, niter=25, spherical=True, seed=17)
    kmeans.train(vectors)
    return _int(kmeans.index.search(vectors, 1)[1][:, 0])


PEERS: dict[str, Peer] = {
    "compass": compass,
    "compass-hdbscan": compass_hdbscan,
    "hdbscan": hdbscan_alone,
    "hdbscan-same-density": hdbscan_same_density,
    "fast_hdbscan": fast_hdbscan,
    "evoc": evoc,
    "umap+hdbscan": umap_hdbscan,
    "sklearn-minibatch": sklearn_minibatch,
    "sklearn-kmeans": sklearn_kmeans,
    "faiss-kmeans": faiss_kmeans,
}


def _int(labels: Any) -> np.ndarray:
    return np.asarray(labels, dtype=np.int64)
