"""Clusters in words: keywords by language, a short title, and the texts at their heart."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
from polars.datatypes import DataType, DataTypeClass

from compass_core.clusters.words import words

TEXTS_PER_CLUSTER = 200  # nearest to the centroid; more do not change the words
COMMON = 0.4  # a word found in more than this share of the clusters says nothing
SHOWN_LANGUAGES = 4


def describe_clusters(
    cluster_ids: np.ndarray,
    texts: Sequence[str],
    languages: Sequence[str],
    similarity: np.ndarray,
    top: int = 6,
    title_language: str | None = None,
) -> pl.DataFrame:
    """Frame cluster_id, title, keywords, exemplars; one row a cluster that has texts.

    Keywords are by c-TF-IDF (share of the cluster's texts that have the word, times log(1 + mean
    texts of a cluster / texts with it overall)) within each language apart, written
    `sw: bei mahindi soko`. A word of a language belongs to the one cluster it weighs most in, and a
    cluster says it in one language only. The title is the first words in `title_language`, or else
    in the language with most texts; no two clusters have the same. Exemplars are the three texts
    nearest to the centroid, in the title's language where it has any.
    """
    nearest = _nearest(cluster_ids, similarity)
    counts: dict[str, dict[int, Counter[str]]] = {}
    for cluster, places in nearest.items():
        for place in places:
            language = languages[place]
            counter = counts.setdefault(language, {}).setdefault(cluster, Counter())
            counter.update(set(words(texts[place], language)))
    telling = {language: _weigh(by_cluster) for language, by_cluster in counts.items()}
    rows = []
    titles: set[str] = set()
    for cluster, places in sorted(nearest.items()):
        share = Counter(languages[place] for place in places)
        order = sorted(share, key=lambda name: (name != title_language, -share[name], name))
        said: list[str] = []
        shown: dict[str, list[str]] = {}
        for name in order:
            fresh = [word for word in telling[name].get(cluster, []) if word not in said][:top]
            if fresh and len(shown) < SHOWN_LANGUAGES:
                shown[name] = fresh
                said += fresh
        title = " · ".join(_distinct(next(iter(shown.values()), []))[:3])
        if not title or title in titles:
            title = f"{title} (cluster {cluster})".strip() if title else f"cluster {cluster}"
        titles.add(title)
        spoken = [p for p in places if languages[p] == order[0]]
        rows.append(
            {
                "cluster_id": cluster,
                "title": title,
                "keywords": [f"{name}: {' '.join(found)}" for name, found in shown.items()],
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


def _weigh(by_cluster: dict[int, Counter[str]]) -> dict[int, list[str]]:
    """Words of each cluster, most telling first; each word in one cluster only."""
    overall: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for counter in by_cluster.values():
        overall.update(counter)
        held.update(counter.keys())
    mean = sum(overall.values()) / max(1, len(by_cluster))
    limit = max(1.0, COMMON * len(by_cluster))
    best: dict[str, tuple[float, int]] = {}
    for cluster, counter in sorted(by_cluster.items()):
        size = sum(counter.values())
        for word, count in counter.items():
            if held[word] <= limit:
                weight = count / size * math.log1p(mean / overall[word])
                if word not in best or weight > best[word][0]:
                    best[word] = (weight, cluster)
    found: dict[int, list[str]] = {}
    for word, (_weight, cluster) in sorted(best.items(), key=lambda item: (-item[1][0], item[0])):
        found.setdefault(cluster, []).append(word)
    return found


def _distinct(words: list[str]) -> list[str]:
    """Without words that are part of an earlier one: pieces of one word would fill the title."""
    kept: list[str] = []
    for word in words:
        if not any(word in other or other in word for other in kept):
            kept.append(word)
    return kept
