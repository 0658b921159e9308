"""Do clusters follow what is asked, or the language it is asked in?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 0.3  # character n-grams give 0.99, the sample world's embedder on its own texts 0.02


@dataclass(frozen=True)
class LanguageSplit:
    """`value`: share of the uncertainty about a row's language that its cluster takes away, less
    what chance would; 0 (none) to 1 (the cluster gives the language away)."""

    value: float
    warning: str | None


def language_split(cluster_ids: np.ndarray, languages: Sequence[str]) -> LanguageSplit:
    """Measure it; warns above 0.3. 0 where there is one language or one cluster only.

    Mutual information adjusted for chance (Vinh et al. 2010), over the smaller entropy. Without the
    adjustment many clusters of few rows look split; over the mean of both entropies, a hundred
    clusters that hold one of three languages each look as if they were not.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    if len(set(languages)) < 2 or len(np.unique(cluster_ids)) < 2:
        return LanguageSplit(0.0, None)
    score = adjusted_mutual_info_score(list(languages), cluster_ids, average_method="min")
    value = max(0.0, float(score))
    warning = None
    if value > LIMIT:
        warning = (
            f"a row's cluster gives away {100 * value:.0f} % of its language (limit "
            f"{100 * LIMIT:.0f} %): gaps then compare languages, not topics; use a multilingual "
            "embedder"
        )
    return LanguageSplit(value, warning)
