"""Clusters in words: keywords by language, a short title, and the texts at their heart."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
import regex
from polars.datatypes import DataType, DataTypeClass

# Written without spaces between words: pairs and triples of characters stand for words.
UNSEGMENTED = {"th", "zh", "ja", "km", "lo", "my", "bo", "yue"}
TEXTS_PER_CLUSTER = 200  # nearest to the centroid; more do not change the words
COMMON = 0.4  # a term found in more than this share of the clusters says nothing
_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def terms(text: str, language: str) -> list[str]:
    """Words of a text, or runs of 2 and 3 characters where the script does not separate words.

    Vowel signs belong to their letters, so Hindi and Bengali words stay whole.
    """
    runs = _WORDS.findall(text.lower())
    if language.split("-")[0] not in UNSEGMENTED:
        return [run for run in runs if len(run) > 1 and not run.isdigit()]
    found = []
    for run in runs:
        letters = regex.findall(r"\X", run)  # with their marks: Thai vowels are no letters alone
        for size in (2, 3):
            found += ["".join(letters[i : i + size]) for i in range(len(letters) - size + 1)]
    return found


def describe_clusters(
    cluster_ids: np.ndarray,
    texts: Sequence[str],
    languages: Sequence[str],
    similarity: np.ndarray,
    top: int = 6,
    title_language: str | None = None,
) -> pl.DataFrame:
    """Frame cluster_id, title, keywords, exemplars; one row a cluster that has texts.

    Keywords are by c-TF-IDF (frequency in the cluster times log(1 + mean cluster length / frequency
    overall)) within each language apart, written `sw: bei mahindi soko`. The title is the first
    words in `title_language`, or else in the language with most texts. Exemplars are the three
    texts nearest to the centroid, in the title's language where it has any.
    """
    nearest = _nearest(cluster_ids, similarity)
    counts: dict[str, dict[int, Counter[str]]] = {}
    for cluster, places in nearest.items():
        for place in places:
            language = languages[place]
            counter = counts.setdefault(language, {}).setdefault(cluster, Counter())
            counter.update(terms(texts[place], language))
    words = {language: _weigh(by_cluster, top) for language, by_cluster in counts.items()}
    rows = []
    for cluster, places in sorted(nearest.items()):
        share = Counter(languages[place] for place in places)
        order = sorted(share, key=lambda name: (name != title_language, -share[name], name))
        shown = [name for name in order if words[name].get(cluster)][:4]
        best = words[shown[0]][cluster] if shown else []
        spoken = [p for p in places if languages[p] == order[0]]
        rows.append(
            {
                "cluster_id": cluster,
                "title": " · ".join(_distinct(best)[:3]) or f"cluster {cluster}",
                "keywords": [f"{name}: {' '.join(words[name][cluster])}" for name in shown],
                "exemplars": list(dict.fromkeys(texts[p] for p in spoken))[:3],
            }
        )
    schema: dict[str, DataType | DataTypeClass] = {
        "cluster_id": pl.Int64,
        "title": pl.String,
        "keywords": pl.List(pl.String),
        "exemplars": pl.List(pl.String),
    }
    return pl.DataFrame(rows, schema=schema)


def _nearest(cluster_ids: np.ndarray, similarity: np.ndarray) -> dict[int, list[int]]:
    """Positions by cluster, nearest to its centroid first, at most 200; no noise."""
    order = np.lexsort((np.arange(len(cluster_ids)), -similarity, cluster_ids))
    found: dict[int, list[int]] = {}
    for place in order:
        cluster = int(cluster_ids[place])
        if cluster < 0:
            continue
        mine = found.setdefault(cluster, [])
        if len(mine) < TEXTS_PER_CLUSTER:
            mine.append(int(place))
    return found


def _weigh(by_cluster: dict[int, Counter[str]], top: int) -> dict[int, list[str]]:
    overall: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for counter in by_cluster.values():
        overall.update(counter)
        held.update(counter.keys())
    mean_length = sum(overall.values()) / max(1, len(by_cluster))
    limit = max(1.0, COMMON * len(by_cluster))
    result = {}
    for cluster, counter in by_cluster.items():
        size = sum(counter.values())
        weighed = {
            term: count / size * math.log1p(mean_length / overall[term])
            for term, count in counter.items()
            if held[term] <= limit
        }
        result[cluster] = sorted(weighed, key=lambda term: (-weighed[term], term))[:top]
    return result


def _distinct(words: list[str]) -> list[str]:
    """Without words that are part of an earlier one: pieces of one word would fill the title."""
    kept: list[str] = []
    for word in words:
        if not any(word in other or other in word for other in kept):
            kept.append(word)
    return kept
