"""Real multilingual text: a project, an embedder and a base model made from parts kept apart.

No model hub is reachable where this was written, so both models are trained here, from scratch, on
two fifths of the data; another fifth is what users ask and are tested on; the rest is training
corpus and pool. Translations of one conversation stay in one part. So the models are tiny and the
texts are real: `docs/experiments/selection.md` says what that can show.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from compass_core.config.load import load_project
from compass_core.config.template import render_template
from compass_core.errors import InputError
from compass_core.gaps.divergence import jsd_bits
from compass_core.hashing import seeded_generator, unit_key
from compass_core.workspace import Workspace
from experiments.selection.cells import Report, test_items
from experiments.selection.graph import up_to_gaps
from experiments.selection.scoring import scorer

SEED = 17
SUITE = "held_out"
TARGETS = ("tr", "bg", "vi")
POOL = ("en", "es", "fr", "de", "pt", "it", "nl", "pl", "ru", "ar", "fa", *TARGETS)
# Conversations with assistants have a topic and translations; chit-chat and shell commands are in
# the pool as well, and no user of this experiment asks for them.
TALK = "lobe-chat-agents"
OTHER = {"chatterbot-corpus": "chit-chat", "tldr-pages": "shell"}
COVERED = ("education", "academic", "general", "career")  # all that the training corpora have
PARTS = {"models": (0.0, 0.4), "usage": (0.4, 0.5), "test": (0.5, 0.6), "pool": (0.6, 1.0)}
POOL_ROWS, OTHER_ROWS, TRAINING_ROWS, TEST_ITEMS = 500, 60, 120, 80
PROMPT_CHARS, RESPONSE_CHARS = 160, 200
BUDGETS = (3000, 9000)


def prepare(shared: Path, folder: Path, report: Report) -> Workspace:
    """The real project up to its gap reports; what is there is kept.

    Raises InputError where the data is not there. Cost on one core: about six minutes.
    """
    rows = read_rows(shared)
    models = folder / "data" / "models"
    if not (models / "embedder" / "modules.json").exists():
        report("real: making the embedder")
        make_embedder(rows.filter(pl.col("part") == "models"), models / "embedder")
    if not (models / "base" / "config.json").exists():
        report("real: making the base model")
        make_base(rows.filter(pl.col("part") == "models"), models / "base")
    write_inputs(rows, folder / "data")
    (folder / "compass.yaml").write_text(render_template(_settings()))
    loaded = load_project(folder / "compass.yaml")
    mark = folder / ".prepared"
    if not mark.exists():
        report("real: from files to gap reports")
        up_to_gaps(loaded)
        mark.touch()
    return Workspace.open(loaded)


def _settings() -> dict[str, Any]:
    return {
        "name": "real text",
        "seed": SEED,
        "languages": {"targets": list(TARGETS), "auxiliary": "auto"},
        "usage": {"window_days": 30},
        "ingest": {"settle_s": 0.0},
        "clusters": {"k_min": 30, "k_max": 60, "k_steps": 3, "pool_sample_rows": 3000},
        "sampling": {"budget": BUDGETS[0]},
        "adapter": {
            "batch_size": 8,
            "epochs": 2.0,
            "learning_rate": 0.002,
            "max_tokens": 192,
        },
        "benchmarks": {"suites": [{"name": SUITE, "style": "cloze", "max_items": TEST_ITEMS}]},
        "execution": {"threads": 1},
    }


def read_rows(shared: Path) -> pl.DataFrame:
    """Columns id, lang, topic, group, part, prompt, response, license, source; cut to a length."""
    path = shared / "instruction_pool.parquet"
    if not path.is_file():
        raise InputError(f"{path} is missing; give the folder that holds it with --shared")
    pool = pl.read_parquet(path).filter(
        pl.col("in_balanced")
        & pl.col("lang").is_in(POOL)
        & pl.col("source").is_in([TALK, *OTHER])
        & (pl.col("output").str.len_chars() > 0)
    )
    talk = pl.col("source") == TALK
    rows = pool.select(
        "id",
        "lang",
        "source",
        "license",
        pl.when(talk)
        .then(pl.col("topic"))
        .otherwise(pl.col("source").replace(OTHER))
        .alias("topic"),
        # lobe/<agent>/<turn>: an agent's turns, in all languages, stay together
        pl.when(talk & (pl.col("parallel_id") != ""))
        .then(pl.col("parallel_id").str.replace(r"/\d+$", ""))
        .otherwise(pl.col("id"))
        .alias("group"),
        pl.when(talk).then(pl.col("parallel_id")).otherwise(pl.lit("")).alias("same"),
        pl.concat_str(["instruction", "input"], separator="\n")
        .str.strip_chars()
        .str.slice(0, PROMPT_CHARS)
        .alias("prompt"),
        pl.col("output").map_elements(_cut, return_dtype=pl.String).alias("response"),
    ).sort("id")
    keys = [unit_key(group, SEED, "real part") for group in rows["group"]]
    parts = [next(n for n, (low, high) in PARTS.items() if low <= k < high) for k in keys]
    rows = rows.with_columns(pl.Series("part", parts))
    # Only conversations are asked and tested; of the other sources that part joins the pool.
    asked = pl.col("part").is_in(["usage", "test"])
    return rows.with_columns(
        pl.when(asked & (pl.col("source") != TALK))
        .then(pl.lit("pool"))
        .otherwise("part")
        .alias("part")
    ).unique(["lang", "prompt"], keep="first", maintain_order=True)


def _cut(text: str) -> str:
    """At most RESPONSE_CHARS, ending at a blank where there is one."""
    text = " ".join(text.split())
    if len(text) <= RESPONSE_CHARS:
        return text
    head = text[:RESPONSE_CHARS]
    return head[: head.rfind(" ")] if " " in head[RESPONSE_CHARS // 2 :] else head


def write_inputs(rows: pl.DataFrame, data: Path) -> None:
    """Corpora, logs and items as files; the same rows give the same files."""
    pool = rows.filter(pl.col("part") == "pool")
    for language in POOL:
        mine = _ordered(pool.filter(pl.col("lang") == language), "pool")
        if language in TARGETS:
            covered = (pl.col("source") == TALK) & pl.col("topic").is_in(COVERED)
            own = mine.filter(covered).head(TRAINING_ROWS)
            _write(data / "corpora" / "training" / language / "rows.jsonl", own)
            mine = mine.filter(~covered)
        talk = mine.filter(pl.col("source") == TALK).head(POOL_ROWS)
        rest = [mine.filter(pl.col("source") == name).head(OTHER_ROWS) for name in OTHER]
        _write(data / "corpora" / "auxiliary" / language / "rows.jsonl", pl.concat([talk, *rest]))
    for language in TARGETS:
        asked = _ordered(rows.filter(_of(language, "usage")), "usage")
        lines = [
            {"id": row, "timestamp": f"2026-01-{1 + i % 10:02d}T09:00:00Z", "text": prompt}
            for i, (row, prompt) in enumerate(asked.select("id", "prompt").iter_rows())
        ]
        _jsonl(data / "logs" / language / "prompts.jsonl", lines)
        for split, part in (("dev", "usage"), ("test", "test")):
            items = _ordered(rows.filter(_of(language, part)), "items")
            path = data / "benchmarks" / SUITE / language / f"{split}.jsonl"
            _jsonl(path, _items(items, language))


def _of(language: str, part: str) -> pl.Expr:
    return (pl.col("lang") == language) & (pl.col("part") == part) & (pl.col("source") == TALK)


def _items(rows: pl.DataFrame, language: str) -> list[dict[str, Any]]:
    """Each prompt with its own answer and another row's; which comes first is drawn."""
    answers = rows["response"].to_list()
    found = []
    for i, row in enumerate(rows.to_dicts()):
        rng = seeded_generator(SEED, "item", row["id"])
        others = [text for text in answers if text != answers[i]]
        if not others:
            continue
        wrong = others[int(rng.integers(len(others)))]
        answer = int(rng.integers(2))
        choices = [wrong, wrong]
        choices[answer] = answers[i]
        found.append(
            {
                "id": row["id"],
                "question": row["prompt"],
                "choices": choices,
                "answer": answer,
                "subject": row["topic"],
            }
        )
    return found


