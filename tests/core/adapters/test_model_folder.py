import pytest
import torch
from safetensors.torch import load_file, save_file

from compass_core.adapters import model_folder
from compass_core.adapters.model_folder import base_fingerprint, load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Execution
from compass_core.errors import ModelError
from tests.core.families import NAMES, family_folder, wrapped_folder


def test_the_base_model_is_known_by_its_content(project):
    prints = {
        base_fingerprint(BaseModelSettings(model=f"models/{name}"), project)
        for name in ("llama", "qwen2", "phi3", "plain")
    }
    assert len(prints) == 4


def test_the_precision_is_as_set(project):
    import torch

    cpu = Execution(device="cpu", threads=1)
    for name, dtype in (("auto", torch.float32), ("bfloat16", torch.bfloat16)):
        model = load_base(BaseModelSettings(model="models/llama", dtype=name), project, cpu)
        assert next(model.parameters()).dtype == dtype
        assert not model.training


def test_a_checkpoint_that_lacks_tensors_is_not_filled_up_at_random(tmp_path):
    family_folder(tmp_path / "m", "qwen2.5")
    path = tmp_path / "m" / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.layers.1.mlp.down_proj.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"\./m: 1 of its tensors .*layers\.1\.mlp\.down_proj"):
        load_base(BaseModelSettings(model="./m"), tmp_path, Execution(device="cpu", threads=1))


@pytest.mark.parametrize("name", [*NAMES, "wrapped qwen3.5", "wrapped llama-4"])
def test_a_whole_checkpoint_is_loaded_whole(tmp_path, name):
    kind, _, family = name.rpartition(" ")
    make = wrapped_folder if kind else family_folder
    make(tmp_path / "m", family)
    model = load_base(BaseModelSettings(model="./m"), tmp_path, Execution(device="cpu", threads=1))
    kept = {
        name.split("layers.")[-1]: t
        for name, t in load_file(tmp_path / "m" / "model.safetensors").items()
        if "vision" not in name and "visual" not in name
    }
    mine = {n.split("layers.")[-1]: p for n, p in model.named_parameters() if "layers." in n}
    for name, tensor in mine.items():
        if name in kept:
            assert torch.equal(tensor, kept[name]), name
    assert set(mine) & set(kept)


def test_emulated_bfloat16_is_no_reason_to_use_it(monkeypatch):
    def supported(including_emulation=True):
        return including_emulation

    monkeypatch.setattr("torch.cuda.is_bf16_supported", supported)
    settings = BaseModelSettings(model="models/llama")
    assert model_folder.weights_dtype(settings, "cuda") == torch.float32
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation=True: True)
    assert model_folder.weights_dtype(settings, "cuda") == torch.bfloat16


@pytest.mark.parametrize("load", [load_tokenizer, lambda b, p: load_base(b, p, Execution())])
def test_a_folder_without_a_model(tmp_path, load):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"of \./empty cannot|model \./empty cannot"):
        load(BaseModelSettings(model="./empty"), tmp_path)


def test_a_gpu_that_is_not_there(project, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ModelError, match=r"execution\.device: received cuda"):
        load_base(BaseModelSettings(model="models/llama"), project, Execution(device="cuda"))


def test_four_bits_without_their_library_name_the_install_line(project, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'compass-assets\[qlora\]'"):
        load_base(BaseModelSettings(model="models/llama"), project, Execution(device="cpu"), "4bit")


def test_layers_are_spread_by_accelerates_device_map(project, monkeypatch):
    monkeypatch.setattr(model_folder, "place", lambda execution: "sharded")
    base = BaseModelSettings(model="models/llama", dtype="float32")
    spread = load_base(base, project, Execution())
    whole = load_base(base, project, Execution(device="cpu"))
    monkeypatch.undo()
    ids = torch.tensor([[1, 3, 40, 41]])
    assert torch.equal(spread(ids).logits, whole(ids).logits)
