"""Loss on the assistant's tokens, beside an independent reading of the same published templates.

`trl` keeps each family's template twice: as it is shipped, and with marks around what the assistant
says, which transformers turns into a mask. Ours is read off the shipped one without marks.
"""

import re

import pytest

from compass_core.adapters.chat import Dialect, encode_example, set_dialect
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
    "cohere2": (
        ("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<PAD>", COHERE),
        GENERIC.template_arguments,
    ),
}
MOST = 4_096  # Aya's system turn alone is long
SAID = [Exchange("Bei ya chai?", "Mia mbili"), Exchange("ราคาชา", "สองร้อย")]


def tokenizer_of(name):
    control, arguments = CASES[name]
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
