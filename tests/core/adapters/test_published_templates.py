"""Loss on the assistant's tokens, beside an independent reading of the same published templates.

`trl` keeps each family's template twice: as it is shipped, and with marks around what the assistant
says, which transformers turns into a mask. Ours is read off the shipped one without marks.
"""

import re

import pytest

from compass_core.adapters.chat import Dialect, encode_example, prompt_ids, set_dialect
from compass_core.adapters.conversation import encode_conversation
from compass_core.adapters.presets import GENERIC, PRESETS
from compass_core.turns import Exchange, messages
from tests.core.families import TOKENS, published, tokenizer_with

HEADERS = ["<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"]
COHERE = ["<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>"]
COHERE += ["<|START_RESPONSE|>", "<|END_RESPONSE|>"]
# template -> (bos, eos, pad, other control tokens), and the preset's arguments
CASES = {
    "qwen2_5": (TOKENS["qwen2.5"][1:], PRESETS["qwen2.5"].template_arguments),
    "qwen3": (TOKENS["qwen3"][1:], PRESETS["qwen3"].template_arguments),
    "qwen3_5_think": (TOKENS["qwen3.5"][1:], PRESETS["qwen3.5"].template_arguments),
    "qwen3_5_nothink": (TOKENS["qwen3.5"][1:], PRESETS["qwen3.5"].template_arguments),
    "qwen3_6": (TOKENS["qwen3.5"][1:], PRESETS["qwen3.5"].template_arguments),
    "qwen3_8": (TOKENS["qwen3.5"][1:], PRESETS["qwen3.5"].template_arguments),
    # No preset names these; what is done with any other model has to be right for them.
    "llama3": (("<|begin_of_text|>", "<|eot_id|>", None, HEADERS), GENERIC.template_arguments),
    "phi3_5": (
        ("<s>", "<|endoftext|>", None, ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]),
        GENERIC.template_arguments,
    ),
    "gemma3": (
        ("<bos>", "<eos>", "<pad>", ["<start_of_turn>", "<end_of_turn>"]),
        GENERIC.template_arguments,
    ),
    # Gemma's own template refuses a system turn.
    "gemma": (
        ("<bos>", "<eos>", "<pad>", ["<start_of_turn>", "<end_of_turn>"]),
        GENERIC.template_arguments,
    ),
    "cohere2": (
        ("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<PAD>", COHERE),
        GENERIC.template_arguments,
    ),
}
MOST = 4_096  # Aya's system turn alone is long
SAID = [Exchange("Bei ya chai?", "Mia mbili"), Exchange("ราคาชา", "สองร้อย")]
SYSTEM = "Jibu kwa ufupi."
# No marked twin of these is in trl: what the assistant says is looked for in the rendered text.
WITHOUT_TWIN = {
    "llama3_1": (TOKENS["llama-3.1"][1:], PRESETS["llama-3.1"].template_arguments),
    "llama3_2": (TOKENS["llama-3.1"][1:], PRESETS["llama-3.1"].template_arguments),
}
EVERY = CASES | WITHOUT_TWIN


def tokenizer_of(name):
    control, arguments = EVERY[name]
    tokenizer = tokenizer_with(published(name), *control)
    set_dialect(tokenizer, Dialect(arguments))
    return tokenizer


def marked(tokenizer, name, turns):
    """Text of each stretch that the marked template counts as the assistant's."""
    found = tokenizer.apply_chat_template(
        turns,
        chat_template=published(f"{name}_training"),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        **CASES[name][1],
    )
    return stretches(tokenizer, found["input_ids"], found["assistant_masks"])


def stretches(tokenizer, ids, mask):
    """Text of each run of ids that the mask holds."""
    runs, before = [], 0
    for token, held in zip(ids, mask, strict=True):
        if held and not before:
            runs.append([])
        if held:
            runs[-1].append(token)
        before = held
    return [tokenizer.decode(run) for run in runs]


def bare(text, tokenizer):
    """Without what the two readings may differ in: line breaks around a turn, the empty thinking
    block (part of the prompt where thinking is off), and an end of text behind the turn's end."""
    text = re.sub(r"^\s*<think>\s*</think>", "", text).strip()
    return re.sub(rf"(<\|end\|>)\s*{re.escape(tokenizer.eos_token)}$", r"\1", text)


def ours(tokenizer, examples):
    return [
        text
        for example in examples
        for text in stretches(tokenizer, example.ids, [label != -100 for label in example.labels])
    ]


@pytest.mark.parametrize("name", list(CASES))
def test_one_turn_is_learnt_as_the_marked_template_says(name):
    tokenizer = tokenizer_of(name)
    example = encode_example(tokenizer, "r", "Swali", "Jibu", MOST)
    (learnt,) = ours(tokenizer, [example])
    (expected,) = marked(tokenizer, name, messages([Exchange("Swali", "Jibu")]))
    assert learnt == bare(expected, tokenizer)
    assert learnt.startswith("Jibu<")


