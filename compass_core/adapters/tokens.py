"""Counting supervised tokens, with the `tokenizers` library alone: no torch, a second for 100k."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from compass_core.adapters.model_folder import load_tokenizer
from compass_core.config.schema import BaseModelSettings
from compass_core.embeddings.fingerprint import local_folder
from compass_core.turns import earlier_exchanges


def supervised_tokens(
    settings: BaseModelSettings, project_dir: Path, responses: Sequence[str]
) -> np.ndarray:
    """Tokens that carry loss for each response: int64[n], the token that ends the turn included."""
    return token_counts(settings, project_dir, responses) + 1


def token_counts(
    settings: BaseModelSettings, project_dir: Path, texts: Sequence[str]
) -> np.ndarray:
    """Tokens of each text: int64[n], nothing put around it."""
    if not texts:
        return np.zeros(0, dtype=np.int64)
    folder = local_folder(settings.model, project_dir)
    if folder is not None and (folder / "tokenizer.json").is_file():
        fast = _fast(str(folder / "tokenizer.json"))
        encoded = fast.encode_batch_fast(list(texts), add_special_tokens=False)
        counts = [len(item.ids) for item in encoded]
    else:
        tokenizer = load_tokenizer(settings, project_dir)
        found = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        counts = [len(ids) for ids in found]
    return np.asarray(counts, dtype=np.int64)


def row_tokens(settings: BaseModelSettings, project_dir: Path, rows: pl.DataFrame) -> np.ndarray:
    """Tokens that carry loss in each row (response, earlier_turns), all its answers: int64[n]."""
    counted = supervised_tokens(settings, project_dir, rows["response"].to_list())
    places, answers = [], []
    for place, said in enumerate(rows["earlier_turns"]):
        for exchange in earlier_exchanges(said):
            places.append(place)
            answers.append(exchange.response)
    np.add.at(
        counted, np.array(places, dtype=np.int64), supervised_tokens(settings, project_dir, answers)
    )
    return counted


@lru_cache(maxsize=4)
def _fast(path: str) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
