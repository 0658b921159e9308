import json
import shutil
from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from compass_core.adapters.chat import prompt_text
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.errors import StoreError
from compass_core.exports import adapter
from compass_core.exports.adapter import chosen_version, export_merged, export_peft, replacing
from compass_core.turns import Exchange, messages

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
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Scores" in card
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert "\nMerged: the weights here are" in card
    plain = (export_peft(ws, "sw", version, tmp_path) / "README.md").read_text(encoding="utf-8")
    assert plain.startswith("---\nlibrary_name: peft\n")
    assert "Merged:" not in plain


def test_a_merged_model_stops_where_its_answers_end(ws, tmp_path):
    folder = export_merged(ws, "sw", None, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    end = tokenizer.convert_tokens_to_ids("<|end|>")
    assert tokenizer.eos_token_id != end  # the template ends a turn by another token
    assert end in found
    before = base_of(ws).generation_config.eos_token_id
    assert set(found) == {before, end} - {None}


@pytest.mark.parametrize("system", [None, "Jibu kwa ufupi."])
def test_a_base_model_without_a_template_gets_the_one_that_was_trained_on(ws, tmp_path, system):
    base = ws.project.base_model.model_copy(update={"model": "models/bare"})
    bare = ws.directory / "models" / "bare"
    if not bare.exists():
        shutil.copytree(ws.directory / "models" / "llama", bare)
        (bare / "chat_template.jinja").unlink()
    mine = replace(ws, project=ws.project.model_copy(update={"base_model": base}))
    served = AutoTokenizer.from_pretrained(export_merged(mine, "sw", None, tmp_path))
    trained = load_tokenizer(base, ws.directory)
    assert trained.chat_template is None
    earlier = [Exchange("Bei ya chai?", "Mia mbili")]
    turns = [*messages(earlier, system), {"role": "user", "content": "Na kahawa?"}]
    text = served.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert text == prompt_text(trained, "Na kahawa?", earlier, system)


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
