"""Against the harness itself: its own tasks, run by hand on the same model and the same files."""

import json

import polars as pl
import pytest

from compass_core import records
from compass_core.adapters.chat import prompt_text
from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.adapters.train import train_adapter
from compass_core.benchmarks.harness import (
    data_from,
    local_dataset,
    run_harness,
    task_manager,
)
from compass_core.benchmarks.suites import score_suites
from compass_core.config.schema import Adapter, BaseModelSettings, Benchmarks, Execution, Suite
from compass_core.errors import InputError, ModelError
from tests.core.families import family_folder, published

lm_eval = pytest.importorskip("lm_eval")
CPU = Execution(device="cpu", threads=1)
BASE = BaseModelSettings(model="./m", dtype="float32")
CAPITALS = [("Kenya", "Nairobi"), ("Misri", "Kairo"), ("Japani", "Tokyo"), ("Ghana", "Accra")]
TASK = """
task: capitals_sw
dataset_path: json
dataset_kwargs:
  data_files:
    test: {folder}/test.jsonl
    dev: {folder}/dev.jsonl
test_split: test
fewshot_split: dev
fewshot_config:
  sampler: first_n
num_fewshot: 2
output_type: multiple_choice
doc_to_text: "{{{{question}}}}\\nJibu:"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - metric: acc
metadata:
  version: 3.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, an adapter, a task of our own and copies of the real data sets' shape."""
    folder = tmp_path_factory.mktemp("harness")
    family_folder(folder / "m", "llama-3.1", max_position_embeddings=2048)
    rows = pl.DataFrame(
        [{"row_id": a, "prompt": f"Mji mkuu wa {a}?", "response": b} for a, b in CAPITALS]
    )
    (folder / "adapter").mkdir()
    settings = Adapter(rank=4, epochs=8, batch_size=4, learning_rate=0.02)
    train_adapter(
        rows, settings, BASE, CPU, folder, folder / "adapter", folder / "c", 1, lambda text: None
    )
    names = [b for _, b in CAPITALS]
    lines = [
        json.dumps({"question": f"Mji mkuu wa {a} ni upi?", "choices": names, "answer": i})
        for i, (a, _) in enumerate(CAPITALS)
    ]
    (folder / "test.jsonl").write_text("\n".join(lines * 3))
    (folder / "dev.jsonl").write_text("\n".join(lines[:2]))
    (folder / "capitals.yaml").write_text(TASK.format(folder=folder))
    categories = ["Business", "Humanities", "Medical", "Other", "STEM", "Social Sciences"]
    mmlu = [
        {
            "question": f"Swali {i}?",
            **{f"option_{x}": f"Chaguo {x}{i}" for x in "abcd"},
            "answer": "ABCD"[i % 4],
            "subject": "s",
            "subject_category": categories[i % 6],
        }
        for i in range(12)
    ]
    prox = [
        {
            "question": f"Swali {i}?",
            **{f"option_{x}": f"Chaguo {x}" for x in range(10)},
            "answer": "ABCDEFGHIJ"[i],
            "category": "business",
            "cot_content": "Jibu: Tufikirie. Jibu ni (A).",
        }
        for i in range(6)
    ]
    for name, found, split in (("lite", mmlu, "dev"), ("prox", prox, "validation")):
        (folder / name / "sw").mkdir(parents=True)
        for part in ("test", split):
            path = folder / name / "sw" / f"{part}-00000-of-00001.parquet"
            pl.DataFrame(found).write_parquet(path)
    return folder


def by_hand(folder, tasks, adapter, generation=None):
    """The harness as its users call it: a model folder, and PEFT's for the adapter."""
    arguments = {"pretrained": str(folder / "m"), "dtype": "float32"}
    if adapter:
        arguments["peft"] = str(folder / "adapter")
    found = lm_eval.simple_evaluate(
        "hf",
        model_args=arguments,
        tasks=tasks,
        batch_size=4,
        device="cpu",
        gen_kwargs=generation,
        bootstrap_iters=0,
        task_manager=task_manager(),
    )
    return {
        f"{task}/{s['doc_id']}": s for task, samples in found["samples"].items() for s in samples
    }


