"""QLoRA: an adapter trained over a base in 4 bits, by bitsandbytes itself, which has a CPU path."""

import json
from functools import partial

import polars as pl
import pytest
import torch

from compass_core.adapters.anchor import load_memory
from compass_core.adapters.continual import Remember, Update
from compass_core.adapters.conversation import examples_of
from compass_core.adapters.loss import mean_loss
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.adapters.packing import check_isolation
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from tests.core.families import family_folder

bitsandbytes = pytest.importorskip("bitsandbytes")

CPU = Execution(device="cpu", threads=1)
SHORT = Adapter(
    quantise="4bit", rank=4, alpha=8, epochs=4, batch_size=4, learning_rate=0.01, max_tokens=128
)
ROWS = pl.DataFrame(
    [
        {"row_id": "1", "prompt": "Mji mkuu wa Kenya?", "response": "Nairobi"},
        {"row_id": "2", "prompt": "भारत की राजधानी?", "response": "नई दिल्ली"},
        {"row_id": "3", "prompt": "ما عاصمة مصر؟", "response": "القاهرة"},
    ]
)
BASE = BaseModelSettings(model="./qwen2.5")


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    family_folder(folder / "qwen2.5", "qwen2.5")
    return folder


def train(families, out, adapter, **more):
    out.mkdir()
    return train_adapter(
        ROWS, adapter, BASE, CPU, families, out, out / "cp", 17, lambda text: None, **more
    )


def test_the_bases_linear_layers_are_in_four_bits_and_only_the_adapter_is_trained(families):
    model = adapted_model(SHORT, BASE, CPU, families)
    layer = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    assert type(layer.base_layer).__name__ == "Linear4bit"
    assert layer.base_layer.weight.dtype == torch.uint8
    assert layer.base_layer.weight.numel() == 32 * 32 // 2
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all(".lora_" in name for name in trained)


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_what_is_trained_over_four_bits_serves_on_the_whole_model(families, tmp_path, method):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = SHORT.model_copy(update={"method": method, "gradient_checkpointing": True})
    result = train(families, tmp_path / "out", adapter)
    assert result.loss_last < result.loss_first
    whole = AutoModelForCausalLM.from_pretrained(families / "qwen2.5")
    ids = torch.tensor([[5, 9, 40, 41]])
    plain = whole(ids).logits.clone()
    served = PeftModel.from_pretrained(whole, str(tmp_path / "out"))(ids).logits
    assert not torch.allclose(plain, served)
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"].endswith("qwen2.5")


def test_it_is_updated_over_four_bits_with_its_memory(families, tmp_path):
    first = train(
        families, tmp_path / "first", SHORT, remember=Remember(ROWS, folder=tmp_path / "memory")
    )
    memory = load_memory(tmp_path / "memory")
    assert memory.identity["quantisation"] == "4bit"
    assert sum(float(f.sum()) for f in memory.fisher.values()) > 0
    update = Update("v0001", memory, ROWS, 2.0, 0.1, 2)
    again = train(families, tmp_path / "again", SHORT, update=update)
    assert again.weights_version != first.weights_version
    assert again.losses[0] < first.losses[0]