@pytest.mark.parametrize("name", list(CASES))
def test_every_turn_of_a_conversation_is_learnt_as_the_marked_template_says(name):
    tokenizer = tokenizer_of(name)
    learnt = ours(tokenizer, encode_conversation(tokenizer, "r", SAID, MOST))
    assert learnt == [bare(text, tokenizer) for text in marked(tokenizer, name, messages(SAID))]
    assert [text.split("<")[0] for text in learnt] == ["Mia mbili", "สองร้อย"]


@pytest.mark.parametrize("name", list(CASES))
def test_the_whole_is_the_published_rendering_but_for_what_follows_the_last_turn(name):
    tokenizer = tokenizer_of(name)
    turns = messages(SAID)
    rendered = tokenizer.apply_chat_template(turns, tokenize=False, **CASES[name][1])
    *_before, last = encode_conversation(tokenizer, "r", SAID, MOST)
    text = tokenizer.decode(last.ids)
    assert rendered.startswith(text)
    assert rendered[len(text) :].strip() in ("", tokenizer.eos_token)


def served(tokenizer, name, exchanges, prompt, system=None):
    """Ids that a server makes of a request: the published template over its messages."""
    turns = [*messages(exchanges, system), {"role": "user", "content": prompt}]
    return tokenizer.apply_chat_template(
        told_to(name, turns), add_generation_prompt=True, return_dict=False, **EVERY[name][1]
    )


def told_to(name, turns):
    """The turns as the template takes them: before Gemma, instructions stand in the user's."""
    if name != "gemma" or turns[0]["role"] != "system":
        return turns
    system, first, *rest = turns
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


@pytest.mark.parametrize("name", list(CASES))
def test_a_system_turn_is_read_and_not_learnt(name):
    tokenizer = tokenizer_of(name)
    examples = encode_conversation(tokenizer, "r", SAID, MOST, SYSTEM)
    expected = marked(tokenizer, name, told_to(name, messages(SAID, SYSTEM)))
    assert ours(tokenizer, examples) == [bare(text, tokenizer) for text in expected]
    assert [tokenizer.decode(e.ids).count(SYSTEM) for e in examples] == [1] * len(examples)
    (single,) = encode_conversation(tokenizer, "r", SAID[:1], MOST, SYSTEM)
    assert tokenizer.decode(single.ids).count(SYSTEM) == 1
    assert ours(tokenizer, [single]) == ours(tokenizer, examples)[:1]


@pytest.mark.parametrize("system", [None, SYSTEM])
@pytest.mark.parametrize("name", list(WITHOUT_TWIN))
def test_what_the_rendering_puts_behind_the_assistants_header_is_learnt(name, system):
    tokenizer = tokenizer_of(name)
    turns = messages(SAID, system)
    rendered = tokenizer.apply_chat_template(turns, tokenize=False, **EVERY[name][1])
    header = re.escape("<|start_header_id|>assistant<|end_header_id|>\n\n")
    expected = re.findall(header + r"(.*?<\|eot_id\|>)", rendered, re.DOTALL)
    examples = encode_conversation(tokenizer, "r", SAID, MOST, system)
    assert ours(tokenizer, examples) == expected == ["Mia mbili<|eot_id|>", "สองร้อย<|eot_id|>"]
    assert tokenizer.decode(examples[-1].ids) == rendered
    assert rendered.count(SYSTEM) == (system is not None)


@pytest.mark.parametrize("system", [None, SYSTEM])
@pytest.mark.parametrize("name", list(EVERY))
def test_before_each_answer_stand_the_ids_that_a_server_makes_of_the_request(name, system):
    tokenizer = tokenizer_of(name)
    starts = [
        example.ids[:at]
        for example in encode_conversation(tokenizer, "r", SAID, MOST, system)
        for at, label in enumerate(example.labels)
        if label != -100 and example.labels[at - 1] == -100
    ]
    assert starts == [
        served(tokenizer, name, SAID[:i], exchange.prompt, system)
        for i, exchange in enumerate(SAID)
    ]
    assert prompt_ids(tokenizer, SAID[1].prompt, SAID[:1], system) == starts[1]


def test_instructions_of_the_row_take_the_place_of_the_projects():
    tokenizer = tokenizer_of("qwen2_5")
    set_dialect(tokenizer, Dialect(CASES["qwen2_5"][1], "Of the project."))
    assert "Of the project." in tokenizer.decode(prompt_ids(tokenizer, "Swali"))
    for example in (
        encode_example(tokenizer, "r", "Swali", "Jibu", MOST, SYSTEM),
        *encode_conversation(tokenizer, "r", SAID, MOST, SYSTEM),
    ):
        text = tokenizer.decode(example.ids)
        assert text.startswith(f"<|im_start|>system\n{SYSTEM}<|im_end|>\n")
        assert "Of the project." not in text
