"""How far apart languages are: URIEL distances, from the data that the lang2vec package carries.

Cosine distances between URIEL's feature vectors (Littell et al. 2017, "URIEL and lang2vec"). Only
the package's data files are read: its code needs a module that today's setuptools no longer has.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import langcodes
import numpy as np

from compass_core.errors import InputError

# Kind of distance -> data file and prefix of its features. `featural` spans the three before it.
KINDS: dict[str, tuple[str, str]] = {
    "genetic": ("family_features", ""),
    "geographic": ("geocoord_features", ""),
    "syntactic": ("feature_predictions", "S_"),
    "phonological": ("feature_predictions", "P_"),
    "inventory": ("feature_predictions", "INV_"),
    "featural": ("feature_predictions", ""),
}
# URIEL describes varieties, tags often name the macro-language: the variety that people mean by it.
_VARIETY = {
    "ara": "arb",
    "aym": "ayr",
    "aze": "azj",
    "fas": "pes",
    "fil": "tgl",
    "ful": "fuv",
    "grn": "gug",
    "kon": "kng",
    "kur": "kmr",
    "lvs": "lav",
    "mlg": "plt",
    "mon": "khk",
    "msa": "zsm",
    "nob": "nor",  # Bokmål itself has no family features there
    "orm": "gaz",
    "que": "quy",
    "sqi": "als",
    "srp": "hbs",
    "swa": "swh",
    "uzb": "uzn",
    "yid": "ydd",
    "zho": "cmn",
}

# Varieties that URIEL describes without a family, though it knows that of their nearest kin.
_FAMILY = {"ltg": "lav", "nno": "nor", "twi": "aka"}


def distances(one: str, others: Sequence[str]) -> dict[str, np.ndarray]:
    """Distance f64[L] by kind from a tag to other tags, 0 (same) to 1; NaN where URIEL has no data.

    Script and territory of a tag do not count. A language without relatives is at genetic distance
    1 from every other. Raises InputError where the lang2vec package is not installed.
    """
    codes = [uriel_code(tag) for tag in (one, *others)]
    same = np.array([code == codes[0] for code in codes[1:]], dtype=bool)
    found: dict[str, np.ndarray] = {}
    for kind in KINDS:
        values = np.full(len(others), np.nan)
        for i, code in enumerate(codes[1:]):
            if codes[0] is not None and code is not None:
                values[i] = 0.0 if same[i] else _cosine_distance(kind, codes[0], code)
        found[kind] = values
    return found


def similarity(target: str, others: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """One minus the mean of the six distances, f64[L] in 0 to 1, and the tags without data.

    Those get the mean similarity of the others, so that they are neither favoured nor left out;
    where the target itself has none, every language gets 1.
    """
    mean = 1 - np.mean(list(distances(target, others).values()), axis=0)
    missing = np.isnan(mean)
    if uriel_code(target) is None:
        return np.ones(len(others)), sorted({target, *others})
    known = mean[~missing]
    mean[missing] = known.mean() if known.size else 1.0
    return mean, [tag for tag, absent in zip(others, missing, strict=True) if absent]


def uriel_code(tag: str) -> str | None:
    """ISO 639-3 code under which URIEL knows a language, or None."""
    try:
        code = langcodes.Language.get(tag).to_alpha3()
    except LookupError:
        return None
    code = _VARIETY.get(code, code)
    return code if code in _rows("feature_predictions") else None


@lru_cache(maxsize=20_000)
def _cosine_distance(kind: str, one: str, other: str) -> float:
    file, prefix = KINDS[kind]
    a, b = _vector(file, prefix, one), _vector(file, prefix, other)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 1.0 if lengths == 0 else min(1.0, max(0.0, 1 - float(a @ b) / lengths))


def _vector(file: str, prefix: str, code: str) -> np.ndarray:
    names, data = _table(file)
    if file == "family_features":
        code = _FAMILY.get(code, code)
    row = data[_rows(file)[code]].astype(np.float64)
    return np.asarray(row[[name.startswith(prefix) for name in names]])


@lru_cache(maxsize=8)
def _table(file: str) -> tuple[list[str], np.ndarray]:
    """Feature names and values [languages, features] as float32; up to 120 MB for families."""
    with np.load(_folder() / f"{file}.npz") as arrays:
        return [str(name) for name in arrays["feats"]], arrays["data"][:, :, 0].astype(np.float32)


@lru_cache(maxsize=8)
def _rows(file: str) -> dict[str, int]:
    with np.load(_folder() / f"{file}.npz") as arrays:
        return {str(code): i for i, code in enumerate(arrays["langs"])}


def _folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("lang2vec")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "the strategies langsim and langrank need URIEL's language data, which the package "
            "lang2vec carries; install it: pip install 'compass-assets[uriel]'"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"
