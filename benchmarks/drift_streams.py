"""Simulated usage with known truth: quiet months, and months with a planted shift.

Topics are directions in a space of 24 dimensions and prompts are points around them, put into
clusters by nearest centroid and threshold as the project does it. So a new topic lands where it
would: partly outside all clusters, partly in the ones nearby.
"""

from dataclasses import dataclass

import numpy as np

from compass_core.clusters.assign import nearest_centroid
from compass_core.drift.sample import ALONE, Sample
from compass_core.hashing import seeded_generator

DIMENSIONS = 24
BANK = 300  # prompts made for each topic; streams draw from them
NEW_TOPICS = 2
ANCHOR_DAYS, DAYS, SHIFT_DAY = 10, 30, 8
NOISE = 0.17
BORDER = 1.1


@dataclass(frozen=True)
class Shift:
    """`size` is the share of prompts that is different once the shift is complete."""

    kind: str  # none | one_cluster | several_clusters | new_topic | ramp
    size: float = 0.0

    def share_on(self, day: int) -> float:
        if self.kind == "none" or day < SHIFT_DAY:
            return 0.0
        if self.kind == "ramp":
            return self.size * (day - SHIFT_DAY + 1) / (DAYS - SHIFT_DAY)
        return self.size


@dataclass(frozen=True)
class World:
    """Prompts of K known and two new topics: points f32[T, BANK, d], cells int64[T, BANK]."""

    clusters: int
    points: np.ndarray
    cells: np.ndarray


@dataclass(frozen=True)
class Stream:
    """Rows in order of day; days -10 to -1 are the anchor."""

    world: World
    day: np.ndarray
    topic: np.ndarray
    place: np.ndarray
    user: np.ndarray

    def between(self, first: int, last: int) -> slice:
        low, high = np.searchsorted(self.day, [first, last + 1])
        return slice(int(low), int(high))

    def sample(self, rows: slice) -> Sample:
        cells = self.world.cells[self.topic[rows], self.place[rows]]
        return Sample(cells, self.user[rows], self.world.clusters + 1)

    def vectors(self, rows: slice) -> np.ndarray:
        return np.asarray(self.world.points[self.topic[rows], self.place[rows]])


def make_world(clusters: int, seed: int = 0) -> World:
    rng = seeded_generator(seed, "drift-world", str(clusters))
    topics = clusters + NEW_TOPICS
    centres = _unit(rng.normal(size=(topics, DIMENSIONS)))
    # A new topic is not unlike everything: it borders on one that is known.
    centres[clusters:] = _unit(centres[clusters:] + BORDER * centres[:NEW_TOPICS])
    noise = NOISE * rng.normal(size=(topics, BANK, DIMENSIONS))
    points = _unit(centres[:, None] + noise).astype(np.float32)
    known = centres[:clusters].astype(np.float32)
    place, similarity = nearest_centroid(points.reshape(-1, DIMENSIONS), known)
    own = np.einsum("tbd,td->tb", points[:clusters], known)
    thresholds = np.quantile(own, 0.01, axis=1)
    cells = np.where(similarity < thresholds[place], clusters, place).reshape(topics, BANK)
    return World(clusters, points, cells)


def make_stream(
    world: World, seed: int, prompts_a_day: int, shift: Shift, bursty: bool = False
) -> Stream:
    """One language's anchor and month. Prompts a day are Poisson, topic shares Dirichlet(0.7).

    `bursty`: a quarter as many users a day as prompts; each has subjects of their own (Dirichlet,
    3 times the shares), comes back every third day on average, some much more often than others,
    and asks 4 prompts a visit, half of them on the same topic as the one before. Otherwise every
    prompt is by somebody else.
    """
    name = f"{world.clusters}-{prompts_a_day}-{shift.kind}-{shift.size}-{bursty}"
    rng = seeded_generator(seed, "drift-stream", name)
    shares = rng.dirichlet(np.full(world.clusters, 0.7))
    away = _target(rng, world, shares, shift)
    draw = _bursty if bursty else _independent
    days, topics, users = draw(rng, shares, prompts_a_day)
    changed = rng.random(len(days)) < np.array([shift.share_on(int(d)) for d in days])
    topics[changed] = rng.choice(len(away), size=int(changed.sum()), p=away)
    place = rng.integers(BANK, size=len(days))
    return Stream(world, days, topics, place, users)


def _target(rng: np.random.Generator, world: World, shares: np.ndarray, shift: Shift) -> np.ndarray:
    """Where the changed prompts go: f64[topics]."""
    away = np.zeros(world.clusters + NEW_TOPICS)
    if shift.kind == "new_topic":
        away[-NEW_TOPICS:] = 1 / NEW_TOPICS
        return away
    count = {"one_cluster": 1, "ramp": 3}.get(shift.kind, 8)
    chosen = rng.choice(world.clusters, size=count, replace=False)
    away[chosen] = 1 / count
    return away


def _independent(
    rng: np.random.Generator, shares: np.ndarray, prompts_a_day: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = rng.poisson(prompts_a_day, size=ANCHOR_DAYS + DAYS)
    days = np.repeat(np.arange(-ANCHOR_DAYS, DAYS), sizes)
    topics = rng.choice(len(shares), size=len(days), p=shares)
    return days, topics, np.full(len(days), ALONE)


def _bursty(
    rng: np.random.Generator, shares: np.ndarray, prompts_a_day: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    visits_a_day = max(1, prompts_a_day // 4)
    people = 3 * visits_a_day
    habits = rng.dirichlet(np.maximum(3 * shares, 1e-3), size=people)
    often = rng.lognormal(0, 0.8, size=people)
    often /= often.sum()
    days, topics, users = [], [], []
    for day in range(-ANCHOR_DAYS, DAYS):
        visitors = rng.choice(people, size=int(rng.poisson(visits_a_day)), p=often)
        for user in visitors:
            asked = rng.choice(len(shares), size=1 + int(rng.poisson(3)), p=habits[user])
            same = rng.random(len(asked)) < 0.5
            for i in range(1, len(asked)):
                asked[i] = asked[i - 1] if same[i] else asked[i]
            days += [day] * len(asked)
            users += [int(user)] * len(asked)
            topics += asked.tolist()
    return np.array(days), np.array(topics), np.array(users)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))
