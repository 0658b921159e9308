import json
import math
import random

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from compass_core.adapters import loop
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import TrainingError

CPU = Execution(device="cpu", threads=1)
SHORT = Adapter(rank=4, alpha=8, epochs=2, batch_size=4, learning_rate=0.01, max_tokens=64)
CAPITALS = {
    "Mji mkuu wa Kenya?": "Nairobi",
    "भारत की राजधानी?": "नई दिल्ली",
    "ما عاصمة مصر؟": "القاهرة",
    "เมืองหลวงของไทย": "กรุงเทพ",
    "日本の首都は": "東京",
    "የኢትዮጵያ ዋና ከተማ?": "አዲስ አበባ",
}
ROWS = pl.DataFrame(
    [
        {"row_id": f"{n}-{i}", "prompt": prompt, "response": response}
        for n in range(3)
        for i, (prompt, response) in enumerate(CAPITALS.items())
    ]
)


@pytest.fixture
def run(project, tmp_path, quiet):
    def train(name, rows=ROWS, adapter=SHORT, family="llama", checkpoints="checkpoints", **more):
        out = tmp_path / name
        out.mkdir(exist_ok=True)
        base = BaseModelSettings(model=f"models/{family}")
        result = train_adapter(
            rows, adapter, base, CPU, project, out, tmp_path / checkpoints, 17, quiet, **more
        )
        return result, out

    return train


def weights(folder):
    return load_file(folder / "adapter_model.safetensors")


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi3", "plain"])
def test_a_standard_folder_that_peft_loads(run, project, family):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    result, out = run("out", family=family)
    assert result.steps == 9
    assert result.rows == 18
    assert result.loss_last < result.loss_first
    base = AutoModelForCausalLM.from_pretrained(project / "models" / family)
    ids = torch.tensor([[1, 3, 40, 41, 5, 4]])
    plain = base(ids).logits.clone()
    adapted = PeftModel.from_pretrained(base, str(out)).eval()(ids).logits
    assert not torch.allclose(plain, adapted)


@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
def test_each_method_is_what_the_folder_says(run, method):
    _, out = run("out", adapter=SHORT.model_copy(update={"method": method}))
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["use_rslora"] == (method == "rslora")
    assert config["use_dora"] == (method == "dora")
    assert any("magnitude" in name for name in weights(out)) == (method == "dora")


def test_the_folder_names_the_model_as_the_project_does(run):
    lineage = {
        "language": "sw",
        "language_name": "Kiswahili",
        "licences": {"CC-BY-4.0": 18},
        "row_languages": {"sw": 12, "th": 6},
    }
    _, out = run("out", lineage=lineage)
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "models/llama"
    assert config["target_modules"] == sorted(config["target_modules"])
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "# Kiswahili adapter" in card
    assert "| CC-BY-4.0 | 18 |" in card
    assert "| th | 6 |" in card
    assert json.loads((out / "lineage.json").read_text()) == lineage
    assert len(json.loads((out / "training_log.json").read_text())["losses"]) == 9


def test_the_same_rows_in_another_order_give_the_same_weights(run):
    one, first = run("one")
    shuffled = ROWS.sample(fraction=1.0, shuffle=True, seed=random.Random(1).randrange(99))
    two, second = run("two", rows=shuffled, checkpoints="other")
    assert same(weights(first), weights(second))
    assert one.weights_version == two.weights_version


def test_rows_of_one_id_are_ordered_by_their_text(run):
    twins = pl.concat(
        [ROWS.with_columns(row_id=pl.lit("r")), ROWS.with_columns(row_id=pl.lit("s"))]
    )
    one, _ = run("one", rows=twins)
    two, _ = run("two", rows=twins.reverse(), checkpoints="other")
    assert one.weights_version == two.weights_version


def test_micro_batches_add_up_to_the_batch(run):
    _, whole = run("whole")
    small = SHORT.model_copy(update={"micro_batch_size": 1})
    _, parts = run("parts", adapter=small)
    one, two = weights(whole), weights(parts)
    assert all(torch.allclose(one[k], two[k], atol=1e-4) for k in one)


