"""Writes the sample project's raw files: corpora, logs and benchmarks, all from one seed."""

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from compass_core.hashing import seeded_generator, unit_key
from compass_core.world import plan
from compass_core.world.draw import counts_of, item_wordings, text_wordings
from compass_core.world.facts import Fact, Facts, make_facts
from compass_core.world.texts import (
    Wording,
    draw_wording,
    question,
    value_count,
    value_word,
)

SOURCE = "compass-sample"
LICENSE = "CC0-1.0"
SUITE = "world_qa"
USERS = 40
CHOICES = 4
_HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 7, 7, 7, 7, 8, 8, 8, 8, 7, 6, 4, 3, 2)

Row = dict[str, Any]


@dataclass(frozen=True)
class SampleSummary:
    """What was written. Counts are rows by language; `files` are relative to the root, sorted."""

    seed: int
    scale: float
    auxiliary: dict[str, int] = field(default_factory=dict)
    training: dict[str, int] = field(default_factory=dict)
    prompts: dict[str, int] = field(default_factory=dict)
    dev: dict[str, int] = field(default_factory=dict)
    test: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


def write_sample_project(root: Path, *, seed: int = plan.SEED, scale: float = 1.0) -> SampleSummary:
    """Write the whole sample project under `root`, replacing its files of the same names.

    `scale` multiplies the number of rows of corpora, prompts a day and benchmark items. Takes
    about a second. The same seed and scale give the same bytes; a larger scale keeps every corpus
    row and item of a smaller one. Raises ValueError for a scale that is not in (0, 1.4]: beyond
    it the world has not enough different wordings.
    """
    if not 0 < scale <= 1.4:
        raise ValueError(f"scale {scale} of the sample project; above 0 and at most 1.4 is allowed")
    facts = make_facts(seed)
    summary = SampleSummary(seed, scale)
    for language, count in counts_of(plan.POOL_LANGUAGES, _scaled(plan.POOL_ROWS, scale)).items():
        rows = _corpus(facts, language, "auxiliary", plan.POOL_TOPICS, count, "messages")
        path = root / "corpora" / "auxiliary" / language / "part-000.jsonl"
        summary.auxiliary[language] = _write(root, path, rows, summary)
    for language, target in plan.TARGETS.items():
        count = _scaled(plan.TRAINING_ROWS, scale)
        rows = _corpus(facts, language, "training", target.training, count, target.shape)
        path = root / "corpora" / "training" / language / "part-000.jsonl"
        summary.training[language] = _write(root, path, rows, summary)
        prompts = 0
        for day in plan.log_days():
            rows = log_day(language, day, seed=seed, mean=plan.PROMPTS_A_DAY * scale)
            prompts += _write(root, _log_path(root, language, day), rows, summary)
        summary.prompts[language] = prompts
        for split, items, written in (
            ("dev", plan.DEV_ITEMS, summary.dev),
            ("test", plan.TEST_ITEMS, summary.test),
        ):
            rows = benchmark(facts, language, split, _scaled(items, scale))
            path = root / "benchmarks" / SUITE / language / f"{split}.jsonl"
            written[language] = _write(root, path, rows, summary)
    summary.files.sort()
    return summary


def write_log_day(
    root: Path,
    language: str,
    day: date,
    *,
    seed: int = plan.SEED,
    prompts: float = plan.PROMPTS_A_DAY,
    usage: Mapping[str, float] | None = None,
) -> Path:
    """Write one more day of a target's logs, as if users had gone on asking; returns the file.

    `usage` are topic weights; None takes what the plan says for that day. Raises ValueError for
    a language that is no target or a topic that the world does not have.
    """
    path = _log_path(root, language, day)
    _write(root, path, log_day(language, day, seed=seed, mean=prompts, usage=usage))
    return path