def test_scores_agree_with_the_harness_to_the_last_item(folder):
    suite = Suite(name="capitals", kind="lm_eval", task="capitals.yaml")
    scored = score_suites(
        records.empty(records.BENCHMARK),
        "sw",
        [suite],
        BASE,
        {"v0001": folder / "adapter"},
        Benchmarks(batch_size=4),
        CPU,
        folder,
    )
    assert scored.schema == records.SCORES
    seen = {}
    for model in ("base", "adapter"):
        expected = by_hand(folder, [str(folder / "capitals.yaml")], adapter=model == "adapter")
        mine = scored.filter(pl.col("model") == model)
        assert sorted(mine["item_id"]) == sorted(expected)
        assert mine.height == 12
        for row in mine.iter_rows(named=True):
            sample = expected[row["item_id"]]
            assert row["correct"] == (sample["acc"] == 1.0)
            given = [pair[0] for pair in sample["filtered_resps"]]
            assert row["logliks"] == pytest.approx(given, abs=1e-4)
            assert row["answer"] == sample["target"]
        seen[model] = mine["logliks"].to_list()
        assert set(mine["task_version"]) == {"3.0"}
        assert set(mine["shots"]) == {2}
        assert set(mine["shots_from"]) == {"dev (first_n)"}
    assert seen["base"] != seen["adapter"]


def test_global_mmlu_runs_on_a_local_copy_through_the_harness_own_task(folder):
    model, tokenizer = load_base(BASE, folder, CPU), load_tokenizer(BASE, folder)
    suite = Suite(name="gm", kind="lm_eval", task="global_mmlu_{lang}", data="lite")
    rows = run_harness(suite, "sw", model, tokenizer, 4, folder)
    assert len(rows) == 12
    assert {row["task"] for row in rows} == {
        f"global_mmlu_sw_{x}"
        for x in ("business", "humanities", "medical", "other", "stem", "social_sciences")
    }
    assert all(len(row["logliks"]) == 4 for row in rows)
    business = [row for row in rows if row["task"].endswith("business")]
    assert [row["answer"] for row in business] == [0, 2]
    assert all(row["correct"] == (row["predicted"] == row["answer"]) for row in rows)
    limited, told = suite.model_copy(update={"max_items": 1}), []
    assert len(run_harness(limited, "sw", model, tokenizer, 4, folder, told.append)) == 6
    assert told == ["gm sw: 24 of 24 choices scored"]


def test_mmlu_prox_keeps_the_response_and_counts_failed_extraction(folder, monkeypatch):
    from lm_eval.models.huggingface import HFLM

    said = ["Tufikirie. Jibu ni (A).", "Sijui.", "Jibu ni C"]
    asked = []

    def answers(self, requests, **more):
        asked.extend(request.args[0] for request in requests)
        return [said[i % 3] for i in range(len(requests))]

    monkeypatch.setattr(HFLM, "generate_until", answers)
    model, tokenizer = load_base(BASE, folder, CPU), load_tokenizer(BASE, folder)
    suite = Suite(name="p", kind="lm_eval", task="mmlu_prox_lite_{lang}_business", data="prox")
    rows = run_harness(suite, "sw", model, tokenizer, 4, folder)
    assert [row["extracted"] for row in rows] == ["A", None, "C"] * 2
    assert [row["correct"] for row in rows] == [True, False, True, False, False, False]
    assert rows[1]["response"] == "Sijui."
    assert rows[0]["logliks"] is None
    assert {(row["shots"], row["shots_from"]) for row in rows} == {(5, "validation (first_n)")}
    assert asked[0].count("Jibu ni (A)") == 5


