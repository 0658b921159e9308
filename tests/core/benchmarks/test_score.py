import math

import polars as pl
import pytest
import torch

from compass_core import records
from compass_core.adapters.train import train_adapter
from compass_core.benchmarks import score as module
from compass_core.benchmarks.score import score_items
from compass_core.config.schema import (
    Adapter,
    BaseModelSettings,
    Benchmarks,
    Execution,
    Suite,
)
from compass_core.errors import ModelError

CPU = Execution(device="cpu", threads=1)
BATCH = Benchmarks(batch_size=8)
QUESTIONS = {
    "Mji mkuu wa Kenya ni upi?": "Nairobi",
    "भारत की राजधानी क्या है?": "नई दिल्ली",
    "ما هي عاصمة مصر؟": "القاهرة",
    "เมืองหลวงของไทยคืออะไร": "กรุงเทพ",
    "日本の首都はどこですか": "東京",
    "የኢትዮጵያ ዋና ከተማ ማን ናት?": "አዲስ አበባ",
}


def items_of(suite="capitals", split="test"):
    answers = list(QUESTIONS.values())
    rows = []
    for i, (question, answer) in enumerate(QUESTIONS.items()):
        others = [a for a in answers if a != answer][:3]
        place = i % 4
        rows.append(
            {
                "item_id": f"{suite}-{split}-{i}",
                "language": "sw",
                "suite": suite,
                "split": split,
                "question": question,
                "choices": [*others[:place], answer, *others[place:]],
                "answer": place,
                "subject": "geo",
                "content_hash": f"c{i}",
                "row_hash": f"r{i}",
            }
        )
    return pl.DataFrame(rows, schema=records.BENCHMARK)


@pytest.fixture(scope="module")
def trained(project, tmp_path_factory):
    """Folders of adapters that learned the answers, by family."""
    rows = pl.DataFrame(
        [
            {"row_id": str(i), "prompt": q, "response": a}
            for i, (q, a) in enumerate(QUESTIONS.items())
        ]
    )
    settings = Adapter(rank=8, alpha=16, epochs=60, batch_size=6, learning_rate=0.02)
    folders = {}
    for family in ("llama", "qwen2", "phi3"):
        out = folders[family] = tmp_path_factory.mktemp(family)
        base = BaseModelSettings(model=f"models/{family}")
        checkpoints = tmp_path_factory.mktemp("checkpoints")
        train_adapter(rows, settings, base, CPU, project, out, checkpoints, 17, lambda text: None)
    return folders


def score(project, items, adapters=None, family="llama", suites=None, **more):
    base = BaseModelSettings(model=f"models/{family}")
    suites = suites or [Suite(name="capitals")]
    return score_items(items, suites, base, adapters or {}, BATCH, CPU, project, **more)


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi3"])
def test_what_an_adapter_learned_shows(project, trained, family):
    scored = score(project, items_of(), {"v0001": trained[family]}, family)
    assert scored.schema == records.SCORES
    right = dict(scored.group_by("model").agg(pl.col("correct").sum()).iter_rows())
    assert right["adapter"] == 6
    assert right["base"] < 6
    assert scored.filter(pl.col("model") == "base")["adapter_version"].null_count() == 6


def test_the_table_is_consistent_with_its_logliks(project, trained):
    scored = score(project, items_of(), {"v0001": trained["llama"]})
    for row in scored.iter_rows(named=True):
        values = row["logliks"]
        assert row["predicted"] == values.index(max(values))
        assert row["correct"] == (row["predicted"] == row["answer"])
        wrong = max(v for i, v in enumerate(values) if i != row["answer"])
        assert row["margin"] == pytest.approx(values[row["answer"]] - wrong)
        assert all(v < 0 for v in values)


def test_a_score_is_the_mean_log_likelihood_of_the_assistants_turn(project):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = project / "models" / "llama"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    row = items_of().row(3, named=True)
    scored = score(project, items_of()).row(3, named=True)
    for choice, found in zip(row["choices"], scored["logliks"], strict=True):
        before = tokenizer(
            f"<s><|user|>{row['question']}<|end|>\n<|assistant|>", add_special_tokens=False
        )["input_ids"]
        answer = tokenizer(f"{choice}<|end|>", add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([before + answer])).logits[0].log_softmax(-1)
        total = sum(float(logits[len(before) + i - 1, t]) for i, t in enumerate(answer))
        assert found == pytest.approx(total / len(answer), abs=1e-5)


