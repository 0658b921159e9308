import json
import shutil

import pytest

from compass_core.errors import ModelError, StoreError
from compass_core.exports.adapter import export_peft
from compass_core.exports.vllm import check_servable, export_vllm


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
