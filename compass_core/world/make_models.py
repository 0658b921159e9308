"""Remakes the two shipped models: `python -m compass_core.world.make_models --out data/models`."""

import argparse
import json
import os
import shutil
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any

from compass_core.world.plan import SEED
from compass_core.world.recipe import recipe_digest

LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers", "numpy")


def make_models(out: Path, *, seed: int = SEED) -> dict[str, Any]:
    """Train both models, replace `out/embedder` and `out/base`, write `out/MODELS.json`.

    Returns what MODELS.json holds: seed, recipes, their digest, library versions, seconds, bytes
    and the quality measured on the saved folders. Takes about two and a half minutes on one core.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from compass_core.world.embedder import EmbedderRecipe, embedder_quality, make_embedder
    from compass_core.world.language_model import LanguageModelRecipe, make_language_model
    from compass_core.world.quality import language_model_quality

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # at this size more threads only wait for each other
    try:
        embedder_recipe, model_recipe = EmbedderRecipe(), LanguageModelRecipe()
        building = out / f".tmp-{uuid.uuid4().hex[:8]}"
        try:
            seconds = {
                "embedder": make_embedder(building / "embedder", seed=seed, recipe=embedder_recipe),
                "base": make_language_model(building / "base", seed=seed, recipe=model_recipe),
            }
            embedder = SentenceTransformer(str(building / "embedder"), device="cpu")
            model = AutoModelForCausalLM.from_pretrained(building / "base")
            tokenizer = AutoTokenizer.from_pretrained(building / "base")
            record = {
                "seed": seed,
                "digest": recipe_digest(seed, embedder_recipe.as_dict(), model_recipe.as_dict()),
                "recipes": {"embedder": embedder_recipe.as_dict(), "base": model_recipe.as_dict()},
                "libraries": {name: version(name) for name in LIBRARIES},
                "seconds": {name: round(value, 1) for name, value in seconds.items()},
                "bytes": {name: _bytes(building / name) for name in seconds},
                "parameters": {
                    "embedder": sum(p.numel() for p in embedder.parameters()),
                    "base": sum(p.numel() for p in model.parameters()),
                },
                "quality": {
                    "embedder": embedder_quality(embedder, seed=seed),
                    "base": language_model_quality(model, tokenizer, seed=seed),
                },
            }
            for name in seconds:
                _replace_folder(building / name, out / name)
            text = json.dumps(record, indent=2, sort_keys=True) + "\n"
            (building / "MODELS.json").write_text(text, encoding="utf-8")
            os.replace(building / "MODELS.json", out / "MODELS.json")
        finally:
            shutil.rmtree(building, ignore_errors=True)
    finally:
        torch.set_num_threads(threads)
    return record


def _replace_folder(new: Path, target: Path) -> None:
    """Put a finished folder in the place of another; safetensors writes files for its owner only,
    and a clone is read by others."""
    for path in new.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    old = target.with_name(f".{target.name}.tmp-{uuid.uuid4().hex[:8]}")
    if target.exists():
        os.replace(target, old)
    os.replace(new, target)
    shutil.rmtree(old, ignore_errors=True)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Command line: `--out` folder, `--seed`; prints what MODELS.json holds."""
    parser = argparse.ArgumentParser(prog="compass_core.world.make_models", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/models"))
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    print(f"training the embedder and the base model into {arguments.out}, about 3 minutes")
    record = make_models(arguments.out, seed=arguments.seed)
    print(json.dumps(record, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
