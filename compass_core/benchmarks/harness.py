"""Tasks of lm-evaluation-harness on a model that is loaded already, kept item by item.

The harness's own task files, prompts, few-shot examples, extraction and metrics are used as they
are; data come from the Hub, or from a local copy of the same files.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from compass_core.adapters.chat import dialect_of, turns_text
from compass_core.benchmarks.harness_progress import telling
from compass_core.config.schema import Suite
from compass_core.errors import InputError, ModelError

INSTALL = "pip install 'compass-assets[benchmarks]'"
INVALID = "[invalid]"  # what the harness's regex filter gives where nothing matched
READERS = {".parquet": "parquet", ".jsonl": "json", ".json": "json", ".csv": "csv"}


def run_harness(
    suite: Suite,
    language: str,
    model: Any,
    tokenizer: Any,
    batch_size: int,
    directory: Path,
    report: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Rows of records.SCORES without the columns that say whose they are.

    `correct` is the harness's own metric on the item (acc or exact_match). Raises ModelError where
    the harness is not installed, InputError where a task or its data is not there.
    """
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM

        manager = task_manager()
    except ImportError as error:
        raise ModelError(f"suite {suite.name} needs lm-evaluation-harness: {INSTALL}") from error
    name = (suite.task or suite.name).replace("{lang}", language.split("-")[0])
    if name.endswith((".yaml", ".yml")):
        name = str(directory / name)
    elif name not in manager.all_tasks:
        return _unknown(suite, name, manager.all_tasks)
    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    if suite.chat and not tokenizer.chat_template:
        raise ModelError(
            f"suite {suite.name}: received chat: true, and the base model's tokenizer has no chat "
            "template; set chat: false"
        )
    made = telling(speaking(HFLM), report, f"{suite.name} {language}")
    lm: Any = made(pretrained=inner, tokenizer=tokenizer, batch_size=batch_size)
    generation = {"max_gen_toks": suite.max_new_tokens} if suite.max_new_tokens else None
    try:
        with data_from(directory / suite.data if suite.data else None):
            found = simple_evaluate(
                lm,
                tasks=[name],
                task_manager=manager,
                num_fewshot=suite.shots,
                limit=suite.max_items,
                apply_chat_template=suite.chat,
                system_instruction=dialect_of(tokenizer).system if suite.chat else None,
                gen_kwargs=generation,
                bootstrap_iters=0,
                log_samples=True,
            )
    except (ConnectionError, FileNotFoundError) as error:
        raise InputError(
            f"suite {suite.name}: the data of {name} cannot be loaded ({error}); copy the data "
            "set and name its folder in the suite's `data`"
        ) from error
    rows = []
    for task, samples in sorted(found["samples"].items()):
        config = found["configs"][task]
        shared = {
            "subject": config.get("task_alias") or task,
            "task": task,
            "task_version": str(found["versions"].get(task)),
            "shots": int(found["n-shot"].get(task) or 0),
            "shots_from": _source(config, int(found["n-shot"].get(task) or 0)),
        }
        rows += [{**shared, **_item(task, sample)} for sample in _one_filter(samples)]
    return rows


def speaking(model_class: Any) -> Any:
    """A subclass of a harness model class that writes chats as the adapter was trained on them.

    The harness alone knows neither the arguments that the template is told (a thinking block, a
    date) nor what becomes of a system turn that the template does not take.
    """

    class Speaking(model_class):  # type: ignore[misc]
        def apply_chat_template(
            self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
        ) -> str:
            return turns_text(self.tokenizer, chat_history, add_generation_prompt)

    return Speaking


@cache
def task_manager() -> Any:
    """The harness's index of its tasks; reading it takes seconds, so it is read once."""
    from lm_eval.tasks import TaskManager

    return TaskManager()


