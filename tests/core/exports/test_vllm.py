import json
import shutil
from dataclasses import replace

import pytest
import torch
import transformers
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file

from compass_core.adapters.model_folder import load_base
from compass_core.adapters.registry import promote, publish
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import BaseModelSettings
from compass_core.errors import ModelError, StoreError
from compass_core.exports.adapter import export_peft
from compass_core.exports.vllm import check_servable, export_vllm
from tests.core.exports.conftest import LORA, ROWS
from tests.core.families import wrapped_folder


def test_the_manifest_maps_versioned_names_to_paths(ws, tmp_path):
    path = export_vllm(ws, "sw", None, tmp_path)
    found = json.loads(path.read_text())
    assert found["lora_modules"] == [
        {
            "name": "sw-v0001",
            "path": str((tmp_path / "sw-v0001").resolve()),
            "base_model_name": "models/llama",
        }
    ]
    assert found["serving"] == {"sw": "sw-v0001"}
    assert found["max_lora_rank"] == 16  # rank 12: the next that the server knows


def test_versions_that_are_there_stay_and_those_that_went_go(ws, tmp_path):
    export_vllm(ws, "sw", None, tmp_path)
    shutil.copytree(tmp_path / "sw-v0001", tmp_path / "hi-v0004")
    manifest = tmp_path / "lora_modules.json"
    book = json.loads(manifest.read_text())
    book["serving"] |= {"hi": "hi-v0004", "ar": "ar-v0001"}
    manifest.write_text(json.dumps(book))
    found = json.loads(export_vllm(ws, "sw", None, tmp_path).read_text())
    assert [module["name"] for module in found["lora_modules"]] == ["hi-v0004", "sw-v0001"]
    assert found["serving"] == {"hi": "hi-v0004", "sw": "sw-v0001"}


def test_dora_is_refused_with_the_way_out(ws, tmp_path):
    with pytest.raises(ModelError, match=r"it is a DoRA adapter.*--format merged"):
        export_vllm(ws, "sw", "v0002", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"modules_to_save": ["lm_head"]}, r"saves whole modules \(lm_head\)"),
        ({"bias": "all"}, r"trains biases \(all\)"),
        ({"r": 1024}, "rank 1024 is above 512"),
        ({"peft_type": "LOHA"}, "LOHA, not LORA"),
    ],
)
def test_what_the_loader_does_not_take_is_refused(ws, tmp_path, change, text):
    folder = export_peft(ws, "sw", None, tmp_path)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match=text):
        check_servable(folder)


def test_a_folder_without_weights_is_no_adapter(ws, tmp_path):
    folder = export_peft(ws, "sw", None, tmp_path)
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"adapter_model\.safetensors is missing"):
        check_servable(folder)


def test_what_another_export_left_there_is_not_served(ws, tmp_path):
    export_peft(ws, "sw", "v0002", tmp_path)  # DoRA
    found = json.loads(export_vllm(ws, "sw", None, tmp_path).read_text())
    assert [module["name"] for module in found["lora_modules"]] == ["sw-v0001"]


@pytest.mark.parametrize(
    ("family", "path", "served"),
    [
        ("qwen3.5", "model.language_model", "Qwen3_5ForConditionalGeneration"),
        ("llama-4", "language_model.model", "Llama4ForConditionalGeneration"),
    ],
)
def test_an_adapter_fits_the_class_that_the_checkpoint_names(ws, tmp_path, family, path, served):
    base = BaseModelSettings(model=str(wrapped_folder(tmp_path / "m", family)))
    project = ws.project.model_copy(update={"base_model": base})
    out = ws.store.scratch_dir(family)
    train_adapter(
        ROWS, LORA, base, project.execution, tmp_path, out, tmp_path / "c", 17, lambda text: None
    )
    version = publish(ws.store, family, out, {"weights_version": family})
    promote(ws.store, family, version, "first")
    mine = replace(ws, project=project)
    export_vllm(mine, family, None, tmp_path / "v")
    folder = tmp_path / "v" / f"{family}-{version}"
    given = load_file(folder / "adapter_model.safetensors")
    assert given
    assert all(name.startswith(f"base_model.model.{path}.layers.") for name in given)
    whole = getattr(transformers, served).from_pretrained(tmp_path / "m")
    around = PeftModel.from_pretrained(whole, str(folder)).eval()
    assert set(given) <= set(get_peft_model_state_dict(around, save_embedding_layers=False))
    if family == "qwen3.5":  # of Llama 4's class transformers cannot run a text without images
        plain = export_peft(mine, family, None, tmp_path / "p")
        decoder = load_base(base, tmp_path, project.execution)
        ids = torch.tensor([[40, 41, 42, 43]])
        with torch.inference_mode():
            bare = decoder(ids).logits.clone()
            alone = PeftModel.from_pretrained(decoder, str(plain)).eval()(ids).logits
            assert torch.allclose(around(ids).logits, alone, atol=1e-4)
            assert not torch.allclose(bare, alone, atol=1e-2)