def log_day(
    language: str,
    day: date,
    *,
    seed: int = plan.SEED,
    mean: float = plan.PROMPTS_A_DAY,
    usage: Mapping[str, float] | None = None,
) -> list[Row]:
    """The prompts of one UTC day in order of time; their number is Poisson with this mean."""
    facts = make_facts(seed)
    weights = plan.usage_on(language, day) if usage is None else usage
    unknown = set(weights) - set(facts.by_topic)
    if unknown:
        raise ValueError(f"topics {sorted(unknown)}; the world has {', '.join(facts.by_topic)}")
    rng = seeded_generator(seed, "log", language, day.isoformat())
    topics = list(weights)
    chances = [weights[topic] / sum(weights.values()) for topic in topics]
    hours = [weight / sum(_HOUR_WEIGHTS) for weight in _HOUR_WEIGHTS]
    events = []
    for number in range(max(1, int(rng.poisson(mean)))):
        topic = topics[int(rng.choice(len(topics), p=chances))]
        fact = facts.by_topic[topic][int(rng.integers(len(facts.by_topic[topic])))]
        wording = draw_wording(fact, seed, language, day.isoformat(), str(number))
        seconds = int(rng.choice(24, p=hours)) * 3600 + int(rng.integers(3600))
        user = f"u{int(rng.integers(1, USERS + 1)):03d}"
        events.append((seconds, number, question(language, fact, wording), user))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [
        {
            "id": f"{language}-{day:%Y%m%d}-{number:04d}",
            "timestamp": f"{midnight + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}",
            "text": text,
            "user": user,
        }
        for seconds, number, text, user in sorted(events)
    ]


def benchmark(facts: Facts, language: str, split: str, count: int) -> list[Row]:
    """Multiple-choice items on what users ask after the shift, in phrasings kept for the split.

    The four choices are values of one kind (four days, four animals), so guessing gives 25 %.
    """
    rows = []
    for topic, number in counts_of(plan.target(language).late, count).items():
        for fact, wording in item_wordings(facts, topic, language, split, number):
            name = f"{language}-{split}-{_wording_id(fact, wording)}"
            rng = seeded_generator(facts.seed, "choices", name)
            others = [v for v in range(value_count(language, fact, facts)) if v != fact.value]
            values = [fact.value, *rng.choice(others, CHOICES - 1, replace=False).tolist()]
            order = rng.permutation(CHOICES).tolist()
            rows.append(
                {
                    "id": name,
                    "question": question(language, fact, wording),
                    "choices": [value_word(language, fact, facts, values[i]) for i in order],
                    "answer": order.index(0),
                    "subject": topic,
                }
            )
    return _shuffled(rows, facts.seed)


def _corpus(
    facts: Facts, language: str, part: str, topics: Mapping[str, float], count: int, shape: str
) -> list[Row]:
    rows = []
    for topic, number in counts_of(topics, count).items():
        for fact, wording in text_wordings(facts, topic, language, part, number):
            asked, answer = question(language, fact, wording), value_word(language, fact, facts)
            row: Row = {"id": f"{language}-{part[:3]}-{_wording_id(fact, wording)}"}
            if shape == "alpaca":
                row |= {"instruction": asked, "input": "", "output": answer}
            else:
                row["messages"] = [
                    {"role": "user", "content": asked},
                    {"role": "assistant", "content": answer},
                ]
            rows.append(row | {"source": SOURCE, "license": LICENSE})
    return _shuffled(rows, facts.seed)


def _wording_id(fact: Fact, wording: Wording) -> str:
    remark = "x" if wording.remark is None else wording.remark
    return f"{fact.topic}-{fact.entity.lower()}-{fact.ask}{wording.phrasing}{wording.kind}{remark}"


def _shuffled(rows: list[Row], seed: int) -> list[Row]:
    return sorted(rows, key=lambda row: unit_key(row["id"], seed, "file order"))


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale))


def _log_path(root: Path, language: str, day: date) -> Path:
    plan.target(language)
    return root / "logs" / language / f"{day.isoformat()}.jsonl"


def _write(
    root: Path, path: Path, rows: Iterable[Row], summary: SampleSummary | None = None
) -> int:
    """JSON lines under a temporary name that is then renamed; returns the number of rows."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    try:
        temporary.write_text("".join(lines), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    if summary is not None:
        summary.files.append(path.relative_to(root).as_posix())
    return len(lines)