def _ordered(rows: pl.DataFrame, salt: str) -> pl.DataFrame:
    keys = [unit_key(row, SEED, salt) for row in rows["id"]]
    return rows.with_columns(pl.Series("key", keys, dtype=pl.Float64)).sort("key").drop("key")


def _write(path: Path, rows: pl.DataFrame) -> None:
    columns = rows.select(
        "id",
        pl.col("prompt").alias("instruction"),
        pl.lit("").alias("input"),
        pl.col("response").alias("output"),
        "source",
        "license",
    )
    _jsonl(path, columns.to_dicts())


def _jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_embedder(rows: pl.DataFrame, out: Path) -> None:
    """A static embedder from translations of the same prompt, and from prompts of one topic."""
    from compass_core.world.embedder import EmbedderRecipe, build_embedder
    from compass_core.world.tokenizer import UNKNOWN, train_tokenizer

    recipe = EmbedderRecipe(vocabulary=8000, steps=300, batch=256, same_fact=0.8)
    talk = rows.filter(pl.col("same") != "")
    tokenizer = train_tokenizer(rows["prompt"].to_list(), 8000, [], ["<pad>", UNKNOWN])
    by_turn = [part["prompt"].to_list() for _, part in talk.sort("id").group_by("same")]
    by_turn = sorted(texts for texts in by_turn if len(texts) > 1)
    by_topic = sorted(part["prompt"].to_list() for _, part in talk.sort("id").group_by("topic"))

    def draw(rng: np.random.Generator) -> list[tuple[str, str]]:
        pairs = []
        for _ in range(recipe.batch):
            groups = by_turn if rng.random() < recipe.same_fact else by_topic
            texts = groups[int(rng.integers(len(groups)))]
            one, two = rng.choice(len(texts), 2, replace=False)
            pairs.append((texts[int(one)], texts[int(two)]))
        return pairs

    build_embedder(out, tokenizer, draw, seed=SEED, recipe=recipe)