NAMES = ("llama-3.1", "qwen2.5", "phi-4-mini")
LONG = SHORT.model_copy(update={"epochs": 60})


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Wide enough for 4 bits to be near: an error of many weights is less than one of few."""
    folder = tmp_path_factory.mktemp("wide")
    for name in NAMES:
        family_folder(folder / name, name, hidden_size=128, intermediate_size=256)
    return folder


def base_of(name):
    return BaseModelSettings(model=f"./{name}")


def quantised(model):
    return {n: m for n, m in model.named_modules() if isinstance(m, bitsandbytes.nn.Linear4bit)}


def cosine(a, b):
    return float(torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0))


@pytest.mark.parametrize("name", NAMES)
def test_the_decoders_linear_layers_are_in_nf4_and_nothing_else(wide, name):
    model = load_base(base_of(name), wide, CPU, "4bit")
    whole = load_base(base_of(name), wide, CPU)
    linear = {n for n, m in whole.named_modules() if isinstance(m, torch.nn.Linear)}
    assert set(quantised(model)) == linear - {"lm_head"}
    for module in quantised(model).values():
        state = module.weight.quant_state
        assert (module.weight.dtype, state.quant_type, state.nested) == (torch.uint8, "nf4", True)
        assert module.weight.device.type == "cpu"
    assert model.lm_head.weight.dtype == torch.float32
    ids = torch.tensor([[5, 9, 40, 41]])
    with torch.no_grad():
        assert cosine(model(ids).logits, whole(ids).logits) > 0.9


def gradients(model, ids):
    model.train()
    model.zero_grad()
    model(input_ids=ids, labels=ids).loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def test_gradients_are_those_of_the_weights_that_four_bits_stand_for(wide):
    """Also after the look at packing, a forward pass in evaluation mode: where the CPU has
    AVX512-BF16, bitsandbytes packs the weights anew in one, and they have no gradient any more."""
    name, adapter = "llama-3.1", LONG.model_copy(update={"quantise": "none"})
    torch.manual_seed(3)
    over_four = adapted_model(LONG, base_of(name), CPU, wide)
    torch.manual_seed(3)
    over_full = adapted_model(adapter, base_of(name), CPU, wide)
    named = dict(over_full.named_modules())
    with torch.no_grad():
        for n, module in quantised(over_four).items():
            meant = bitsandbytes.functional.dequantize_4bit(
                module.weight.data, module.weight.quant_state
            )
            named[n].weight.copy_(meant)
        for model in (over_four, over_full):
            for n, parameter in model.named_parameters():
                if "lora_B" in n:
                    parameter.fill_(0.01)  # at zero, A has no gradient
    tokenizer = load_tokenizer(base_of(name), wide)
    examples = examples_of(tokenizer, ROWS, 128)
    check_isolation(over_four, examples, tokenizer.pad_token_id, torch.device("cpu"), 64)
    ids = torch.tensor([examples[0].ids])
    found, expected = gradients(over_four, ids), gradients(over_full, ids)
    assert found.keys() == expected.keys()
    for n in found:
        assert float(expected[n].abs().max()) > 0
        torch.testing.assert_close(found[n], expected[n], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("llama-3.1", {}),
        ("qwen2.5", {"packing": True, "gradient_checkpointing": True}),
        ("phi-4-mini", {"method": "dora", "micro_batch_size": 2}),
    ],
)
def test_an_adapter_trained_over_four_bits_does_on_the_full_base_what_it_was_taught(
    wide, tmp_path, quiet, name, more
):
    from peft import PeftModel

    adapter = LONG.model_copy(update=more)
    train = partial(train_adapter, ROWS, adapter, base_of(name), CPU, wide)
    versions = []
    for n in ("one", "two"):
        (tmp_path / n).mkdir()
        result = train(tmp_path / n, tmp_path / f"{n}-steps", 17, quiet)
        versions.append(result.weights_version)
    assert versions[0] == versions[1]
    assert result.loss_last < 0.2 < 3 < result.loss_first
    folder, tokenizer = str(tmp_path / "one"), load_tokenizer(base_of(name), wide)
    examples = examples_of(tokenizer, ROWS, 128)
    full = load_base(base_of(name), wide, CPU)
    untaught = mean_loss(full, examples, tokenizer.pad_token_id)
    four = PeftModel.from_pretrained(load_base(base_of(name), wide, CPU, "4bit"), folder)
    full = PeftModel.from_pretrained(full, folder)
    ids = torch.tensor([examples[0].ids])
    with torch.no_grad():
        after, trained = full(ids).logits, four(ids).logits
        with full.disable_adapter():
            before = full(ids).logits
    taught = mean_loss(full, examples, tokenizer.pad_token_id)
    assert taught < 0.02 * untaught
    assert cosine(after, trained) > 0.9
    assert float((after - trained).norm()) < 0.5 * float((before - trained).norm())
