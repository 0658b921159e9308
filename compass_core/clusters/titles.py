"""Titles of clusters from a language model, where the project names one; cached by content."""

import http.client
import json
import os
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from compass_core import layout
from compass_core.config.schema import Titles
from compass_core.hashing import version_of
from compass_core.storage import Store

PROMPT_VERSION = 1  # raise when the prompt changes: every title is asked for again
MOST_CHARS = 60
TEXT_CHARS = 300
GIVE_UP_AFTER = 3  # failures in a row: the endpoint is down, and a wait for each cluster is long
PROMPT = (
    "These prompts of users belong together:\n{exemplars}\n\nTheir most telling words, by "
    "language:\n{keywords}\n\nName their common topic in English in two to five words. "
    "Answer with the name only."
)
# A connection that is cut in the middle of an answer is an HTTPException, which is no OSError.
FAILURES = (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError)
_THOUGHT = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)  # of models that reason aloud
Report = Callable[[str], None]


@dataclass
class TitleCounts:
    """Clusters by where their title is from; `error` is the last failure."""

    asked: int = 0
    cached: int = 0
    keywords: int = 0
    error: str | None = None
    failures_in_a_row: int = field(default=0, repr=False)

    @property
    def summary(self) -> str:
        text = f"{self.asked} titles asked for, {self.cached} known"
        if self.keywords:
            text += f", {self.keywords} left with their keywords: {self.error}"
        return text


def model_titles(
    store: Store, described: pl.DataFrame, settings: Titles, report: Report
) -> tuple[pl.DataFrame, TitleCounts]:
    """`described` (title, keywords, exemplars, cluster_id) with the model's titles.

    Each answer is stored when it comes, under the hash of model, prompt, keywords and exemplars: a
    killed run goes on where it stopped, and an unchanged cluster is never asked about again. Where
    the endpoint fails, the title made of keywords stays.
    """
    counts = TitleCounts()
    titles: list[str] = []
    for row in described.iter_rows(named=True):
        found = _title(store, row, settings, counts)
        title = found or row["title"]
        titles.append(title if title not in titles else f"{title} (cluster {row['cluster_id']})")
    report(f"titles by {settings.model}: {counts.summary}")
    return described.with_columns(pl.Series("title", titles, dtype=pl.String)), counts


def _title(store: Store, row: dict[str, Any], settings: Titles, counts: TitleCounts) -> str | None:
    shown = {"keywords": row["keywords"], "exemplars": row["exemplars"]}
    key = layout.title(version_of([PROMPT_VERSION, settings.model, shown]))
    kept = store.read_json_or_none(key)
    if kept is not None:
        counts.cached += 1
        return str(kept["title"])
    if counts.failures_in_a_row < GIVE_UP_AFTER:
        try:
            title = _ask(row, settings)
        except FAILURES as error:
            counts.error = f"{settings.endpoint}: {error}"
            counts.failures_in_a_row += 1
        else:
            counts.failures_in_a_row = 0
            counts.asked += 1
            store.write_json(key, {"title": title, "model": settings.model, **shown})
            return title
    counts.keywords += 1
    return None


def _ask(row: dict[str, Any], settings: Titles) -> str:
    """One chat completion. Raises one of FAILURES where the answer is no title."""
    prompt = PROMPT.format(
        exemplars="\n".join(f"- {text[:TEXT_CHARS]}" for text in row["exemplars"]),
        keywords="\n".join(row["keywords"]),
    )
    body = {
        "model": settings.model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "max_tokens": 32,
    }
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(settings.key_variable):
        headers["Authorization"] = f"Bearer {key}"
    url = f"{str(settings.endpoint).rstrip('/')}/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=settings.timeout_s) as answer:
        text = json.loads(answer.read())["choices"][0]["message"]["content"]
    said = _THOUGHT.sub("", str(text or ""))
    lines = [line.strip().strip("\"'*#`. ") for line in said.splitlines()]
    title = next((line for line in lines if line), "")
    if not title:
        raise ValueError(f"{settings.model} answered {text!r}, which holds no title")
    return title[:MOST_CHARS].strip()
