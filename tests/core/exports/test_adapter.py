import json

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from compass_core.errors import StoreError
from compass_core.exports import adapter
from compass_core.exports.adapter import chosen_version, export_merged, export_peft, replacing

IDS = torch.tensor([[1, 3, 40, 41, 5, 4]])


def base_of(ws):
    return AutoModelForCausalLM.from_pretrained(ws.directory / "models" / "llama").eval()


def test_a_peft_folder_is_loaded_as_it_is(ws, tmp_path):
    folder = export_peft(ws, "sw", None, tmp_path)
    assert folder.name == "sw-v0001"
    base = base_of(ws)
    plain = base(IDS).logits.clone()
    assert not torch.allclose(plain, PeftModel.from_pretrained(base, str(folder))(IDS).logits)
    assert json.loads((folder / "lineage.json").read_text())["language"] == "sw"


def test_the_card_has_licences_and_scores(ws, tmp_path):
    card = (export_peft(ws, "sw", None, tmp_path) / "README.md").read_text(encoding="utf-8")
    assert "| CC-BY-4.0 | 2 |" in card
    assert "| capitals | 4 | 25.0 [4.6, 69.9] | 75.0 [30.1, 95.4] | +50.0" in card
    again = (export_peft(ws, "sw", None, tmp_path) / "README.md").read_text(encoding="utf-8")
    assert again == card
    unscored = export_peft(ws, "sw", "v0002", tmp_path) / "README.md"
    assert "Not scored yet" in unscored.read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["v0001", "v0002"])
def test_a_merged_model_speaks_as_the_adapter_does(ws, tmp_path, version):
    folder = export_merged(ws, "sw", version, tmp_path)
    assert not (folder / "adapter_config.json").exists()
    merged = AutoModelForCausalLM.from_pretrained(folder).eval()
    adapted = PeftModel.from_pretrained(base_of(ws), str(export_peft(ws, "sw", version, tmp_path)))
    with torch.inference_mode():
        assert torch.allclose(merged(IDS).logits, adapted.eval()(IDS).logits, atol=1e-3)
        assert not torch.allclose(merged(IDS).logits, base_of(ws)(IDS).logits, atol=1e-2)
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert "## Scores" in (folder / "README.md").read_text(encoding="utf-8")


def test_what_is_loaded_in_another_dtype_is_rounded_when_it_is_written(ws, tmp_path, monkeypatch):
    monkeypatch.setattr(adapter, "export_dtype", lambda base, folder: "bfloat16")
    folder = export_merged(ws, "sw", "v0001", tmp_path)
    written = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    assert {p.dtype for p in written.parameters()} == {torch.bfloat16}
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"


def test_what_does_not_exist_is_refused(ws):
    with pytest.raises(StoreError, match=r"v0009 does not exist; there are: v0001, v0002"):
        chosen_version(ws, "sw", "v0009")
    with pytest.raises(StoreError, match=r"no adapter of hi serves; name one with --version"):
        chosen_version(ws, "hi", None)


def test_an_export_that_breaks_off_leaves_the_old_one(tmp_path):
    target = tmp_path / "out"
    with replacing(target) as folder:
        folder.mkdir()
        (folder / "a").write_text("old")

    def breaks_off():
        with replacing(target) as folder:
            folder.mkdir()
            (folder / "a").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks_off()
    assert (target / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
