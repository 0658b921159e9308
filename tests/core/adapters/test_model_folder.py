import pytest
import torch

from compass_core.adapters import model_folder
from compass_core.adapters.model_folder import base_fingerprint, load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Execution
from compass_core.errors import ModelError


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
