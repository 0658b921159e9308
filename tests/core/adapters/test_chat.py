import copy

import pytest

from compass_core.adapters.chat import encode_example, prompt_ids, response_ids
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.config.schema import BaseModelSettings
from compass_core.errors import ModelError

PROMPT, RESPONSE = "ไทยมีเมืองหลวงชื่ออะไร", "กรุงเทพมหานคร"


@pytest.fixture(scope="module")
def tokenizer(project):
    return load_tokenizer(BaseModelSettings(model="models/llama"), project)


@pytest.fixture(scope="module")
def plain(project):
    return load_tokenizer(BaseModelSettings(model="models/plain"), project)


def test_only_the_assistants_turn_and_its_end_carry_loss(tokenizer):
    example = encode_example(tokenizer, "r1", PROMPT, RESPONSE, 512)
    assert (
        tokenizer.decode(example.ids)
        == f"<s><|user|>{PROMPT}<|end|>\n<|assistant|>{RESPONSE}<|end|>"
    )
    learned = [i for i in example.labels if i != -100]
    assert tokenizer.decode(learned) == f"{RESPONSE}<|end|>"
    assert example.labels[-len(learned) :] == learned
    assert len(example.labels) == len(example.ids)
    assert not example.truncated


def test_without_a_template_the_plain_one_is_used(plain):
    example = encode_example(plain, "r1", PROMPT, RESPONSE, 512)
    assert plain.decode(example.ids) == f"<s>User: {PROMPT}\nAssistant: {RESPONSE}</s>"
    assert plain.decode([i for i in example.labels if i != -100]) == f"{RESPONSE}</s>"


def test_generation_starts_where_training_stopped_reading(tokenizer):
    example = encode_example(tokenizer, "r1", PROMPT, RESPONSE, 512)
    before = prompt_ids(tokenizer, PROMPT)
    assert example.ids[: len(before)] == before
    assert len(before) + example.supervised == len(example.ids)


@pytest.mark.parametrize("limit", [16, 20, 40])
def test_what_is_too_long_loses_the_beginning_of_what_is_asked(tokenizer, limit):
    whole = encode_example(tokenizer, "r1", "አዲስ " * 50 + "mwisho", "東", 512)
    cut = encode_example(tokenizer, "r1", "አዲስ " * 50 + "mwisho", "東", limit)
    assert cut.truncated
    assert tokenizer.decode(cut.ids).startswith("<s><|user|>")
    assert cut.ids[2:] == whole.ids[-limit:][2:]
    assert cut.supervised == whole.supervised


def test_the_system_turn_stays_where_the_question_is_cut(tokenizer, plain):
    for one, start in ((tokenizer, "<s><|system|>Kwa ufupi.<|end|>\n<|user|>"), (plain, "<s>Kwa")):
        cut = encode_example(one, "r1", "neno " * 100 + "mwisho", "東", 60, "Kwa ufupi.")
        assert len(cut.ids) == 60
        text = one.decode(cut.ids)
        assert text.startswith(start)
        assert "mwisho" in text
        assert text.endswith(one.decode([i for i in cut.labels if i != -100]))


def test_an_answer_longer_than_the_limit_leaves_a_fourth_to_the_question(tokenizer):
    whole = encode_example(tokenizer, "r1", "neno " * 40 + "mwisho", "القاهرة " * 50, 10_000)
    cut = encode_example(tokenizer, "r1", "neno " * 40 + "mwisho", "القاهرة " * 50, 80)
    learned = [i for i in whole.labels if i != -100]
    assert len(cut.ids) == 80
    assert cut.supervised == 60
    assert cut.ids[20:] == learned[:60]
    before = tokenizer.decode(cut.ids[:20])
    assert before.startswith("<s><|user|>")
    assert before.endswith("mwisho<|end|>\n<|assistant|>")
    short = encode_example(tokenizer, "r1", "q", "القاهرة " * 50, 80)
    assert short.ids[: 80 - short.supervised] == prompt_ids(tokenizer, "q")


def test_a_template_without_an_end_gets_the_end_token(tokenizer):
    bare = copy.deepcopy(tokenizer)
    bare.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    assert bare.decode(response_ids(bare, "q", "jibu")) == "jibu</s>"


def test_a_template_that_rewrites_the_prompt_is_refused(tokenizer):
    odd = copy.deepcopy(tokenizer)
    odd.chat_template = "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
    with pytest.raises(ModelError, match="renders a prompt differently when an answer follows"):
        response_ids(odd, "q", "jibu")


def test_a_template_that_prints_the_date_prints_a_fixed_one(tokenizer):
    dated = copy.deepcopy(tokenizer)
    dated.chat_template = (
        "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}"
        "{% endif %}{{ date_string }}" + tokenizer.chat_template
    )
    assert dated.decode(prompt_ids(dated, "q")).startswith("01 Jan 2025")