def make_base(rows: pl.DataFrame, out: Path) -> None:
    """A language model of about 0.6 million weights on the prompts and answers of this part."""
    from compass_core.world.language_model import SPECIAL, LanguageModelRecipe, build_language_model
    from compass_core.world.tokenizer import train_tokenizer

    recipe = LanguageModelRecipe(vocabulary=3000, steps=240, batch=32, prompt_weight=0.3)
    pairs = list(rows.sort("id").select("prompt", "response").iter_rows())
    texts = [text for pair in pairs for text in pair]
    tokenizer = train_tokenizer(texts, recipe.vocabulary, [], SPECIAL)
    build_language_model(out, tokenizer, pairs, seed=SEED, recipe=recipe)


class RealFacts:
    """Topics and languages of the chosen rows, training corpus and sample together."""

    def __init__(self, ws: Workspace, shared: Path) -> None:
        self._ws = ws
        rows = read_rows(shared)
        self._topic = dict(rows.select("prompt", "topic").iter_rows())

    def __call__(self, language: str, rows: pl.DataFrame) -> dict[str, Any]:
        topics = [self._topic.get(prompt, "?") for prompt in rows["prompt"]]
        asked = test_items(self._ws, language)["subject"].to_list()
        names = sorted({*topics, *asked})
        tokens = np.zeros(len(names))
        for topic, count in zip(topics, rows["supervised_tokens"], strict=True):
            tokens[names.index(topic)] += count
        wanted = np.array([asked.count(name) for name in names], dtype=np.float64)
        sampled = rows.filter(pl.col("origin") == "auxiliary")
        own = sampled.filter(pl.col("row_language") == language)
        spent = max(1, int(sampled["supervised_tokens"].sum()))
        return {
            "gap_rows": sum(t in asked and t not in COVERED for t in topics),
            "unasked_rows": sum(t not in asked for t in topics),
            "own_language_rows": own.height,
            "own_language_share": float(own["supervised_tokens"].sum()) / spent,
            "jsd_bits_topics": jsd_bits(tokens, wanted),
        }


def groups(language: str, subjects: list[str]) -> dict[str, np.ndarray]:
    covered = np.array([subject in COVERED for subject in subjects])
    return {"covered": np.flatnonzero(covered), "gap": np.flatnonzero(~covered)}


score = scorer(groups)
