import random

from hypothesis import given
from hypothesis import strategies as st

from compass_core.adapters.batches import collate, plan_batches
from compass_core.adapters.chat import Example


def examples_of(n):
    return [Example(f"r{i:03}", [1] * (i + 2), 1, False) for i in range(n)]


def named(examples, plan):
    return [[examples[i].row_id for i in step] for step in plan.steps]


@given(st.integers(1, 40), st.integers(1, 9), st.sampled_from([0.5, 1.0, 2.0, 2.5]))
def test_every_epoch_holds_every_example_once(n, size, epochs):
    plan = plan_batches(examples_of(n), size, epochs, seed=3)
    order = [i for step in plan.steps for i in step]
    assert len(order) == max(1, round(epochs * n))
    for start in range(0, len(order) - n + 1, n):
        assert sorted(order[start : start + n]) == list(range(n))
    assert all(len(step) == size for step in plan.steps[:-1])


def test_the_order_of_the_rows_does_not_count():
    examples = examples_of(30)
    shuffled = random.Random(0).sample(examples, 30)
    one = named(examples, plan_batches(examples, 4, 2.0, seed=3))
    two = named(shuffled, plan_batches(shuffled, 4, 2.0, seed=3))
    assert one == two


def test_epochs_and_seeds_have_their_own_order():
    examples = examples_of(30)
    first, second = plan_batches(examples, 30, 2.0, seed=3).steps
    assert first != second
    assert plan_batches(examples, 30, 1.0, seed=4).steps[0] != first


def test_padding_carries_neither_attention_nor_loss():
    batch = collate([Example("a", [5, 6, 7], 1, False), Example("b", [8, 9], 2, False)], 0, "cpu")
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 7], [8, 9, -100]]
