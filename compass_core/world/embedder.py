"""The small multilingual embedder: one vector a token, averaged, trained on parallel questions.

Two questions are a pair when they ask the same thing in two languages. In some pairs the thing
asked about is the same one, in most it is another of its kind, so that the space is ordered by
topic first, then by what is asked, and only then by the name; language and phrasing differ within
pairs all the time and so lose their weight.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from compass_core.hashing import seeded_generator
from compass_core.world.facts import TOPICS, Fact, Facts, make_facts
from compass_core.world.lexicon import LANGUAGES
from compass_core.world.texts import Wording, draw_wording, question, reserved_phrasing
from compass_core.world.tokenizer import SPACE, UNKNOWN, other_letters, train_tokenizer, whole_words


@dataclass(frozen=True)
class EmbedderRecipe:
    """How the embedder is made. `same_fact` and `same_ask` are shares of pairs; the rest of the
    pairs share only their topic."""

    vocabulary: int = 1200
    dimension: int = 64
    sentences: int = 12000
    steps: int = 400
    batch: int = 256
    learning_rate: float = 0.02
    temperature: float = 0.07
    same_fact: float = 0.3
    same_ask: float = 0.5

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def make_embedder(out: Path, *, seed: int, recipe: EmbedderRecipe | None = None) -> float:
    """Train the embedder and save it as a sentence-transformers folder; returns seconds.

    `SentenceTransformer(out, device="cpu")` loads it; vectors are float32, unit length, shape
    (n, recipe.dimension). Takes about 20 s on one core.
    """
    recipe = recipe or EmbedderRecipe()
    started = time.perf_counter()
    facts = make_facts(seed)
    tokenizer = _tokenizer(facts, recipe)
    build_embedder(out, tokenizer, lambda rng: _pairs(facts, recipe, rng), seed=seed, recipe=recipe)
    return time.perf_counter() - started


def build_embedder(
    out: Path,
    tokenizer: Tokenizer,
    draw: Callable[[np.random.Generator], list[tuple[str, str]]],
    *,
    seed: int,
    recipe: EmbedderRecipe,
) -> None:
    """Train on pairs that belong together, `draw` giving a batch of them; save the folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    weights = _train(tokenizer, draw, recipe, seed)
    module = StaticEmbedding(tokenizer, embedding_weights=weights.numpy())
    model = SentenceTransformer(modules=[module, Normalize()], device="cpu")
    out.mkdir(parents=True, exist_ok=True)
    model.save(str(out), create_model_card=False)


def embedder_quality(model: Any, *, seed: int, rows: int = 1500) -> dict[str, float]:
    """How well held-out questions (phrasings kept for dev items) are placed by topic, not language.

    - `cross_language_topic`: share of questions whose nearest neighbour in another language is on
      the same topic;
    - `topic_purity`: share of rows in a k-means cluster (one a topic) that has their topic as its
      most frequent one;
    - `language_purity`: the same for languages; 1/9 = 0.11 would be no trace of language.
    """
    from sklearn.cluster import KMeans

    facts = make_facts(seed)
    rng = seeded_generator(seed, "embedder quality")
    everything = facts.all()
    texts, topics, languages = [], [], []
    for _ in range(rows):
        fact = everything[int(rng.integers(len(everything)))]
        language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        wording = Wording(
            reserved_phrasing(fact, "dev", seed), int(rng.integers(2)), int(rng.integers(3))
        )
        texts.append(question(language, fact, wording))
        topics.append(TOPICS.index(fact.topic))
        languages.append(LANGUAGES.index(language))
    vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    topic, language_of = np.array(topics), np.array(languages)
    similarity = vectors @ vectors.T
    similarity[language_of[:, None] == language_of[None, :]] = -2.0
    nearest = similarity.argmax(axis=1)
    labels = KMeans(len(TOPICS), n_init=4, random_state=0).fit_predict(vectors)
    return {
        "cross_language_topic": round(float((topic[nearest] == topic).mean()), 4),
        "topic_purity": round(_purity(labels, topic), 4),
        "language_purity": round(_purity(labels, language_of), 4),
    }


def _purity(labels: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    groups = [truth[labels == label] for label in np.unique(labels)]
    return float(sum(np.bincount(group).max() for group in groups) / len(truth))


def _tokenizer(facts: Facts, recipe: EmbedderRecipe) -> Tokenizer:
    rng = seeded_generator(facts.seed, "embedder sentences")
    everything = facts.all()
    texts = [
        _sentence(everything[int(rng.integers(len(everything)))], facts, rng)
        for _ in range(recipe.sentences)
    ]
    tokenizer: Tokenizer = train_tokenizer(
        texts, recipe.vocabulary, whole_words(facts) + other_letters(), ["<pad>", UNKNOWN]
    )
    return tokenizer


def _sentence(fact: Fact, facts: Facts, rng: np.random.Generator) -> str:
    language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
    return question(language, fact, draw_wording(fact, facts.seed, str(rng.integers(2**40))))


def _pairs(facts: Facts, recipe: EmbedderRecipe, rng: np.random.Generator) -> list[tuple[str, str]]:
    everything = facts.all()
    pairs = []
    for _ in range(recipe.batch):
        fact = everything[int(rng.integers(len(everything)))]
        draw = rng.random()
        near = facts.by_topic[fact.topic]
        if draw < recipe.same_fact:
            other = fact
        else:
            if draw < recipe.same_fact + recipe.same_ask:
                near = tuple(candidate for candidate in near if candidate.ask == fact.ask)
            other = near[int(rng.integers(len(near)))]
        pairs.append((_sentence(fact, facts, rng), _sentence(other, facts, rng)))
    return pairs


def _train(
    tokenizer: Tokenizer,
    draw: Callable[[np.random.Generator], list[tuple[str, str]]],
    recipe: EmbedderRecipe,
    seed: int,
) -> torch.Tensor:
    """Token vectors by InfoNCE over the batch, both ways; float32, (vocabulary, dimension)."""
    generator = torch.Generator().manual_seed(seed)
    size = tokenizer.get_vocab_size()
    # Small, so that tokens which the pairs never move (bytes, odd letters) stay quieter than
    # words that were learnt, yet never zero: text in any script has a direction.
    weights = torch.randn(size, recipe.dimension, generator=generator) * 0.1
    # A lone blank stands before every word that is spelt out; it would make all such texts alike.
    blank = tokenizer.get_vocab()[SPACE]
    table = torch.nn.EmbeddingBag(
        size, recipe.dimension, mode="mean", _weight=weights, padding_idx=blank
    )
    optimizer = torch.optim.Adam(table.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps)
    rng = seeded_generator(seed, "embedder pairs")
    for _ in range(recipe.steps):
        pairs = draw(rng)
        left = _encode(table, tokenizer, [pair[0] for pair in pairs])
        right = _encode(table, tokenizer, [pair[1] for pair in pairs])
        scores = left @ right.T / recipe.temperature
        truth = torch.arange(len(pairs))
        loss = functional.cross_entropy(scores, truth) + functional.cross_entropy(scores.T, truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    vectors = table.weight.detach()
    vectors[blank] = 1e-3 * torch.randn(recipe.dimension, generator=generator)
    return vectors


def _encode(
    table: torch.nn.EmbeddingBag, tokenizer: Tokenizer, texts: Sequence[str]
) -> torch.Tensor:
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    offsets = torch.tensor([0, *np.cumsum([len(part) for part in ids])[:-1].tolist()])
    flat = torch.tensor([token for part in ids for token in part])
    return functional.normalize(table(flat, offsets), dim=-1)
