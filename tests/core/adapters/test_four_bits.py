"""QLoRA: an adapter trained over a base in 4 bits, by bitsandbytes itself, which has a CPU path."""

import json

import polars as pl
import pytest
import torch

from compass_core.adapters.anchor import load_memory
from compass_core.adapters.continual import Remember, Update
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from tests.core.families import family_folder

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
