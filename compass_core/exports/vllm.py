"""A directory of adapters that vLLM serves, with a manifest of names and paths.

Names carry the version (`sw-v0003`): vLLM keeps what it has loaded under a name, and an adapter
that is replaced under the same name goes on being served as it was.
"""

import json
import os
from pathlib import Path
from typing import Any

from compass_core.adapters.registry import adapter_dir
from compass_core.errors import ModelError
from compass_core.exports.adapter import (
    NEEDED,
    adapter_settings,
    chosen_version,
    copy_version,
    replacing,
)
from compass_core.exports.wrapped import decoder_paths, rename_tensors
from compass_core.workspace import Workspace

MANIFEST = "lora_modules.json"
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # what --max-lora-rank accepts


def export_vllm(ws: Workspace, language: str, version: str | None, to: Path) -> Path:
    """Add a version to the directory `to` and to its manifest; returns the manifest's path.

    Versions that are there already stay, so that a server can be moved from one to the next.
    Tensors have the names that they have in the class that the server loads (`wrapped`).
    Raises ModelError, with the way out, for an adapter that vLLM's loader refuses.
    """
    chosen = chosen_version(ws, language, version)
    check_servable(adapter_dir(ws.store, language, chosen))
    paths = decoder_paths(ws.project.base_model, ws.directory)
    target = to / f"{language}-{chosen}"
    with replacing(target) as folder:
        copy_version(ws, language, chosen, folder)
        if paths:
            rename_tensors(folder / NEEDED[1], paths)
    return write_manifest(to, {language: target.name})


def check_servable(folder: Path) -> None:
    """Raises ModelError for DoRA, saved modules, trained biases and ranks that are too large."""
    wrong = refused(adapter_settings(folder))
    if wrong:
        raise ModelError(
            f"vLLM's LoRA loader does not take {folder.name}: {'; '.join(wrong)}. "
            "Export it merged (--format merged) and serve it as a model of its own, or train "
            "with adapter.method: lora or rslora"
        )


def refused(settings: dict[str, Any]) -> list[str]:
    """What of an `adapter_config.json` vLLM's loader does not take; empty where it does."""
    wrong = []
    if settings.get("use_dora"):
        wrong.append("it is a DoRA adapter")
    if settings.get("modules_to_save"):
        wrong.append(f"it saves whole modules ({', '.join(settings['modules_to_save'])})")
    if settings.get("bias", "none") != "none":
        wrong.append(f"it trains biases ({settings['bias']})")
    if settings.get("peft_type") != "LORA":
        wrong.append(f"it is {settings.get('peft_type')}, not LORA")
    if _rank(settings) > RANKS[-1]:
        wrong.append(f"its rank {_rank(settings)} is above {RANKS[-1]}")
    return wrong


def write_manifest(to: Path, serving: dict[str, str]) -> Path:
    """Bring the manifest up to date with the folders that are there and can be served; atomic.

    `lora_modules` is what `--lora-modules` takes, one JSON object each; `serving` maps a language
    to the name that was exported last; `max_lora_rank` is what the server has to be started with.
    """
    path = to / MANIFEST
    before: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    modules, ranks = [], [RANKS[0]]
    for folder in sorted(p for p in to.iterdir() if (p / "adapter_config.json").is_file()):
        if folder.name.startswith("."):
            continue
        settings = adapter_settings(folder)
        if refused(settings):  # left by another export: it would stop the server
            continue
        ranks.append(_rank(settings))
        modules.append(
            {
                "name": folder.name,
                "path": str(folder.resolve()),
                "base_model_name": settings["base_model_name_or_path"],
            }
        )
    names = {module["name"] for module in modules}
    kept = {k: v for k, v in before.get("serving", {}).items() if v in names}
    manifest = {
        "lora_modules": modules,
        "serving": {**kept, **serving},
        "max_lora_rank": next(r for r in RANKS if r >= max(ranks)),
    }
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True))
    os.replace(temporary, path)
    return path


def _rank(settings: dict[str, Any]) -> int:
    return max([int(settings["r"]), *map(int, (settings.get("rank_pattern") or {}).values())])
