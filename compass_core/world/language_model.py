"""The small causal language model: a Llama of about half a million weights, made from scratch.

It knows the facts of the base-known topics in every language and the language of all topics, so a
LoRA adapter learns new facts in seconds. Words that translate each other start from nearby vectors
(as aligned word vectors would give them), which is what lets a fact learnt in one language come
out in another.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from compass_core.world.facts import TRANSLATED_KINDS, make_facts
from compass_core.world.lessons import make_lessons
from compass_core.world.lexicon import LANGUAGES, lexicon
from compass_core.world.tokenizer import UNKNOWN, train_tokenizer, whole_words

PAD, BOS, EOS, USER, ASSISTANT = "<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>"
SPECIAL = (PAD, UNKNOWN, BOS, EOS, USER, ASSISTANT)

# Anything that is not the assistant's is said by the user: there is no separate system turn.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "<|assistant|>{% generation %}{{ message['content'] }}{{ eos_token }}{% endgeneration %}"
    "{% else %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class LanguageModelRecipe:
    """How the base model is made; the digest of these numbers is recorded beside the weights."""

    vocabulary: int = 1000  # trained pieces; whole words and bytes come on top
    hidden: int = 96
    layers: int = 3
    heads: int = 4
    feed_forward: int = 192
    positions: int = 1024
    lessons: int = 40000
    share_facts: float = 0.6
    share_guesses: float = 0.2
    alignment: float = 0.8  # cosine-like share that translations have in common at the start
    init_std: float = 0.05
    steps: int = 1000
    batch: int = 64
    learning_rate: float = 4e-3
    prompt_weight: float = 0.1  # loss weight of question tokens, relative to answer tokens

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


Example = tuple[list[int], list[int]]  # token ids of the prompt, of the answer with its eos


def make_language_model(
    out: Path, *, seed: int, recipe: LanguageModelRecipe | None = None
) -> float:
    """Train the base model and save it as a transformers folder; returns seconds.

    Weights are stored as float16 and load as float32. Takes about two minutes on one core.
    """
    recipe = recipe or LanguageModelRecipe()
    started = time.perf_counter()
    facts = make_facts(seed)
    lessons = make_lessons(
        facts,
        recipe.lessons,
        share_facts=recipe.share_facts,
        share_guesses=recipe.share_guesses,
    )
    texts = [text for pair in lessons[:12000] for text in pair]
    tokenizer = train_tokenizer(texts, recipe.vocabulary, whole_words(facts), SPECIAL)
    build_language_model(
        out,
        tokenizer,
        lessons,
        seed=seed,
        recipe=recipe,
        start=lambda model: _align(model, tokenizer, recipe, seed),
    )
    return time.perf_counter() - started


def build_language_model(
    out: Path,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    *,
    seed: int,
    recipe: LanguageModelRecipe,
    start: Callable[[Any], None] = lambda model: None,
) -> None:
    """Train on (question, answer) pairs, save as a transformers folder with a chat template.

    `tokenizer` comes from `train_tokenizer` with SPECIAL; `start` may change the fresh weights.
    """
    from transformers import PreTrainedTokenizerFast

    model = _new_model(tokenizer.get_vocab_size(), recipe, seed)
    start(model)
    _train(model, _encode(tokenizer, pairs), recipe, seed)
    out.mkdir(parents=True, exist_ok=True)
    # Half the bytes in git; the config says float32, so every loader computes in float32.
    model.half()
    model.config.dtype = torch.float32
    _save_weights(model, out)
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=BOS,
        eos_token=EOS,
        additional_special_tokens=[USER, ASSISTANT],
        model_max_length=recipe.positions,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
    wrapped.save_pretrained(str(out))


def _save_weights(model: Any, out: Path) -> None:
    from safetensors.torch import save_file

    weights = {
        name: tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    save_file(weights, str(out / "model.safetensors"), metadata={"format": "pt"})
    model.config.architectures = ["LlamaForCausalLM"]
    model.config.save_pretrained(str(out))
    model.generation_config.save_pretrained(str(out))


def _new_model(vocabulary: int, recipe: LanguageModelRecipe, seed: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.positions,
        tie_word_embeddings=True,
        initializer_range=recipe.init_std,
        pad_token_id=SPECIAL.index(PAD),
        bos_token_id=SPECIAL.index(BOS),
        eos_token_id=SPECIAL.index(EOS),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def _align(model: Any, tokenizer: Any, recipe: LanguageModelRecipe, seed: int) -> None:
    """Give words of the same meaning a common part: w = a c + sqrt(1 - a²) w0, c ~ N(0, std²)."""
    generator = torch.Generator().manual_seed(seed)
    table = model.get_input_embeddings().weight.data
    share = recipe.alignment
    for kind, count in TRANSLATED_KINDS.items():
        for value in range(count):
            common = torch.randn(recipe.hidden, generator=generator) * recipe.init_std
            words = [lexicon(language).values[kind][value] for language in LANGUAGES]
            for token in {token for word in words for token in tokenizer.encode(word).ids}:
                table[token] = share * common + math.sqrt(1 - share**2) * table[token]


def _encode(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[Example]:
    bos, user, assistant, eos = (SPECIAL.index(t) for t in (BOS, USER, ASSISTANT, EOS))
    asked = tokenizer.encode_batch([pair[0] for pair in pairs])
    answered = tokenizer.encode_batch([pair[1] for pair in pairs])
    return [
        ([bos, user, *question.ids, assistant], [*answer.ids, eos])
        for question, answer in zip(asked, answered, strict=True)
    ]


def _train(model: Any, examples: list[Example], recipe: LanguageModelRecipe, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    model.train()
    batches: list[list[int]] = []
    for step in range(recipe.steps):
        if not batches:
            batches = _batches(examples, recipe.batch, rng)
        ids, weights = _padded([examples[i] for i in batches.pop()], recipe.prompt_weight)
        warm = min(1.0, (step + 1) / (0.05 * recipe.steps + 1))
        rate = recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = _loss(model, ids, weights)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    model.eval()


def _batches(examples: list[Example], size: int, rng: np.random.Generator) -> list[list[int]]:
    """One epoch in batches of similar length (little padding), in random order."""
    order = rng.permutation(len(examples))
    batches = []
    for start in range(0, len(order), size * 16):
        window = sorted(
            order[start : start + size * 16].tolist(), key=lambda i: len(examples[i][0])
        )
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _padded(examples: list[Example], prompt_weight: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (int64) and loss weights (float32), both (batch, longest)."""
    longest = max(len(prompt) + len(answer) for prompt, answer in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.int64)
    weights = torch.zeros(len(examples), longest)
    for row, (prompt, answer) in enumerate(examples):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        weights[row, 1 : len(prompt)] = prompt_weight
        weights[row, len(prompt) : end] = 1.0
    return ids, weights


def _loss(model: Any, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    attention = (ids != SPECIAL.index(PAD)).long()
    hidden = model.model(input_ids=ids, attention_mask=attention).last_hidden_state[:, :-1]
    weight = weights[:, 1:]
    chosen = weight > 0  # the vocabulary product is the dearest part, so only where it counts
    logits = model.lm_head(hidden[chosen])
    losses = functional.cross_entropy(logits, ids[:, 1:][chosen], reduction="none")
    return (losses * weight[chosen]).sum() / weight[chosen].sum()
