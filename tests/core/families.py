"""The real architectures at tiny size, with chat templates of the real structure.

The templates are written for these tests. They keep what matters in the originals: the control
tokens, the system turn that appears by itself, the date, the thinking block, what closes a text.
"""

from tests.core.conftest import CORPUS

LLAMA = (
    "{{ bos_token }}{% set first = messages[0] %}"
    "{% if first.role == 'system' %}{% set said = first.content | trim %}"
    "{% set rest = messages[1:] %}{% else %}{% set said = '' %}{% set rest = messages %}{% endif %}"
    "<|start_header_id|>system<|end_header_id|>\n\nKnowledge until: 2023\n"
    "Today: {{ date_string if date_string is defined else strftime_now('%d %b %Y') }}\n\n"
    "{{ said }}<|eot_id|>"
    "{% for m in rest %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
LLAMA4 = (
    "{{ bos_token }}{% for m in messages %}<|header_start|>{{ m.role }}<|header_end|>\n\n"
    "{{ m.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|header_start|>assistant<|header_end|>\n\n{% endif %}"
)
QWEN25 = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helper.<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN3 = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
PHI4 = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% else %}{{ eos_token }}{% endif %}"
)
# name -> (template, bos, eos as the tokenizer has it, pad, other control tokens)
TOKENS = {
    "llama-3.1": (
        LLAMA,
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
    "qwen2.5": (QWEN25, None, "<|im_end|>", "<|endoftext|>", ["<|im_start|>"]),
    "qwen3": (QWEN3, None, "<|im_end|>", "<|endoftext|>", ["<|im_start|>", "<think>", "</think>"]),
    "qwen3.5": (
        QWEN3,
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
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    template, bos, eos, pad, others = TOKENS[name]
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
