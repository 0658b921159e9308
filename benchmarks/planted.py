"""Planted clusters: unit vectors around random directions, and scattered rows between them."""

import numpy as np


def planted(
    rows: int,
    dims: int = 384,
    clusters: int = 100,
    noise: float = 0.1,
    spread: float = 1.0,
    seed: int = 0,
    centres_seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors f32[n, d] and labels int64[n], -1 for scattered rows, in random order.

    A row of a cluster is its centre plus a random vector of length about `spread`: at 1.0 its
    cosine to the centre is about 0.7. Sizes of clusters follow a Dirichlet distribution (5).
    Blocks with one `centres_seed` have the same clusters.
    """
    rng = np.random.default_rng(seed)
    fixed = rng if centres_seed is None else np.random.default_rng(centres_seed)
    centres = fixed.standard_normal((clusters, dims), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = rng.choice(clusters, rows, p=fixed.dirichlet(np.full(clusters, 5.0)))
    labels[rng.permutation(rows)[: round(rows * noise)]] = -1
    vectors = rng.standard_normal((rows, dims), dtype=np.float32)
    inside = labels >= 0
    vectors[inside] *= spread / np.sqrt(dims)
    for start in range(0, rows, 65_536):  # in parts: ten million rows are planted block by block
        part = slice(start, start + 65_536)
        mine = inside[part]
        vectors[part][mine] += centres[labels[part][mine]]
        vectors[part] /= np.linalg.norm(vectors[part], axis=1, keepdims=True)
    return vectors, labels