def test_a_language_that_the_harness_lacks_is_left_out_and_a_typo_is_not(folder):
    suite = Suite(name="gm", kind="lm_eval", task="global_mmlu_{lang}", data="lite")
    assert run_harness(suite, "st", None, None, 4, folder) == []
    wrong = suite.model_copy(update={"task": "globl_mmlu_{lang}"})
    with pytest.raises(InputError, match="the harness has no task globl_mmlu_sw"):
        run_harness(wrong, "sw", None, None, 4, folder)


def test_a_local_copy_without_the_language_says_what_is_there(folder):
    with pytest.raises(InputError, match=r"lite has no folder hi; there are: sw"):
        local_dataset(folder / "lite", "hi")
    found = local_dataset(folder / "lite", "sw")
    assert {name: len(part) for name, part in found.items()} == {"dev": 12, "test": 12}


@pytest.mark.parametrize("family", ["qwen3", "llama-3.1", "gemma"])
def test_a_chat_is_asked_as_the_training_asks_it(folder, tmp_path, family, monkeypatch):
    from lm_eval.models.huggingface import HFLM

    asked = []

    def record(self, requests, **more):
        asked.extend(request.args[0] for request in requests)
        return [(-1.0, False)] * len(requests)

    monkeypatch.setattr(HFLM, "loglikelihood", record)
    family_folder(tmp_path / "m", "qwen3" if family == "qwen3" else "llama-3.1")
    base = BaseModelSettings(model="./m", system_prompt="Jibu kwa ufupi.")
    tokenizer = load_tokenizer(base, tmp_path)
    if family == "gemma":  # refuses a system turn: its text goes before the user's
        tokenizer.chat_template = published("gemma")
    suite = Suite(name="c", kind="lm_eval", task=str(folder / "capitals.yaml"), shots=0, chat=True)
    run_harness(suite, "sw", load_base(base, tmp_path, CPU), tokenizer, 4, tmp_path)
    question = "Mji mkuu wa Kenya ni upi?\nJibu:"
    assert set(asked[:4]) == {prompt_text(tokenizer, question)}
    assert "Jibu kwa ufupi." in asked[0]
    assert ("<think>\n\n</think>" in asked[0]) == (family == "qwen3")


def test_a_chat_suite_agrees_with_the_harness_that_is_told_the_same(folder, tmp_path):
    family_folder(tmp_path / "m", "qwen3", max_position_embeddings=2048)
    base = BaseModelSettings(model="./m", dtype="float32", system_prompt="Jibu kwa ufupi.")
    model, tokenizer = load_base(base, tmp_path, CPU), load_tokenizer(base, tmp_path)
    task = str(folder / "capitals.yaml")
    suite = Suite(name="c", kind="lm_eval", task=task, chat=True)
    mine = run_harness(suite, "sw", model, tokenizer, 4, tmp_path)
    found = lm_eval.simple_evaluate(
        "hf",
        model_args={
            "pretrained": str(tmp_path / "m"),
            "dtype": "float32",
            "chat_template_args": {"enable_thinking": False},
        },
        tasks=[task],
        batch_size=4,
        device="cpu",
        bootstrap_iters=0,
        apply_chat_template=True,
        system_instruction="Jibu kwa ufupi.",
        task_manager=task_manager(),
    )
    expected = {s["doc_id"]: s for s in found["samples"]["capitals_sw"]}
    assert len(mine) == len(expected) == 12
    for row in mine:
        sample = expected[int(row["item_id"].rpartition("/")[2])]
        given = [pair[0] for pair in sample["filtered_resps"]]
        assert row["logliks"] == pytest.approx(given, abs=1e-4)


def test_a_chat_suite_without_a_template_is_refused(folder, tmp_path):
    model, tokenizer = load_base(BASE, folder, CPU), load_tokenizer(BASE, folder)
    tokenizer.chat_template = None
    suite = Suite(name="c", kind="lm_eval", task=str(folder / "capitals.yaml"), chat=True)
    with pytest.raises(ModelError, match=r"received chat: true, .* set chat: false"):
        run_harness(suite, "sw", model, tokenizer, 4, folder)


