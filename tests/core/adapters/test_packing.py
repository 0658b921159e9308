import random

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from compass_core.adapters.batches import collate, micro_batches
from compass_core.adapters.chat import Example
from compass_core.adapters.loss import summed_loss
from compass_core.adapters.packing import check_isolation, collate_packed, pack
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import TrainingError
from tests.core.families import family_folder

CPU = Execution(device="cpu", threads=1)
PACKED = Adapter(rank=4, epochs=2, batch_size=6, learning_rate=0.01, max_tokens=64, packing=True)
ISOLATED = ("llama-3.1", "llama-4", "qwen2.5", "qwen3", "phi-4-mini")


def example_of(name, length, seed=0):
    drawn = random.Random(f"{name}{seed}")
    return Example(name, [drawn.randrange(10, 250) for _ in range(length)], length // 2 or 1, False)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packing")
    for name in (*ISOLATED, "qwen3.5"):
        family_folder(folder / name, name)
    return folder


@given(st.lists(st.integers(1, 64), min_size=1, max_size=30))
def test_every_example_is_in_one_sequence_and_none_is_too_long(lengths):
    examples = [example_of(f"r{i}", n) for i, n in enumerate(lengths)]
    bins = pack(examples, 64)
    assert sorted(e.row_id for part in bins for e in part) == sorted(e.row_id for e in examples)
    assert all(sum(len(e.ids) for e in part) <= 64 for part in bins)
    assert pack(examples[::-1], 64) == bins


def test_two_examples_that_fit_together_share_a_sequence():
    bins = pack([example_of("a", 40), example_of("b", 24), example_of("c", 25)], 64)
    assert [[e.row_id for e in part] for part in bins] == [["a", "b"], ["c"]] or [
        [e.row_id for e in part] for part in bins
    ] == [["a"], ["c", "b"]]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("name", ISOLATED)
def test_packed_logits_are_those_of_each_example_alone(families, name, attention):
    folder = families / name
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention).eval()
    examples = [example_of("a", 17), example_of("b", 9), example_of("c", 23)]
    batch = collate_packed([examples, [example_of("d", 11)]], 0, "cpu")
    with torch.inference_mode():
        together = model(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
        ).logits[0]
        start = 0
        for example in examples:
            alone = model(input_ids=torch.tensor([example.ids])).logits[0]
            found = together[start : start + len(example.ids)]
            assert torch.allclose(found, alone, atol=1e-4)
            start += len(example.ids)


@pytest.mark.parametrize("name", ISOLATED)
def test_loss_and_gradients_are_those_of_padded_examples(families, name):
    model = AutoModelForCausalLM.from_pretrained(families / name)
    examples = [example_of("a", 17), example_of("b", 9), example_of("c", 1), example_of("d", 30)]

    def slope(batch):
        model.zero_grad()
        loss = summed_loss(model, batch)
        loss.backward()
        return float(loss.detach()), model.model.layers[0].self_attn.o_proj.weight.grad.clone()

    one, first = slope(collate(examples, 0, "cpu"))
    two, second = slope(collate_packed(pack(examples, 64), 0, "cpu"))
    assert two == pytest.approx(one, rel=1e-5)
    assert torch.allclose(first, second, atol=1e-4)


def test_the_first_token_of_an_example_is_not_predicted_from_the_one_before():
    whole = Example("whole", [11, 12, 13], 3, False)  # nothing but answer
    batch = collate_packed([[example_of("a", 4), whole]], 0, "cpu")
    assert batch["labels"][0, 4:].tolist() == [-100, 12, 13]
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert "attention_mask" not in batch


def test_a_model_that_carries_state_over_the_border_is_refused(families):
    examples = [example_of("a", 12), example_of("b", 9)]
    for name in ISOLATED:
        model = AutoModelForCausalLM.from_pretrained(families / name)
        check_isolation(model, examples, 0, "cpu", 64)
    leaky = AutoModelForCausalLM.from_pretrained(families / "qwen3.5")
    with pytest.raises(TrainingError, match=r"see each other .* set adapter\.packing to false"):
        check_isolation(leaky, examples, 0, "cpu", 64)


def test_a_model_that_scales_attention_by_the_place_is_refused_from_there_on(tmp_path):
    family_folder(
        tmp_path / "m",
        "llama-4",
        no_rope_layers=[0, 1],
        layer_types=["full_attention", "chunked_attention"],
        floor_scale=32,
    )
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "m").eval()
    examples = [example_of("a", 12), example_of("b", 16), example_of("c", 20)]

    def furthest(several):
        batch = collate_packed([several], 0, "cpu")
        with torch.inference_mode():
            inputs = {k: v for k, v in batch.items() if k != "labels"}
            together = model(**inputs, use_cache=False).logits[0, -len(several[-1].ids) :]
            alone = model(input_ids=torch.tensor([several[-1].ids])).logits[0]
        return float((together - alone).abs().max())

    assert furthest(examples[:2]) < 1e-4  # 28 tokens
    assert furthest(examples) > 1e-3  # 48: the last one is past the place
    check_isolation(model, examples, 0, "cpu", 31)
    with pytest.raises(TrainingError, match=r"from 32 tokens on.* less than 32, or adapter\.pack"):
        check_isolation(model, examples, 0, "cpu", 32)


def test_a_training_on_packed_sequences_ends_at_the_same_weights(families, tmp_path, quiet):
    rows = pl.DataFrame(
        [
            {"row_id": str(i), "prompt": "Swali la kwanza " * (i % 4), "response": f"Jibu {i}"}
            for i in range(12)
        ]
    )
    found = {}
    for name, adapter in (
        ("packed", PACKED),
        ("small", PACKED.model_copy(update={"micro_batch_size": 1})),
        ("padded", PACKED.model_copy(update={"packing": False})),
    ):
        out = tmp_path / name
        out.mkdir()
        base = BaseModelSettings(model="./llama-3.1")
        train_adapter(rows, adapter, base, CPU, families, out, tmp_path / f"c{name}", 17, quiet)
        found[name] = load_file(out / "adapter_model.safetensors")
    for name in ("packed", "small"):
        assert all(torch.allclose(found[name][k], v, atol=1e-3) for k, v in found["padded"].items())


def test_packing_makes_fewer_sequences():
    examples = [example_of(f"r{i}", 8) for i in range(16)]
    packed = list(micro_batches(examples, PACKED, 0, "cpu"))
    padded = list(micro_batches(examples, PACKED.model_copy(update={"packing": False}), 0, "cpu"))
    assert packed[0]["input_ids"].shape == (2, 64)
    assert padded[0]["input_ids"].shape == (16, 8)
