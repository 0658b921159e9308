"""The sample world, several times: other facts, texts, logs, items, and other models.

A world's seed decides its facts and wordings, the embedder and the base model that are trained for
it, and the clusters. Runs in two worlds share nothing but the sentences written by hand, the topic
shares in `compass_core/world/plan.py` and the settings. Within a world a run's seed decides the
keys of the selection, the order of the training and the start of the adapter.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from compass_core.config.load import load_project
from compass_core.config.template import render_template
from compass_core.gaps.divergence import jsd_bits
from compass_core.workspace import Workspace
from compass_core.world import plan
from compass_core.world.facts import TOPICS
from compass_core.world.generate import write_sample_project
from experiments.selection.cells import Report, test_items
from experiments.selection.graph import up_to_gaps
from experiments.selection.scoring import scorer

LANGUAGES = ("sw", "hi", "ar")
ROOT = Path(__file__).parent.parent.parent


def prepare(seed: int, folder: Path, report: Report) -> Workspace:
    """The world of a seed with everything up to its gap reports; what is there is kept.

    Cost on one core: about four minutes where both models have to be made, else one.
    """
    data = folder / "data"
    mark = folder / ".prepared"
    if not (data / "models" / "MODELS.json").exists():
        if seed == plan.SEED:  # the sample project's own models are those of this seed
            shutil.copytree(ROOT / "data" / "models", data / "models", dirs_exist_ok=True)
        else:
            from compass_core.world.make_models import make_models

            report(f"world {seed}: making its embedder and its base model")
            make_models(data / "models", seed=seed)
    if not (data / "corpora").exists():
        write_sample_project(data, seed=seed)
    (folder / "compass.yaml").write_text(render_template(_settings(seed)))
    loaded = load_project(folder / "compass.yaml")
    if not mark.exists():
        report(f"world {seed}: from files to gap reports")
        up_to_gaps(loaded)
        mark.touch()
    return Workspace.open(loaded)


def _settings(seed: int) -> dict[str, Any]:
    """The sample project's settings, but for the seed and for a pool that is open to all. Training
    is the sample project's too: a comparison of rows says something only where what is seen is
    learnt."""
    sample = load_project(ROOT / "compass.yaml").project.model_dump(mode="json")
    sample["name"] = f"world {seed}"
    sample["seed"] = seed
    sample["languages"] = {"targets": list(LANGUAGES), "auxiliary": "auto"}
    sample["execution"] |= {"threads": 1, "parallel": 1}
    return sample


class WorldFacts:
    """What only this world can tell: topics and facts of the rows that were chosen.

    Called with a language and its chosen rows; figures, all of training corpus and sample:
    `gap_rows`, `own_language_rows`, `jsd_bits_topics` (against what users were planned to ask, in
    true topics: a measure that no strategy has seen) and `facts_seen_gap`, `_covered`: the share of
    test items whose fact stands in some chosen row, in whatever language.
    """

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._fact = _facts_by_prompt(ws.directory / "data")

    def __call__(self, language: str, rows: pl.DataFrame) -> dict[str, Any]:
        target = plan.target(language)
        facts = [self._fact[prompt] for prompt in rows["prompt"]]
        topics = [fact.split("/")[0] for fact in facts]
        counts = np.zeros(len(TOPICS))
        for topic, tokens in zip(topics, rows["supervised_tokens"], strict=True):
            counts[TOPICS.index(topic)] += tokens
        wanted = np.array([float(target.late.get(topic, 0.0)) for topic in TOPICS])
        sampled = rows["origin"] == "auxiliary"
        own = (rows["row_language"] == language) & sampled
        items = test_items(self._ws, language)
        seen = set(facts)
        found: dict[str, Any] = {
            "gap_rows": sum(t not in target.training and t in target.late for t in topics),
            "unasked_rows": sum(t not in target.late for t in topics),
            "own_language_rows": int(own.sum()),
            "jsd_bits_topics": jsd_bits(counts, wanted),
        }
        for group, mine in groups(language, items["subject"].to_list()).items():
            questions = items["question"].to_numpy()[mine]
            found[f"facts_seen_{group}"] = float(
                np.mean([self._fact[question] in seen for question in questions])
            )
        return found


def groups(language: str, subjects: list[str]) -> dict[str, np.ndarray]:
    """Positions of the items on topics that the training corpus covers, and of those it lacks."""
    covered = np.array([subject in plan.target(language).training for subject in subjects])
    return {"covered": np.flatnonzero(covered), "gap": np.flatnonzero(~covered)}


score = scorer(groups)


def _facts_by_prompt(data: Path) -> dict[str, str]:
    """`topic/entity/ask` of every prompt and question of the sample project, from its row ids."""
    found: dict[str, str] = {}
    for path in sorted((data / "corpora").rglob("*.jsonl")) + sorted(
        (data / "benchmarks").rglob("*.jsonl")
    ):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            asked = row.get("question") or row.get("instruction") or row["messages"][0]["content"]
            _, _, topic, entity, variant = row["id"].rsplit("-", 4)
            found[asked] = f"{topic}/{entity}/{variant[0]}"
    return found