SUBJECTS = ("business_ethics", "virology")
TARGETS = ("sw", "hi", "ar", "th", "yo", "zu", "bn", "pt")


@pytest.fixture(scope="module")
def copies(folder):
    """Local copies of Global-MMLU (full) and MMLU-ProX in the shape that the Hub has them in."""
    full = [
        {
            "question": f"Swali la {subject} {i}?",
            **{f"option_{x}": f"Chaguo {x}{i}" for x in "abcd"},
            "answer": "ABCD"[i % 4],
            "subject": subject,
        }
        for subject in SUBJECTS
        for i in range(5)
    ]
    (folder / "full" / "sw").mkdir(parents=True)
    for part in ("test", "dev"):
        path = folder / "full" / "sw" / f"{part}-00000-of-00001.parquet"
        pl.DataFrame(full).write_parquet(path)
    prox = [
        {
            "question": f"Swali {i}?",
            **{f"option_{x}": f"Chaguo {x}" for x in range(10)},
            "answer": "ABC"[i % 3],
            "category": category,
            "cot_content": "Jibu: Tufikirie. Jibu ni (A).",
        }
        for category in ("business", "law")
        for i in range(6)
    ]
    for language in TARGETS:
        root = folder / "languages" / language
        root.mkdir(parents=True)
        for part in ("test", "validation"):
            path = root / f"{part}-00000-of-00001.parquet"
            pl.DataFrame(prox).write_parquet(path)
    return folder


@pytest.mark.parametrize(
    ("task", "data", "generated"),
    [
        ("global_mmlu_full_sw_business_ethics", "full", False),
        ("mmlu_prox_sw_law", "languages", True),
        ("mmlu_prox_lite_sw_business", "languages", True),
    ],
)
def test_the_harness_own_tasks_agree_to_the_last_item(copies, task, data, generated):
    suite = Suite(name="s", kind="lm_eval", task=task, data=data, max_new_tokens=6)
    scored = score_suites(
        records.empty(records.BENCHMARK),
        "sw",
        [suite],
        BASE,
        {"v0001": copies / "adapter"},
        Benchmarks(batch_size=4),
        CPU,
        copies,
    )
    said = {}
    for model in ("base", "adapter"):
        with data_from(copies / data):
            expected = by_hand(copies, [task], model == "adapter", "max_gen_toks=6")
        mine = scored.filter(pl.col("model") == model)
        assert sorted(mine["item_id"]) == sorted(expected)
        assert mine.height == (6 if generated else 5)
        for row in mine.iter_rows(named=True):
            sample = expected[row["item_id"]]
            if generated:
                assert row["correct"] == (sample["exact_match"] == 1.0)
                assert row["response"] == sample["resps"][0][0]
                assert (row["extracted"] or "[invalid]") == sample["filtered_resps"][0]
            else:
                assert row["correct"] == (sample["acc"] == 1.0)
                given = [pair[0] for pair in sample["filtered_resps"]]
                assert row["logliks"] == pytest.approx(given, abs=1e-4)
        said[model] = mine["response" if generated else "logliks"].to_list()
    assert said["base"] != said["adapter"]


def test_mmlu_prox_finds_the_answer_in_the_languages_own_words(copies, monkeypatch):
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks.mmlu_prox.lang_libs import LANG_LIBS

    model, tokenizer = load_base(BASE, copies, CPU), load_tokenizer(BASE, copies)
    suite = Suite(name="p", kind="lm_eval", task="mmlu_prox_{lang}_law", data="languages", shots=0)
    for language in TARGETS:
        said = [f"... {LANG_LIBS[language][5].format('B')}", "?"]

        def answers(self, requests, said=said, **more):
            return [said[i % 2] for i in range(len(requests))]

        monkeypatch.setattr(HFLM, "generate_until", answers)
        rows = run_harness(suite, language, model, tokenizer, 4, copies)
        assert [row["extracted"] for row in rows] == ["B", None] * 3, language
        assert [row["correct"] for row in rows] == [False, False, False, False, True, False]