def test_checkpointed_activations_change_nothing_but_the_memory(run):
    _, whole = run("whole")
    thrifty = SHORT.model_copy(update={"gradient_checkpointing": True})
    _, parts = run("parts", adapter=thrifty)
    one, two = weights(whole), weights(parts)
    assert all(torch.allclose(one[k], two[k], atol=1e-5) for k in one)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_killed_training_resumes_to_the_same_weights(run, monkeypatch, quiet, dropout):
    often = SHORT.model_copy(update={"checkpoint_every_s": 1e-9, "dropout": dropout})
    straight, expected = run("straight", adapter=often, checkpoints="straight")
    update = loop.Training.update

    def dies(self, examples, pad_id):
        if self.step == 5:
            raise KeyboardInterrupt
        return update(self, examples, pad_id)

    monkeypatch.setattr(loop.Training, "update", dies)
    with pytest.raises(KeyboardInterrupt):
        run("killed", adapter=often)
    monkeypatch.setattr(loop.Training, "update", update)
    resumed, found = run("killed", adapter=often)
    assert resumed.resumed_at_step == 5
    assert "resuming at step 5 of 9" in quiet.lines
    assert same(weights(expected), weights(found))
    assert resumed.losses == straight.losses


@pytest.mark.parametrize("change", ["rows", "settings"])
def test_another_training_does_not_take_the_checkpoint(run, change):
    often = SHORT.model_copy(update={"checkpoint_every_s": 1e-9})
    run("first", adapter=often)
    more = {"rows": ROWS.head(17)} if change == "rows" else {}
    adapter = often if change == "rows" else often.model_copy(update={"learning_rate": 0.002})
    result, _ = run("second", adapter=adapter, **more)
    assert result.resumed_at_step == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e9])
def test_a_loss_that_explodes_stops_it_and_leaves_nothing(run, monkeypatch, tmp_path, bad):
    summed, calls = loop.row_losses, []

    def explodes(model, batch):
        calls.append(1)
        return summed(model, batch) * (bad if len(calls) == 3 else 1.0)

    monkeypatch.setattr(loop, "row_losses", explodes)
    with pytest.raises(TrainingError, match=r"at step 3 .*lower adapter\.learning_rate"):
        run("out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_gradient_that_is_not_a_number_never_reaches_the_weights(run, monkeypatch):
    def spoil(model, batch):
        loss = original(model, batch)
        weight = next(p for p in model.parameters() if p.requires_grad)
        return loss + torch.sqrt(weight.sum() * 0)  # 0 with an infinite slope times 0: nan

    original = loop.row_losses
    monkeypatch.setattr(loop, "row_losses", spoil)
    with pytest.raises(TrainingError, match="gradient's norm is nan at step 1"):
        run("out")


@pytest.mark.parametrize("packing", [False, True])
def test_a_conversation_teaches_each_of_its_answers(run, project, packing):
    from compass_core.adapters.conversation import examples_of
    from compass_core.adapters.model_folder import load_tokenizer
    from compass_core.turns import Exchange, earlier_turns

    before = earlier_turns([Exchange("Mji mkuu wa Kenya?", "Nairobi")])
    rows = ROWS.with_columns(earlier_turns=pl.when(pl.col("row_id") == "0-3").then(pl.lit(before)))
    adapter = SHORT.model_copy(update={"packing": packing, "max_tokens": 128})
    plain, _ = run("plain", adapter=adapter)
    told, _ = run("told", rows=rows, adapter=adapter, checkpoints="other")
    tokenizer = load_tokenizer(BaseModelSettings(model="models/llama"), project)
    counted = [sum(e.supervised for e in examples_of(tokenizer, f, 128)) for f in (ROWS, rows)]
    assert (plain.supervised_tokens, told.supervised_tokens) == tuple(2 * n for n in counted)
    assert counted[1] > counted[0]
    assert told.rows == rows.height
    assert plain.weights_version != told.weights_version
    nothing = ROWS.with_columns(earlier_turns=pl.lit(None, dtype=pl.String))
    assert run("same", rows=nothing, adapter=adapter)[0].weights_version == plain.weights_version


def test_what_was_cut_is_counted(run):
    long = ROWS.with_columns(
        prompt=pl.when(pl.col("row_id") == "0-0").then(pl.lit("neno " * 200)).otherwise("prompt")
    )
    result, _ = run("out", rows=long)
    assert result.truncated_rows == 1


def test_no_rows_is_an_error_that_says_what_to_do(run):
    with pytest.raises(TrainingError, match=r"raise sampling\.budget or add a corpus"):
        run("out", rows=ROWS.clear())


def test_target_modules_can_be_named(run):
    _, out = run("out", adapter=SHORT.model_copy(update={"target_modules": ["q_proj"]}))
    assert all(".q_proj." in name for name in weights(out))