def test_letters_lists_the_choices_and_scores_the_letters(project):
    tokenizer = module.load_tokenizer(BaseModelSettings(model="models/llama"), project)
    row = items_of().row(0, named=True)
    sequences = module._sequences(tokenizer, row, "letters")
    listed = "\n".join(
        f"{letter}. {text}" for letter, text in zip("ABCD", row["choices"], strict=True)
    )
    assert [tokenizer.decode(e.ids) for e in sequences] == [
        f"<s><|user|>{row['question']}\n{listed}<|end|>\n<|assistant|>{letter}<|end|>"
        for letter in "ABCD"
    ]
    assert {e.supervised for e in sequences} == {2}


def test_splits_suites_and_limits(project):
    items = pl.concat([items_of(), items_of(split="dev"), items_of("other")])
    suites = [Suite(name="capitals", max_items=4), Suite(name="other", style="letters")]
    scored = score(project, items, suites=suites)
    counted = dict(scored.group_by("suite").len().iter_rows())
    assert counted == {"capitals": 4, "other": 6}
    assert set(scored["split"]) == {"test"}
    assert score(project, items, split="dev").height == 6


def test_neither_row_order_nor_company_changes_a_score(project):
    alone = score(project, items_of()).sort("item_id")
    company = pl.concat([items_of("other"), items_of()]).reverse()
    both = score(project, company, suites=[Suite(name="other"), Suite(name="capitals")])
    both = both.filter(pl.col("suite") == "capitals").sort("item_id")
    assert both["predicted"].to_list() == alone["predicted"].to_list()
    for one, two in zip(alone["logliks"], both["logliks"], strict=True):
        assert two.to_list() == pytest.approx(one.to_list(), abs=1e-5)
    assert score(project, items_of()).equals(score(project, items_of().reverse()))


def test_adapters_leave_no_trace_on_each_other(project, trained, tmp_path):
    import shutil

    other = shutil.copytree(trained["llama"], tmp_path / "other")
    weights = other / "adapter_model.safetensors"
    from safetensors.torch import load_file, save_file

    save_file({k: -0.5 * v for k, v in load_file(weights).items()}, weights)
    one = score(project, items_of(), {"a": trained["llama"]})
    two = score(project, items_of(), {"b": other, "a": trained["llama"]})
    last = two.filter(pl.col("adapter_version") == "a")
    assert last.equals(one.filter(pl.col("model") == "adapter"))


def test_an_adapter_that_changes_nothing_was_not_applied(project, trained, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    dead = shutil.copytree(trained["llama"], tmp_path / "dead")
    weights = dead / "adapter_model.safetensors"
    save_file({k: torch.zeros_like(v) for k, v in load_file(weights).items()}, weights)
    with pytest.raises(ModelError, match="was not applied"):
        score(project, items_of(), {"v0001": dead})


def test_an_adapter_of_another_family_is_refused(project, trained):
    with pytest.raises(ModelError, match=r"does not fit the base model: \d+ of its \d+ tensors"):
        score(project, items_of(), {"v0001": trained["phi3"]}, "llama")


def test_an_adapter_of_a_smaller_model_is_refused(project, trained, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    half = shutil.copytree(trained["llama"], tmp_path / "half")
    weights = half / "adapter_model.safetensors"
    save_file({k: v for k, v in load_file(weights).items() if "layers.0." in k}, weights)
    with pytest.raises(ModelError, match=r"does not fit the base model: 0 of its 14 tensors .* 14"):
        score(project, items_of(), {"v0001": half})


def test_scores_that_are_no_numbers_are_refused(project, monkeypatch):
    load = module.load_base

    def broken(*args):
        model = load(*args)
        torch.nn.init.constant_(model.lm_head.weight, math.nan)
        return model

    monkeypatch.setattr(module, "load_base", broken)
    with pytest.raises(ModelError, match="not numbers"):
        score(project, items_of())


def test_no_items_is_an_empty_table(project):
    assert score(project, items_of().clear()).schema == records.SCORES
