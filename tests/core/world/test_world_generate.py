"""The sample project's files: deterministic, gap and shift really there, test items held out."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compass_core.world import plan
from compass_core.world.draw import counts_of, text_wordings
from compass_core.world.facts import BASE_KNOWN, make_facts
from compass_core.world.generate import (
    SampleSummary,
    log_day,
    write_log_day,
    write_sample_project,
)
from compass_core.world.texts import open_phrasings, reserved_phrasing


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def prompt(row: dict[str, Any]) -> str:
    for key in ("text", "instruction", "question"):
        if key in row:
            return str(row[key])
    return str(row["messages"][0]["content"])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    root = tmp_path_factory.mktemp("sample")
    return root, write_sample_project(root, seed=17)


def test_counts_and_files(sample: tuple[Path, SampleSummary]) -> None:
    root, summary = sample
    assert sum(summary.auxiliary.values()) == 8000
    assert set(summary.auxiliary) == set(plan.pool_languages())
    assert summary.training == dict.fromkeys(("sw", "hi", "ar", "th"), 400)
    assert summary.dev["sw"] == 285
    assert summary.test["sw"] == 400
    assert all(1000 < count < 1400 for count in summary.prompts.values())
    found = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    assert found == summary.files
    assert len(found) == 9 + 4 + 4 * 30 + 8


def test_the_same_seed_gives_the_same_bytes(
    sample: tuple[Path, SampleSummary], tmp_path: Path
) -> None:
    root, summary = sample
    write_sample_project(tmp_path, seed=17)
    for name in summary.files:
        assert (tmp_path / name).read_bytes() == (root / name).read_bytes(), name


def test_a_smaller_sample_is_part_of_the_larger(
    sample: tuple[Path, SampleSummary], tmp_path: Path
) -> None:
    root, _ = sample
    small = write_sample_project(tmp_path, seed=17, scale=0.1)
    for name in small.files:
        if not name.startswith("logs/"):
            large = {row["id"]: row for row in rows(root / name)}
            assert all(large[row["id"]] == row for row in rows(tmp_path / name)), name


@pytest.mark.parametrize("scale", [0.0, -1.0, 2.0])
def test_an_impossible_scale_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(ValueError, match=str(scale)):
        write_sample_project(tmp_path, scale=scale)
    assert list(tmp_path.iterdir()) == []


def test_no_row_twice_and_no_corpus_row_in_another_corpus(
    sample: tuple[Path, SampleSummary],
) -> None:
    root, _ = sample
    texts = [prompt(row) for path in root.glob("corpora/*/*/*.jsonl") for row in rows(path)]
    assert len(texts) == 8000 + 4 * 400
    assert len(set(texts)) == len(texts)


def test_items_are_held_out_of_all_texts_and_of_each_other(
    sample: tuple[Path, SampleSummary],
) -> None:
    root, _ = sample
    items = {
        split: [prompt(row) for path in root.glob(f"benchmarks/*/*/{split}.jsonl")
                for row in rows(path)]
        for split in ("dev", "test")
    }  # fmt: skip
    assert len(set(items["test"])) == 4 * 400
    assert not set(items["dev"]) & set(items["test"])
    paths = [*root.glob("corpora/*/*/*.jsonl"), *root.glob("logs/*/*.jsonl")]
    # A question without its remark must be new as well, so the bare question is looked for.
    texts = "\n".join(prompt(row) for path in paths for row in rows(path))
    for asked in items["test"]:
        bare = asked.split(". ")[-1].split("。 ")[-1].split("। ")[-1]
        assert bare not in texts


def test_each_fact_keeps_one_phrasing_for_dev_and_another_for_test() -> None:
    for fact in make_facts(17).all():
        dev, test = (reserved_phrasing(fact, split, 17) for split in ("dev", "test"))
        assert sorted({dev, test, *open_phrasings(fact, 17)}) == [0, 1, 2, 3, 4, 5]
        assert len(open_phrasings(fact, 17)) == 4


def test_items_have_four_choices_of_one_kind_and_no_favourite_place(
    sample: tuple[Path, SampleSummary],
) -> None:
    root, _ = sample
    for path in root.glob("benchmarks/*/*/test.jsonl"):
        items = rows(path)
        assert all(len(set(item["choices"])) == 4 for item in items)
        places = Counter(item["answer"] for item in items)
        assert set(places) == {0, 1, 2, 3}
        assert max(places.values()) < 0.35 * len(items)


@pytest.mark.parametrize("language", ["sw", "hi", "ar", "th"])
def test_usage_shifts_and_the_training_corpus_leaves_gaps(language: str) -> None:
    target = plan.TARGETS[language]
    gaps = set(target.late) - set(target.training)
    assert len(gaps) == 5
    assert not gaps & set(BASE_KNOWN)  # neither the corpus nor the base model has them
    early, late = (sum(w[t] for t in gaps if t in w) for w in (target.early, target.late))
    assert early / sum(target.early.values()) < 0.15
    assert 0.5 < late / sum(target.late.values()) < 0.65
    assert plan.usage_on(language, date(2026, 1, 20)) == target.early
    assert plan.usage_on(language, date(2026, 1, 21)) == target.late


def test_a_log_day_does_not_depend_on_other_days(tmp_path: Path) -> None:
    path = write_log_day(tmp_path, "th", date(2026, 2, 3))
    assert path == tmp_path / "logs" / "th" / "2026-02-03.jsonl"
    written = rows(path)
    assert written == log_day("th", date(2026, 2, 3))
    assert all(row["timestamp"].startswith("2026-02-03T") for row in written)
    assert [row["timestamp"] for row in written] == sorted(row["timestamp"] for row in written)
    assert len({row["id"] for row in written}) == len(written)


def test_a_log_day_on_one_topic_asks_about_that_topic() -> None:
    names = {fact.entity for fact in make_facts(17).by_topic["fishing"]}
    prompts = log_day("ar", date(2026, 2, 3), usage={"fishing": 1.0})
    assert all(any(name in row["text"] for name in names) for row in prompts)


def test_unknown_languages_and_topics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'pt' is no target"):
        write_log_day(tmp_path, "pt", date(2026, 2, 3))
    with pytest.raises(ValueError, match="astrology"):
        log_day("sw", date(2026, 2, 3), usage={"astrology": 1.0})


def test_counts_sum_exactly_and_impossible_counts_are_refused() -> None:
    assert counts_of({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}
    with pytest.raises(ValueError, match="sw training rows on law"):
        text_wordings(make_facts(17), "law", "sw", "training", 100000)


def test_importing_the_generator_loads_no_heavy_library() -> None:
    code = (
        "import sys, compass_core.world, compass_core.world.generate\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'tokenizers', 'dagster'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
