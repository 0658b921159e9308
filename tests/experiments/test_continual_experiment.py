"""The continual experiment's own machinery: the real stream and the figures. Nothing is trained."""

import polars as pl
import pytest

from experiments.continual.real_stream import (
    BUDGET_ROWS,
    CORPUS_ROWS,
    ITEMS_PER_TOPIC,
    make_real_stream,
)
from experiments.continual.report import _scale_table, figures

TOPICS = ("kodlama", "yemek", "sağlık")


@pytest.fixture
def shared(tmp_path):
    """Instructions in Turkish (seed 1), and prompts whose topics change with time."""
    rows = [
        {
            "id": f"{topic}-{n:03d}",
            "lang": "tr",
            "source": "lobe-chat-agents",
            "instruction": f"{topic} hakkında soru {n}",
            "input": None,
            "output": f"{topic} hakkında yanıt {n}",
            "topic": topic,
        }
        for topic in TOPICS
        for n in range(200)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "instruction_pool.parquet")
    prompts = [
        {
            "id": f"p{n:03d}",
            "lang": "tr",
            "kind": "agent opening question",
            "ts": f"2024-{1 + n // 20:02d}-01",
            "topic": TOPICS[0] if n < 100 else TOPICS[1 + n % 2],
        }
        for n in range(200)
    ]
    pl.DataFrame(prompts).write_parquet(tmp_path / "prompt_stream.parquet")
    return tmp_path


def test_a_real_stream_follows_the_time_of_the_prompts(shared):
    stream = make_real_stream(1, shared)
    assert stream.language == "tr"
    assert [stage.usage["kodlama"] for stage in stream.stages] == [1.0, 1.0, 0.0, 0.0]
    assert all(sum(stage.usage.values()) == pytest.approx(1) for stage in stream.stages)
    taken = [stage.rows.filter(pl.col("topic") == "yemek").height for stage in stream.stages]
    assert taken[2] > taken[1]


def test_held_out_rows_are_in_no_training_set_and_new_rows_are_new(shared):
    stream = make_real_stream(1, shared)
    assert stream.items.height == ITEMS_PER_TOPIC * len(TOPICS)
    seen: set[str] = set()
    for stage in stream.stages:
        assert stage.rows["row_id"].is_unique().all()
        assert stage.rows.height <= BUDGET_ROWS + CORPUS_ROWS
        assert not set(stage.rows["row_id"]) & set(stream.items["item_id"])
        assert not set(stage.new["row_id"]) & seen
        seen |= set(stage.rows["row_id"])


def test_a_real_stream_does_not_depend_on_the_order_of_its_files(shared):
    before = make_real_stream(1, shared)
    for name in ("instruction_pool", "prompt_stream"):
        path = shared / f"{name}.parquet"
        pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=3).write_parquet(path)
    after = make_real_stream(1, shared)
    assert [s.usage for s in after.stages] == [s.usage for s in before.stages]
    for one, other in zip(before.stages, after.stages, strict=True):
        assert one.rows.equals(other.rows)


def test_forgetting_is_what_was_lost_of_the_best_and_backward_transfer_of_what_was_current():
    # Topic a is asked about first and b last; after the middle step a was best.
    result = {
        "usage": [{"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5}, {"a": 0.0, "b": 1.0}],
        "accuracy": [{"a": 0.8, "b": 0.0}, {"a": 0.9, "b": 0.4}, {"a": 0.6, "b": 0.7}],
        "costs": [{}, _cost(100), _cost(50)],
    }
    found = figures(result)
    assert found["final_new"] == pytest.approx(70)
    assert found["forgetting"] == pytest.approx(((90 - 60) + (65 - 65)) / 2)
    assert found["backward"] == pytest.approx(((60 - 80) + (65 - 65)) / 2)
    assert found["tokens"] == 150


def test_updates_without_a_penalty_are_counted_and_not_left_out():
    result = {
        "usage": [{"a": 1.0}] * 4,
        "accuracy": [{"a": 0.8}] * 4,
        "costs": [
            {},
            _cost(1, penalty_per_task_loss=0.5, scale=30.0, final_rise=0.2, final_surrogate=0.3),
            _cost(1, penalty_per_task_loss=0.0, scale=0.0, final_rise=-0.1, final_surrogate=0.0),
            _cost(1, penalty_per_task_loss=None, scale=None),
        ],
    }
    found = figures(result)
    assert found["ratios"] == [0.5, 0.0]
    assert found["scales"] == [30.0, 0.0]
    table = _scale_table({"ecda": {0: found, 1: found}, "naive": {0: found | NO_PENALTY}})
    assert (
        table.splitlines()[-1]
        == "| ecda | 0.0 to 30.0 | 0.00 to 0.50 | 2 of 4 | 1.50 [1.50, 1.50], 2 |"
    )


NO_PENALTY = {"ratios": [], "scales": [], "rates": []}


def _cost(tokens, **more):
    return {"tokens": tokens, "fisher_tokens": 0, "wall_s": 1.0, "fisher_s": 0.0, **more}
