"""Pool languages in the order of LangRank's features, with a ranker of our own.

LangRank (Lin et al. 2019, "Choosing Transfer Languages for Cross-Lingual Learning") feeds data
sizes, type-token ratios, word and subword overlap and six URIEL distances to a gradient-boosted
ranker that was trained on measured transfer between languages. There are no such measurements for
a project's own data, so here every group of features has one vote: languages are ordered by the
mean of their ranks in size, type-token ratio, word overlap, subword overlap and URIEL distance.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import regex

from compass_core.language_distance import similarity

SAMPLE_ROWS = 2_000  # texts a language that are compared: those of lowest key
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*")
_UNSEGMENTED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)


def words_of(texts: Iterable[str]) -> list[str]:
    """Words, case folded; of scripts without spaces, pairs of neighbouring characters."""
    found: list[str] = []
    for text in texts:
        for word in _WORD.findall(text.casefold()):
            if _UNSEGMENTED.search(word) and len(word) > 2:
                found += [word[i : i + 2] for i in range(len(word) - 1)]
            else:
                found.append(word)
    return found


def subwords_of(words: Iterable[str]) -> set[str]:
    """Character trigrams of words with their borders."""
    return {f"<{w}>"[i : i + 3] for w in set(words) for i in range(len(w))}


def features(
    target: str,
    target_texts: Sequence[str],
    languages: Sequence[str],
    amounts: np.ndarray,
    texts: Sequence[Sequence[str]],
) -> dict[str, np.ndarray]:
    """Features f64[L], higher is better for all but `ttr_distance`.

    `amounts` f64[L] are data sizes, `texts` a sample of each language.
    """
    own = words_of(target_texts)
    own_types, own_subwords = set(own), subwords_of(own)
    own_ttr = len(own_types) / max(1, len(own))
    rows = []
    for sample in texts:
        words = words_of(sample)
        types, subwords = set(words), subwords_of(words)
        ttr = len(types) / max(1, len(words))
        rows.append(
            (
                (1 - ttr / own_ttr) ** 2 if own_ttr else 0.0,
                len(types & own_types) / max(1, len(types) + len(own_types)),
                len(subwords & own_subwords) / max(1, len(subwords) + len(own_subwords)),
            )
        )
    table = np.array(rows, dtype=np.float64).reshape(len(languages), 3)
    return {
        "size": np.asarray(amounts, dtype=np.float64),
        "ttr_distance": table[:, 0],
        "word_overlap": table[:, 1],
        "subword_overlap": table[:, 2],
        "uriel_similarity": similarity(target, languages)[0],
    }


def rank_languages(found: dict[str, np.ndarray], languages: Sequence[str]) -> np.ndarray:
    """Rank int64[L], 0 best: by the mean of the ranks in each feature, equals by their tag."""
    signs = {"ttr_distance": 1.0}
    votes = []
    for name, values in found.items():
        rounded = np.round(signs.get(name, -1.0) * values, 9)
        votes.append(np.searchsorted(np.sort(rounded), rounded))
    order = np.lexsort((np.asarray(languages), np.mean(votes, axis=0)))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
