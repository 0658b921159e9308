"""Conversations through each family's template: what carries loss, and what stands before it."""

import copy

import polars as pl
import pytest

from compass_core.adapters.chat import encode_example, prompt_text
from compass_core.adapters.conversation import encode_conversation, row_examples
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.adapters.tokens import row_tokens
from compass_core.config.schema import BaseModelSettings
from compass_core.errors import ModelError
from compass_core.turns import Exchange, earlier_turns
from tests.core.families import NAMES, family_folder

SAID = [
    Exchange("Bei ya chai?", "Mia mbili"),
    Exchange("चाय का दाम?", "दो सौ"),
    Exchange("ราคาชา", "สองร้อย"),
]
END = {
    "llama-3.1": "<|eot_id|>",
    "qwen2.5": "<|im_end|>",
    "qwen3": "<|im_end|>",
    "qwen3.5": "<|im_end|>",
    "phi-4-mini": "<|end|>",
    "llama-4": "<|eot|>",
}
# qwen3 drops earlier thinking blocks
ONE_SEQUENCE = {"llama-3.1", "llama-4", "qwen2.5", "phi-4-mini"}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    for name in NAMES:
        family_folder(folder / name, name)
    return folder


def of(families, name):
    return load_tokenizer(BaseModelSettings(model=f"./{name}"), families)


def learned(tokenizer, example):
    """Text of each supervised span."""
    spans, open_ = [], False
    for label in example.labels:
        if label != -100:
            if not open_:
                spans.append([])
            spans[-1].append(label)
        open_ = label != -100
    return [tokenizer.decode(span) for span in spans]


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_carries_loss_once_and_nothing_else_does(families, name):
    tokenizer = of(families, name)
    examples = encode_conversation(tokenizer, "r", SAID, 512)
    answers = [f"{exchange.response}{END[name]}" for exchange in SAID]
    assert [text for e in examples for text in learned(tokenizer, e)] == answers
    assert sum(e.supervised for e in examples) == sum(
        label != -100 for e in examples for label in e.labels
    )
    assert len(examples) == (1 if name in ONE_SEQUENCE else 3)
    assert len({e.row_id for e in examples}) == len(examples)


@pytest.mark.parametrize("name", NAMES)
def test_before_each_answer_stands_what_a_server_would_generate_from(families, name):
    tokenizer = of(families, name)
    examples = encode_conversation(tokenizer, "r", SAID, 512)
    ends = [
        (example, start)
        for example in examples
        for start, label in enumerate(example.labels)
        if label != -100 and example.labels[start - 1] == -100
    ]
    for i, (example, start) in enumerate(ends):
        asked = prompt_text(tokenizer, SAID[i].prompt, SAID[:i])
        assert tokenizer.decode(example.ids[:start]) == asked


