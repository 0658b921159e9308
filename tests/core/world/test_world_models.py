"""The shipped models: made by this code, small, loadable, good enough, and remade by a command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compass_core.world.embedder import EmbedderRecipe
from compass_core.world.facts import make_facts
from compass_core.world.language_model import LanguageModelRecipe
from compass_core.world.lessons import make_lessons
from compass_core.world.lexicon import LANGUAGES
from compass_core.world.recipe import recipe_digest
from compass_core.world.texts import Wording, question

MODELS = Path(__file__).parents[3] / "data" / "models"
FLOORS = {
    "embedder": {"cross_language_topic": 0.95, "topic_purity": 0.9},
    "base": {"known_topics": 0.93, "worst_language": 0.85},
}
CEILINGS = {"embedder": {"language_purity": 0.3}, "base": {"other_topics": 0.32}}


def check_quality(record: dict[str, Any]) -> None:
    for model, figures in FLOORS.items():
        for name, floor in figures.items():
            assert record["quality"][model][name] >= floor, (model, name)
    for model, figures in CEILINGS.items():
        for name, ceiling in figures.items():
            assert record["quality"][model][name] <= ceiling, (model, name)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((MODELS / "MODELS.json").read_text(encoding="utf-8"))
    return value


@pytest.fixture(scope="module")
def embedder() -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(MODELS / "embedder"), device="cpu")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODELS / "base")


def test_the_shipped_models_are_those_of_this_code(record: dict[str, Any]) -> None:
    digest = recipe_digest(
        record["seed"], EmbedderRecipe().as_dict(), LanguageModelRecipe().as_dict()
    )
    assert record["digest"] == digest, "run python -m compass_core.world.make_models"


def test_the_digest_follows_recipe_and_seed() -> None:
    embedder, model = EmbedderRecipe(), LanguageModelRecipe()
    digest = recipe_digest(17, embedder.as_dict(), model.as_dict())
    assert digest != recipe_digest(18, embedder.as_dict(), model.as_dict())
    shorter = LanguageModelRecipe(steps=999)
    assert digest != recipe_digest(17, embedder.as_dict(), shorter.as_dict())


def test_the_models_are_small_and_recorded_as_good(record: dict[str, Any]) -> None:
    sizes = [path.stat().st_size for path in MODELS.rglob("*") if path.is_file()]
    assert sum(sizes) < 4_000_000
    check_quality(record)


def test_the_same_question_in_other_languages_is_nearer_than_another_topic(embedder: Any) -> None:
    facts = make_facts(17)
    law, fishing = facts.by_topic["law"][0], facts.by_topic["fishing"][0]
    asked = Wording(0, 0, 0)
    texts = [question(language, law, asked) for language in LANGUAGES]
    other = [question(language, fishing, asked) for language in LANGUAGES]
    vectors = embedder.encode(texts + other)
    assert vectors.shape == (18, EmbedderRecipe().dimension)
    assert vectors.dtype == np.float32
    similar = vectors @ vectors.T
    assert similar[:9, :9].min() > similar[:9, 9:].max()


@pytest.mark.parametrize(
    "text", ["ሰላም ለዓለም", "Ẹ káàárọ̀", "Привет, мир", "😀", "你好", "x", "   ", "\x00", "a" * 5000]
)
def test_any_text_has_a_unit_vector(embedder: Any, text: str) -> None:
    assert np.linalg.norm(embedder.encode(text)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("text", ["ሰላም ለዓለም", "Ẹ káàárọ̀ 😀", "tab\tand\nline", "मुझे अस्पताल बताइए।"])
def test_any_text_survives_the_tokenizer(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids).removeprefix(" ") == text


def test_the_prompt_is_a_prefix_of_the_conversation(tokenizer: Any) -> None:
    asked = {"role": "user", "content": "أخبرني عن يوم السوق في مزرعة Gogada."}
    told = {"role": "assistant", "content": "الاثنين"}
    prompt = tokenizer.apply_chat_template([asked], add_generation_prompt=True, return_dict=False)
    both = tokenizer.apply_chat_template([asked, told], return_dict=True)["input_ids"]
    assert both[: len(prompt)] == prompt
    assert both[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(both[len(prompt) : -1]).strip() == "الاثنين"
    assert len({tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}) == 3


def test_the_base_model_computes_in_float32_and_answers_what_it_was_taught(tokenizer: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(MODELS / "base")
    assert model.dtype == torch.float32
    lessons = make_lessons(make_facts(17), 20, share_facts=1.0, share_guesses=0.0)
    right = 0
    for asked, answer in lessons:
        turn = [{"role": "user", "content": asked}]
        inputs = tokenizer.apply_chat_template(
            turn, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        output = model.generate(**inputs, max_new_tokens=8, do_sample=False)
        told = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        right += told.strip() == answer
    assert right >= 17


@pytest.mark.slow
def test_the_command_remakes_models_of_the_same_quality(
    tmp_path: Path, record: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "compass_core.world.make_models", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    remade = json.loads((tmp_path / "MODELS.json").read_text(encoding="utf-8"))
    assert remade["digest"] == record["digest"]
    check_quality(remade)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MODELS.json", "base", "embedder"]
