"""What the base model knows: cloze accuracy on facts it was taught and on facts it was not."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from compass_core.hashing import seeded_generator
from compass_core.world.facts import BASE_KNOWN, Fact, Facts, make_facts
from compass_core.world.lexicon import LANGUAGES
from compass_core.world.texts import (
    Wording,
    question,
    reserved_phrasing,
    value_count,
    value_word,
)

CHOICES = 4


def language_model_quality(model: Any, tokenizer: Any, *, seed: int) -> dict[str, float]:
    """Accuracy in [0, 1] on one dev-phrasing item a fact in each language; guessing gives 0.25.

    - `known_topics`: facts of the base-known topics; `worst_language` the lowest of any language;
    - `other_topics`: facts the model was never taught, so this should be near 0.25.
    """
    facts = make_facts(seed)
    known: dict[str, float] = {}
    other: dict[str, float] = {}
    for language in LANGUAGES:
        everything = facts.all()
        right = _answers(model, tokenizer, facts, language, everything)
        taught = np.array([fact.topic in BASE_KNOWN for fact in everything])
        known[language] = float(right[taught].mean())
        other[language] = float(right[~taught].mean())
    return {
        "known_topics": round(float(np.mean(list(known.values()))), 4),
        "worst_language": round(min(known.values()), 4),
        "other_topics": round(float(np.mean(list(other.values()))), 4),
    }


def _answers(
    model: Any, tokenizer: Any, facts: Facts, language: str, asked: list[Fact]
) -> np.ndarray[Any, Any]:
    """Whether each fact is answered right: boolean, shape (facts,)."""
    prompts, answers = [], []
    for fact in asked:
        rng = seeded_generator(facts.seed, "base quality", language, fact.key)
        wording = Wording(
            reserved_phrasing(fact, "dev", facts.seed), int(rng.integers(2)), int(rng.integers(3))
        )
        turn = [{"role": "user", "content": question(language, fact, wording)}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        others = [v for v in range(value_count(language, fact, facts)) if v != fact.value]
        for value in (fact.value, *rng.choice(others, CHOICES - 1, replace=False).tolist()):
            prompts.append(prompt)
            answers.append(value_word(language, fact, facts, value) + tokenizer.eos_token)
    losses = _mean_losses(model, tokenizer, prompts, answers).reshape(-1, CHOICES)
    right: np.ndarray[Any, Any] = losses.argmin(axis=1) == 0
    return right


@torch.no_grad()
def _mean_losses(
    model: Any, tokenizer: Any, prompts: list[str], answers: list[str], batch: int = 256
) -> np.ndarray[Any, Any]:
    """Mean negative log-likelihood a token of each answer, eos included; float64, (rows,)."""
    asked = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    told = tokenizer(answers, add_special_tokens=False)["input_ids"]
    rows = [(len(prompt), prompt + answer) for prompt, answer in zip(asked, told, strict=True)]
    found: list[float] = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        longest = max(len(tokens) for _, tokens in part)
        ids = torch.full((len(part), longest), int(tokenizer.pad_token_id))
        labels = torch.full((len(part), longest), -100)
        for row, (cut, tokens) in enumerate(part):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            labels[row, cut : len(tokens)] = torch.tensor(tokens[cut:])
        mask = (ids != tokenizer.pad_token_id).long()
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        wanted = labels[:, 1:]
        losses = functional.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")
        found += (losses.sum(dim=1) / (wanted != -100).sum(dim=1)).tolist()
    return np.array(found, dtype=np.float64)