def _unknown(suite: Suite, name: str, known: list[str]) -> list[dict[str, Any]]:
    """Nothing to score where the harness has the task in other languages; else an error."""
    pattern = re.escape(suite.task or suite.name).replace(re.escape("{lang}"), "[a-z]+")
    if "{lang}" in (suite.task or suite.name) and any(re.fullmatch(pattern, k) for k in known):
        return []
    raise InputError(
        f"suite {suite.name}: the harness has no task {name}; names are such as "
        "global_mmlu_{lang}, global_mmlu_full_{lang}, mmlu_prox_{lang}, mmlu_prox_lite_{lang}"
    )


def _source(config: dict[str, Any], shots: int) -> str | None:
    if not shots:
        return None
    sampler = (config.get("fewshot_config") or {}).get("sampler", "default")
    return f"{config.get('fewshot_split')} ({sampler})"


def _one_filter(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A generated answer is logged once a filter; the first one is the task's main figure."""
    first = samples[0]["filter"] if samples else None
    return [sample for sample in samples if sample["filter"] == first]


def _item(task: str, sample: dict[str, Any]) -> dict[str, Any]:
    metric = "acc" if "acc" in sample else "exact_match"
    if metric not in sample:
        raise ModelError(
            f"{task} is scored by {', '.join(sample['metrics'])}; allowed: acc, exact_match"
        )
    row: dict[str, Any] = {
        "item_id": f"{task}/{sample['doc_id']}",
        "correct": float(sample[metric]) == 1.0,
        "predicted": None,
        "answer": None,
        "margin": None,
        "logliks": None,
        "response": None,
        "extracted": None,
    }
    if metric == "acc":
        logliks = [float(pair[0]) for pair in sample["filtered_resps"]]
        row["logliks"] = logliks
        row["predicted"] = max(range(len(logliks)), key=lambda i: (logliks[i], -i))
        answer = _position(sample["target"], len(logliks))
        if answer is not None:
            wrong = max(v for i, v in enumerate(logliks) if i != answer)
            row |= {"answer": answer, "margin": logliks[answer] - wrong}
        return row
    response = sample["resps"][0]
    row["response"] = str(response[0] if isinstance(response, list) else response)
    extracted = str(sample["filtered_resps"][0])
    row["extracted"] = None if extracted == INVALID else extracted
    return row


def _position(target: Any, count: int) -> int | None:
    if isinstance(target, str) and len(target) == 1 and target.isalpha():
        target = ord(target.upper()) - ord("A")
    elif isinstance(target, str) and target.isdecimal():
        target = int(target)
    return target if isinstance(target, int) and 0 <= target < count else None


@contextmanager
def data_from(folder: Path | None) -> Iterator[None]:
    """Let the harness load a local copy in place of the data set that a task names.

    The harness has no setting for it: it calls `datasets.load_dataset(path, name)`.
    """
    if folder is None:
        yield
        return
    from lm_eval.api import task as module

    original = module.datasets.load_dataset

    def load(path: str, name: str | None = None, **more: Any) -> Any:
        return local_dataset(folder, name, original)

    module.datasets.load_dataset = load
    try:
        yield
    finally:
        module.datasets.load_dataset = original


def local_dataset(folder: Path, name: str | None, load: Callable[..., Any] | None = None) -> Any:
    """A data set from files <folder>/[data/]<name>/<split>*.parquet (or .jsonl, .json, .csv).

    That is how a Hub data set looks when it is copied. `load`: `datasets.load_dataset`, where its
    name is taken by something else. Raises InputError naming what is there.
    """
    import datasets

    roots = [folder / "data" / name, folder / name] if name else [folder / "data", folder]
    root = next((r for r in roots if r.is_dir()), None)
    if root is None:
        there = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        raise InputError(
            f"{folder} has no folder {name}; there are: {', '.join(there) or 'nothing'}"
        )
    by_split: dict[str, list[str]] = {}
    kinds = set()
    for path in sorted(root.iterdir()):
        split = re.split(r"[-_.]", path.name)[0]
        if path.suffix in READERS:
            by_split.setdefault(split, []).append(str(path))
            kinds.add(READERS[path.suffix])
    if len(kinds) != 1:
        raise InputError(f"{root}: files of one kind are allowed (parquet, jsonl, csv)")
    return (load or datasets.load_dataset)(kinds.pop(), data_files=by_split)
