import json

import polars as pl
import pytest
import torch

from compass_core.adapters.chat import encode_example, prompt_text
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.adapters.presets import (
    GENERIC,
    PRESETS,
    check_length,
    configuration,
    export_dtype,
    preset_of,
)
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import ModelError
from tests.core.families import NAMES, family_folder

CPU = Execution(device="cpu", threads=1)
SHORT = Adapter(rank=4, alpha=8, epochs=2, batch_size=4, learning_rate=0.01, max_tokens=128)
ROWS = pl.DataFrame(
    [
        {"row_id": "1", "prompt": "Mji mkuu wa Kenya?", "response": "Nairobi"},
        {"row_id": "2", "prompt": "भारत की राजधानी?", "response": "नई दिल्ली"},
        {"row_id": "3", "prompt": "ما عاصمة مصر؟", "response": "القاهرة"},
        {"row_id": "4", "prompt": "日本の首都は", "response": "東京"},
    ]
)
# What a family's template must come to: the whole example, and what of it carries loss.
WHOLE = {
    "llama-3.1": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        "Cutting Knowledge Date: December 2023\nToday Date: 01 Jan 2025\n\n<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nSwali<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "Jibu<|eot_id|>",
    ),
    "llama-4": (
        "<|begin_of_text|><|header_start|>user<|header_end|>\n\nSwali<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n",
        "Jibu<|eot|>",
    ),
    "qwen2.5": (
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
        "<|im_end|>\n<|im_start|>user\nSwali<|im_end|>\n<|im_start|>assistant\n",
        "Jibu<|im_end|>",
    ),
    "qwen3": (
        "<|im_start|>user\nSwali<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "Jibu<|im_end|>",
    ),
    "phi-4-mini": ("<|user|>Swali<|end|><|assistant|>", "Jibu<|end|>"),
}
WHOLE["qwen3.5"] = WHOLE["qwen3"]


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    for name in NAMES:
        family_folder(folder / name, name)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_family_is_known_by_its_architecture(families, name):
    assert preset_of(BaseModelSettings(model=f"./{name}"), families).name == name
    assert preset_of(BaseModelSettings(model=f"./{name}", preset=name), families).name == name


def test_a_preset_of_another_architecture_is_refused(families):
    settings = BaseModelSettings(model="./qwen3", preset="llama-3.1")
    with pytest.raises(ModelError, match=r"received llama-3\.1, and \./qwen3 is a qwen3"):
        preset_of(settings, families)


def test_what_no_preset_knows_is_generic(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": "gemma9"}))
    assert preset_of(BaseModelSettings(model="./m"), tmp_path) is GENERIC


def test_a_multimodal_configuration_is_read_through(tmp_path):
    (tmp_path / "m").mkdir()
    given = {"model_type": "qwen3_5", "text_config": {"model_type": "x", "hidden_size": 7}}
    (tmp_path / "m" / "config.json").write_text(json.dumps(given))
    settings = BaseModelSettings(model="./m")
    assert preset_of(settings, tmp_path).name == "qwen3.5"
    assert configuration(settings, tmp_path)["hidden_size"] == 7


@pytest.mark.parametrize("name", NAMES)
def test_loss_is_on_the_answer_and_the_token_that_ends_the_turn(families, name):
    tokenizer = load_tokenizer(BaseModelSettings(model=f"./{name}"), families)
    example = encode_example(tokenizer, "r", "Swali", "Jibu", 512)
    before, answer = WHOLE[name]
    assert tokenizer.decode(example.ids) == before + answer
    assert tokenizer.decode([i for i in example.labels if i != -100]) == answer


def test_arguments_of_the_project_go_over_the_presets(families):
    arguments = {"enable_thinking": True}
    settings = BaseModelSettings(model="./qwen3", template_arguments=arguments)
    assert prompt_text(load_tokenizer(settings, families), "q").endswith("assistant\n")
    settings = BaseModelSettings(model="./qwen3.5", template_arguments=arguments)
    assert prompt_text(load_tokenizer(settings, families), "q").endswith("<think>\n")
    dated = BaseModelSettings(model="./llama-3.1", template_arguments={"date_string": "1 Feb"})
    assert "Today Date: 1 Feb\n" in prompt_text(load_tokenizer(dated, families), "q")


@pytest.mark.parametrize("name", NAMES)
def test_a_system_prompt_takes_the_place_of_the_templates_own(families, name):
    settings = BaseModelSettings(model=f"./{name}", system_prompt="Jibu kwa Kiswahili.")
    text = prompt_text(load_tokenizer(settings, families), "Swali")
    assert text.count("Jibu kwa Kiswahili.") == 1
    assert "You are Qwen" not in text


@pytest.mark.parametrize("name", NAMES)
def test_each_family_trains_the_presets_layers(families, tmp_path, quiet, name):
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    out = tmp_path / "out"
    out.mkdir()
    base = BaseModelSettings(model=f"./{name}")
    result = train_adapter(ROWS, SHORT, base, CPU, families, out, tmp_path / "c", 17, quiet)
    assert result.loss_last < result.loss_first
    found = {
        key.split(".lora_")[0].rsplit(".", 1)[-1] for key in load_file(next(out.glob("*.safe*")))
    }
    assert found == {module.rsplit(".", 1)[-1] for module in PRESETS[name].target_modules}
    model = AutoModelForCausalLM.from_pretrained(families / name)
    ids = torch.tensor([[5, 9, 40, 41]])
    plain = model(ids).logits.clone()
    assert not torch.allclose(plain, PeftModel.from_pretrained(model, str(out))(ids).logits)


def rewritten(families, tmp_path, name, **changes):
    """A folder with a family's configuration alone, some of it changed (None: left out)."""
    config = json.loads((families / name / "config.json").read_text()) | changes
    (tmp_path / name).mkdir()
    kept = {key: value for key, value in config.items() if value is not None}
    (tmp_path / name / "config.json").write_text(json.dumps(kept))
    return BaseModelSettings(model=f"./{name}")


def test_merged_weights_are_written_in_the_projects_the_checkpoints_or_the_presets_dtype(
    families, tmp_path
):
    told = BaseModelSettings(model="./qwen3", dtype="float16")
    assert export_dtype(told, families) == "float16"
    assert export_dtype(BaseModelSettings(model="./qwen3"), families) == "float32"
    silent = rewritten(families, tmp_path, "qwen3", dtype=None, torch_dtype=None)
    assert export_dtype(silent, tmp_path) == PRESETS["qwen3"].dtype == "bfloat16"


def test_positions_that_the_family_was_not_made_for_are_refused(families, tmp_path):
    base = rewritten(families, tmp_path, "qwen3", max_position_embeddings=40_960)
    check_length(base, tmp_path, 32_768)
    with pytest.raises(ModelError, match=r"32769 tokens, and models of the preset qwen3 are made"):
        check_length(base, tmp_path, 32_769)


def test_examples_longer_than_the_models_positions_are_refused(families):
    check_length(BaseModelSettings(model="./qwen3"), families, 512)
    with pytest.raises(
        ModelError, match=r"an example has 513 tokens, and \./qwen3 has 512 positions"
    ):
        check_length(BaseModelSettings(model="./qwen3"), families, 513)
