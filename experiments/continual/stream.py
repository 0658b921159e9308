"""The stream of the sample world: a target's planned usage, moved from early to late in three
updates.

At each step some topics of the late plan arrive (in an order drawn by the seed) and the others
give way. Topics stand for clusters, so that the update is measured and not the clustering. The
training set of a step is what the product would take: the corpus, and water-filled rows of the
pool in a fixed order, so that a topic that is asked about more only adds rows.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from compass_core.hashing import seeded_generator, unit_key
from compass_core.sampling.allocate import round_largest_remainder, waterfill
from compass_core.world import plan
from compass_core.world.draw import counts_of, item_wordings, text_wordings
from compass_core.world.facts import Facts, make_facts
from compass_core.world.generate import CHOICES
from compass_core.world.texts import question, value_count, value_word

LANGUAGES = ("sw", "hi", "ar", "th")
STEPS = 4  # the first training and three updates
CORPUS_ROWS, BUDGET_ROWS, WINDOW_PROMPTS = 150, 250, 400
POOL_ROWS_PER_TOPIC = 220
ITEMS_PER_TOPIC = 18  # one for each fact


@dataclass(frozen=True)
class Stage:
    """One time step: topic shares of usage, the training set, and what of it is new."""

    usage: dict[str, float]
    rows: pl.DataFrame  # row_id, prompt, response, topic
    new: pl.DataFrame


@dataclass(frozen=True)
class Stream:
    language: str
    topics: tuple[str, ...]
    stages: list[Stage]
    items: pl.DataFrame  # records.BENCHMARK; subject is the topic
    by_token: bool = False  # score the share of right answer tokens instead of whole answers


def make_stream(seed: int) -> Stream:
    """The stream of one seed: language, order of arrival and pool order all follow from it."""
    language = LANGUAGES[seed % len(LANGUAGES)]
    target = plan.target(language)
    topics = tuple(sorted({*target.early, *target.late}))
    arriving = [t for t in target.late if target.late[t] > target.early.get(t, 0)]
    order = seeded_generator(seed, "arrival").permutation(len(arriving))
    waves = np.array_split(np.array(arriving)[order], STEPS - 1)
    facts = make_facts(plan.SEED)
    corpus = pl.concat(
        [
            _rows(facts, topic, language, "training", n)
            for topic, n in counts_of(target.training, CORPUS_ROWS).items()
        ]
    )
    pool = {t: _ordered(facts, t, language, seed) for t in topics}
    stages: list[Stage] = []
    known: set[str] = set()
    arrived: set[str] = set()
    for step in range(STEPS):
        if step:
            arrived |= set(waves[step - 1].tolist())
        usage = _usage(target, arrived, step / (STEPS - 1), topics)
        rows = pl.concat([corpus, filled(pool, corpus, usage, topics)])
        stages.append(Stage(usage, rows, rows.filter(~pl.col("row_id").is_in(list(known)))))
        known |= set(rows["row_id"])
    return Stream(language, topics, stages, _items(facts, language, topics))


def _usage(
    target: plan.TargetPlan, arrived: set[str], moved: float, topics: tuple[str, ...]
) -> dict[str, float]:
    weights = {}
    for topic in topics:
        early, late = target.early.get(topic, 0.0), target.late.get(topic, 0.0)
        rises = late > early
        weights[topic] = (
            (late if topic in arrived else early) if rises else early + moved * (late - early)
        )
    total = sum(weights.values())
    return {topic: weight / total for topic, weight in weights.items()}


def filled(
    pool: dict[str, pl.DataFrame],
    corpus: pl.DataFrame,
    usage: dict[str, float],
    topics: tuple[str, ...],
    budget: int = BUDGET_ROWS,
) -> pl.DataFrame:
    """Rows of the pool, water-filled to the budget; of each topic the first ones."""
    held = np.array([corpus.filter(pl.col("topic") == t).height for t in topics], dtype=float)
    available = np.array([pool[t].height for t in topics], dtype=float)
    p = np.array([usage[t] for t in topics])
    x = waterfill(p, held, available, budget)
    counts = round_largest_remainder(x, available, budget)
    return pl.concat([pool[t].head(int(n)) for t, n in zip(topics, counts, strict=True)])


def _rows(facts: Facts, topic: str, language: str, part: str, count: int) -> pl.DataFrame:
    found = []
    for fact, wording in text_wordings(facts, topic, language, part, count):
        name = f"{part}-{topic}-{fact.entity}-{fact.ask}-{wording}"
        found.append(
            {
                "row_id": name,
                "prompt": question(language, fact, wording),
                "response": value_word(language, fact, facts),
                "topic": topic,
            }
        )
    return pl.DataFrame(found)


def _ordered(facts: Facts, topic: str, language: str, seed: int) -> pl.DataFrame:
    rows = _rows(facts, topic, language, "auxiliary", POOL_ROWS_PER_TOPIC)
    keys = [unit_key(row, seed, "pool") for row in rows["row_id"]]
    return rows.with_columns(pl.Series("key", keys)).sort("key").drop("key")


def _items(facts: Facts, language: str, topics: tuple[str, ...]) -> pl.DataFrame:
    from compass_core import records

    rows = []
    for topic in topics:
        drawn = item_wordings(facts, topic, language, "test", ITEMS_PER_TOPIC)
        for number, (fact, wording) in enumerate(drawn):
            name = f"{topic}-{number:03d}"
            rng = seeded_generator(plan.SEED, "choices", name, language)
            kinds = value_count(language, fact, facts)
            others = [v for v in range(kinds) if v != fact.value]
            values = [fact.value, *rng.choice(others, CHOICES - 1, replace=False).tolist()]
            order = rng.permutation(CHOICES).tolist()
            rows.append(
                {
                    "item_id": name,
                    "language": language,
                    "suite": "world_qa",
                    "split": "test",
                    "question": question(language, fact, wording),
                    "choices": [value_word(language, fact, facts, values[i]) for i in order],
                    "answer": order.index(0),
                    "subject": topic,
                    "content_hash": name,
                    "row_hash": name,
                }
            )
    return pl.DataFrame(rows, schema=records.BENCHMARK)
