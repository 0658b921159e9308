"""An adapter version as a folder of its own: for PEFT, or merged into its base model."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compass_core.adapters.presets import export_dtype
from compass_core.adapters.registry import adapter_dir, serving
from compass_core.errors import StoreError
from compass_core.exports.scores_card import with_scores
from compass_core.workspace import Workspace

NEEDED = ("adapter_config.json", "adapter_model.safetensors")


def chosen_version(ws: Workspace, language: str, version: str | None) -> str:
    """The version asked for, else the one that serves. Raises StoreError where none does."""
    found = version or serving(ws.store, language)
    if found is None:
        raise StoreError(
            f"no adapter of {language} serves; name one with --version, or promote one"
        )
    adapter_dir(ws.store, language, found)
    return found


def export_peft(ws: Workspace, language: str, version: str | None, to: Path) -> Path:
    """Copy a version to `to`/<language>-<version>: PEFT's files, card with scores, lineage.

    `PeftModel.from_pretrained(base, folder)` takes it as it is. An export that is there already
    is replaced.
    """
    chosen = chosen_version(ws, language, version)
    target = to / f"{language}-{chosen}"
    with replacing(target) as folder:
        copy_version(ws, language, chosen, folder)
    return target


def copy_version(ws: Workspace, language: str, version: str, folder: Path) -> None:
    """A version's files into a new folder, the scores on its card."""
    shutil.copytree(adapter_dir(ws.store, language, version), folder)
    with_scores(ws, language, version, folder / "README.md")


def export_merged(ws: Workspace, language: str, version: str | None, to: Path) -> Path:
    """Write the base model with the adapter added into its weights, and its tokenizer.

    Loads the whole base model: its weights have to fit into memory, and on disk again. Sums are
    taken as it was loaded, and rounded once to what they are written in (`export_dtype`). DoRA and
    anything else that a server's adapter loader refuses is served this way. Generation ends where
    the training ends an answer, and a base model without a chat template gets the plain one that
    was trained on.
    """
    from compass_core.adapters.chat import PLAIN_TEMPLATE
    from compass_core.adapters.model_folder import load_base, load_tokenizer
    from compass_core.benchmarks.score import with_adapter

    chosen = chosen_version(ws, language, version)
    source = adapter_dir(ws.store, language, chosen)
    target = to / f"{language}-{chosen}-merged"
    base = ws.project.base_model
    model = load_base(base, ws.directory, ws.project.execution)
    merged: Any = with_adapter(model, source).merge_and_unload(safe_merge=True)
    _cast(merged, export_dtype(base, ws.directory))
    with replacing(target) as folder:
        tokenizer = load_tokenizer(base, ws.directory)
        _stop_where_answers_end(merged, tokenizer)
        merged.save_pretrained(str(folder), safe_serialization=True)
        tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
        tokenizer.save_pretrained(str(folder))
        for name in ("README.md", "lineage.json"):
            if (source / name).is_file():
                shutil.copy2(source / name, folder / name)
        _say_that_it_is_merged(folder / "README.md")
        with_scores(ws, language, chosen, folder / "README.md")
    return target


def _stop_where_answers_end(model: Any, tokenizer: Any) -> None:
    """A base model without instructions ends at the end of a text and knows no end of a turn."""
    from compass_core.adapters.chat import answer_end

    own = model.generation_config.eos_token_id
    ends = dict.fromkeys([*(own if isinstance(own, list) else [own]), answer_end(tokenizer)])
    model.generation_config.eos_token_id = [end for end in ends if end is not None]


def _say_that_it_is_merged(card: Path) -> None:
    if card.is_file():
        text = card.read_text(encoding="utf-8").replace(
            "library_name: peft\n", "library_name: transformers\n", 1
        )
        begin, mark, rest = text.partition(" adapter\n\n")
        note = "Merged: the weights here are the base model's with the adapter in them.\n\n"
        card.write_text(f"{begin}{mark}{note if mark else ''}{rest}", encoding="utf-8")


def _cast(model: Any, name: str) -> None:
    """Bring floating-point weights to a dtype, but for those that the architecture keeps in 32."""
    import torch

    apart = {
        *(getattr(model, "_keep_in_fp32_modules", None) or ()),
        *(getattr(model, "_keep_in_fp32_modules_strict", None) or ()),
    }
    for path, weight in model.named_parameters():
        if weight.is_floating_point() and not apart & set(path.split(".")):
            weight.data = weight.data.to(getattr(torch, name))


def adapter_settings(folder: Path) -> dict[str, Any]:
    """`adapter_config.json` of a folder. Raises StoreError naming the file that is missing."""
    for name in NEEDED:
        if not (folder / name).is_file():
            raise StoreError(f"{folder / name} is missing: this is no PEFT folder")
    found: dict[str, Any] = json.loads((folder / NEEDED[0]).read_text(encoding="utf-8"))
    return found


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder beside `target` that takes its place when everything in it was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    temporary, old = (target.with_name(f".{target.name}.{kind}-{mark}") for kind in ("new", "old"))
    try:
        yield temporary
        if target.exists():
            os.replace(target, old)
        os.replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
