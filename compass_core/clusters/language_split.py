"""Do clusters follow what is asked, or the language it is asked in?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 0.5


@dataclass(frozen=True)
class LanguageSplit:
    """`value`: normalised mutual information of cluster and language, 0 (none) to 1 (the same)."""

    value: float
    warning: str | None


def language_split(cluster_ids: np.ndarray, languages: Sequence[str]) -> LanguageSplit:
    """Measure it; warns above 0.5. 0 where there is one language or one cluster only."""
    from sklearn.metrics import normalized_mutual_info_score

    if len(set(languages)) < 2 or len(np.unique(cluster_ids)) < 2:
        return LanguageSplit(0.0, None)
    value = float(normalized_mutual_info_score(list(languages), cluster_ids))
    warning = None
    if value > LIMIT:
        warning = (
            f"clusters follow language more than content (mutual information {value:.2f}, limit "
            f"{LIMIT}): gaps then compare languages, not topics; use a multilingual embedder"
        )
    return LanguageSplit(value, warning)