@pytest.mark.parametrize("name", NAMES)
def test_one_turn_is_what_it_was(families, name):
    tokenizer = of(families, name)
    rows = pl.DataFrame(
        [
            {"row_id": "a", "prompt": "Swali", "response": "Jibu", "earlier_turns": None},
            {
                "row_id": "b",
                "prompt": SAID[1].prompt,
                "response": SAID[1].response,
                "earlier_turns": earlier_turns(SAID[:1]),
            },
        ]
    )
    single = [encode_example(tokenizer, "a", "Swali", "Jibu", 64)]
    assert row_examples(tokenizer, rows, 64)[0] == single
    assert row_examples(tokenizer, rows.drop("earlier_turns"), 64)[0] == single
    assert row_examples(tokenizer, rows, 512)[1] == encode_conversation(
        tokenizer, "b", SAID[:2], 512
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_system_turn_of_a_row_stands_before_all_and_stays_when_turns_go(families, name):
    tokenizer = of(families, name)
    rows = pl.DataFrame(
        {
            "row_id": "r",
            "prompt": SAID[2].prompt,
            "response": SAID[2].response,
            "earlier_turns": earlier_turns(SAID[:2], "Kwa ufupi."),
        }
    )
    (line,) = row_examples(tokenizer, rows, 512)
    assert line == encode_conversation(tokenizer, "r", SAID, 512, "Kwa ufupi.")
    cut = encode_conversation(tokenizer, "r", SAID, max(len(e.ids) for e in line) - 1, "Kwa ufupi.")
    text = tokenizer.decode(cut[-1].ids)
    assert cut[-1].truncated
    assert text.count("Kwa ufupi.") == 1
    assert "Bei ya chai?" not in text
    assert all("ufupi" not in said for e in line + cut for said in learned(tokenizer, e))


def test_without_a_template_the_system_turn_of_a_row_comes_first(project):
    plain = load_tokenizer(
        BaseModelSettings(model="models/plain", system_prompt="Of the project."), project
    )
    (example,) = encode_conversation(plain, "r", SAID[:1], 512, "Kwa ufupi.")
    assert plain.decode(example.ids) == (
        "<s>Kwa ufupi.\n\nUser: Bei ya chai?\nAssistant: Mia mbili</s>"
    )


def test_without_a_template_turns_end_with_the_end_token(project):
    plain = load_tokenizer(BaseModelSettings(model="models/plain"), project)
    (example,) = encode_conversation(plain, "r", SAID[:2], 512)
    assert plain.decode(example.ids) == (
        "<s>User: Bei ya chai?\nAssistant: Mia mbili</s>\nUser: चाय का दाम?\nAssistant: दो सौ</s>"
    )
    assert learned(plain, example) == ["Mia mbili</s>", "दो सौ</s>"]


def test_a_template_that_closes_no_turn_makes_an_example_of_each(project):
    bare = copy.deepcopy(load_tokenizer(BaseModelSettings(model="models/llama"), project))
    bare.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    examples = encode_conversation(bare, "r", SAID[:2], 512)
    assert [learned(bare, e) for e in examples] == [["Mia mbili</s>"], ["दो सौ</s>"]]


@pytest.mark.parametrize("name", ["llama-3.1", "qwen3"])
def test_what_is_too_long_loses_its_oldest_exchanges(families, name):
    tokenizer = of(families, name)
    whole = encode_conversation(tokenizer, "r", SAID, 512)
    room = max(len(e.ids) for e in whole) - 1
    cut = encode_conversation(tokenizer, "r", SAID, room)
    assert all(len(e.ids) <= room for e in cut)
    assert cut[-1].truncated
    text = tokenizer.decode(cut[-1].ids)
    assert "ราคาชา" in text
    assert "Bei ya chai?" not in text
    assert learned(tokenizer, cut[-1])[-1].startswith("สองร้อย")


def test_tokens_of_all_answers_are_counted(families):
    rows = pl.DataFrame(
        {"response": ["Jibu", SAID[2].response], "earlier_turns": [None, earlier_turns(SAID[:2])]}
    )
    settings = BaseModelSettings(model="./llama-3.1")
    counted = row_tokens(settings, families, rows)
    (example,) = encode_conversation(of(families, "llama-3.1"), "r", SAID, 512)
    assert counted[1] == example.supervised
    assert counted[0] == encode_example(of(families, "llama-3.1"), "r", "q", "Jibu", 64).supervised


def test_a_thinking_block_where_none_is_asked_for_names_its_row_and_the_way_out(families):
    rows = pl.DataFrame(
        [
            {"row_id": "a", "prompt": "q", "response": "Jibu"},
            {"row_id": "b", "prompt": "q", "response": "<think>Hm.</think>Jibu"},
        ]
    )
    base = BaseModelSettings(model="./qwen3")
    with pytest.raises(ModelError, match=r"row b: .* thinking block .*enable_thinking: true"):
        row_examples(load_tokenizer(base, families), rows, 512)
    base = base.model_copy(update={"template_arguments": {"enable_thinking": True}})
    tokenizer = load_tokenizer(base, families)
    (_, (thought,)) = row_examples(tokenizer, rows, 512)
    learned = tokenizer.decode([i for i in thought.labels if i != -100])
    assert learned == "<think>\nHm.\n</think>\n\nJibu<|im_end|>"
