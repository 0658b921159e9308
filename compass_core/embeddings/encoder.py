"""The sentence encoder: a sentence-transformers model from a folder or the Hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compass_core.config.schema import Embedder, Execution
from compass_core.embeddings.fingerprint import local_folder
from compass_core.errors import ModelError


class Encoder:
    """Loads the model once; `encode` gives unit vectors. Importing torch costs some seconds."""

    def __init__(self, settings: Embedder, project_dir: Path, execution: Execution) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        if execution.threads:
            torch.set_num_threads(execution.threads)
        folder = local_folder(settings.model, project_dir)
        device = None if execution.device == "auto" else execution.device
        try:
            self._model = SentenceTransformer(str(folder or settings.model), device=device)
        except (OSError, ValueError, RuntimeError, AssertionError) as error:
            raise ModelError(f"embedder {settings.model} cannot be loaded: {error}") from error
        if settings.max_tokens is not None:
            try:
                self._model.max_seq_length = settings.max_tokens
            except AttributeError:  # a static model has no limit of its own
                static: Any = self._model[0]
                static.tokenizer.enable_truncation(max_length=settings.max_tokens)
        self._settings = settings

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors f32[n, d] in the order of the texts.

        Raises ModelError naming the first text whose vector is zero or not finite.
        """
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        vectors = self._model.encode(
            [self._settings.prefix + text for text in texts],
            batch_size=self._settings.batch_size,
            convert_to_numpy=True,
            show_progress_bar=False,
        ).astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1)
        bad = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
        if bad.size:
            text = texts[int(bad[0])][:80]
            raise ModelError(
                f"embedder {self._settings.model} gives no usable vector for {text!r} "
                f"({bad.size} of {len(texts)} texts); its vocabulary does not cover this script"
            )
        return np.asarray(vectors / lengths[:, None], dtype=np.float32)
