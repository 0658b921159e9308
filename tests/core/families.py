"""The real architectures at tiny size, with the chat templates that their checkpoints ship.

The templates lie, word for word, in the package `trl`; nothing of it is imported. It has none of
Llama 4 and Phi-4-mini: those two were written for these tests and are not the published files. What
they follow is said by the vendors. Phi-4-mini's card: `<|system|>…<|end|><|user|>…<|end|>` and
`<|assistant|>` with no line breaks between, `<|endoftext|>` after a text that is not to be gone on
with. Llama 4's prompt format: `<|header_start|>role<|header_end|>`, an empty line, the text,
`<|eot|>`. Tools, images and Llama 4's date are left out of both.
"""

from importlib.util import find_spec
from pathlib import Path

from tests.core.conftest import CORPUS


def published(name):
    """A template as `trl` keeps it; with `_training` the same, the assistant's part marked."""
    found = find_spec("trl")
    assert found is not None, "pip install -e '.[dev]'"
    (package,) = found.submodule_search_locations
    return (Path(package) / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


LLAMA4 = (
    "{{ bos_token }}{% for m in messages %}<|header_start|>{{ m.role }}<|header_end|>\n\n"
    "{{ m.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|header_start|>assistant<|header_end|>\n\n{% endif %}"
)
PHI4 = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% else %}{{ eos_token }}{% endif %}"
)
# name -> (template, bos, eos as the tokenizer has it, pad, other control tokens)
TOKENS = {
    "llama-3.1": (
        published("llama3_1"),
        "<|begin_of_text|>",
        "<|eot_id|>",
        None,
        ["<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"],
    ),
    "llama-4": (
        LLAMA4,
        "<|begin_of_text|>",
        "<|eot|>",
        "<|finetune_right_pad|>",
        ["<|header_start|>", "<|header_end|>", "<|end_of_text|>"],
    ),
    "qwen2.5": (published("qwen2_5"), None, "<|im_end|>", "<|endoftext|>", ["<|im_start|>"]),
    "qwen3": (
        published("qwen3"),
        None,
        "<|im_end|>",
        "<|endoftext|>",
        ["<|im_start|>", "<think>", "</think>"],
    ),
    "qwen3.5": (
        published("qwen3_5_think"),
        None,
        "<|im_end|>",
        "<|endoftext|>",
        ["<|im_start|>", "<think>", "</think>"],
    ),
    "phi-4-mini": (
        PHI4,
        "<|endoftext|>",
        "<|endoftext|>",
        None,
        ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"],
    ),
}
NAMES = tuple(TOKENS)


def family_tokenizer(name):
    return tokenizer_with(*TOKENS[name])


def tokenizer_with(template, bos, eos, pad, others):
    """A small byte-level tokenizer that has these control tokens and this template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = list(dict.fromkeys([t for t in (bos, eos, pad, *others) if t]))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        additional_special_tokens=[t for t in others if t not in (bos, eos, pad)],
    )
    fast.chat_template = template
    return fast


def family_config(name, vocabulary, **more):
    import transformers as t

    shared = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.1,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
        **more,
    }
    if name == "llama-3.1":
        rope = {
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        }
        return t.LlamaConfig(**shared, rope_parameters=rope)
    if name == "llama-4":
        return t.Llama4TextConfig(
            **shared,
            head_dim=8,
            intermediate_size_mlp=48,
            num_local_experts=2,
            num_experts_per_tok=1,
            interleave_moe_layer_step=1,
        )
    if name == "phi-4-mini":
        rotary = int(shared["hidden_size"] / shared["num_attention_heads"] * 0.75) // 2
        rope = {
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 0.75,
            "short_factor": [1.0] * rotary,
            "long_factor": [2.0] * rotary,
            "original_max_position_embeddings": 256,
        }
        return t.Phi3Config(
            **shared,
            rope_parameters=rope,
            original_max_position_embeddings=256,
            tie_word_embeddings=True,
        )
    if name == "qwen2.5":
        return t.Qwen2Config(**shared)
    if name == "qwen3":
        return t.Qwen3Config(**shared, head_dim=8)
    return t.Qwen3_5TextConfig(
        **shared,
        head_dim=8,
        layer_types=["linear_attention", "full_attention"],
        linear_num_key_heads=2,
        linear_num_value_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
    )


def family_folder(folder, name, **more):
    """Write config, random weights and tokenizer of a family; returns the folder."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = family_tokenizer(name)
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(family_config(name, len(tokenizer), **more))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def wrapped_folder(folder, name):
    """The same with a vision tower around it, as the checkpoints of qwen3.5 and llama-4 are."""
    import torch
    import transformers as t

    tokenizer = family_tokenizer(name)
    text = family_config(name, len(tokenizer)).to_dict()
    torch.manual_seed(3)
    if name == "qwen3.5":
        sight = {
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 4,
            "num_position_embeddings": 16,
        }
        config = t.Qwen3_5Config(text_config=text, vision_config=sight)
        model = t.Qwen3_5ForConditionalGeneration(config)
    else:
        sight = {
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "vision_output_dim": 32,
            "image_size": 28,
            "patch_size": 14,
            "projector_input_dim": 32,
            "projector_output_dim": 32,
        }
        config = t.Llama4Config(text_config=text, vision_config=sight)
        model = t.Llama4ForConditionalGeneration(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
