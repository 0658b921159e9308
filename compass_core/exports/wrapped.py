"""Adapters of a decoder that its checkpoint wraps: Qwen3.5 and Llama 4 come with a vision tower.

The project loads, trains and scores the decoder alone. A server loads the class that the
checkpoint names, in which the decoder lies one name deeper; an adapter under the decoder's own
names is then loaded, fits nothing, and the base model answers, without an error.
"""

from pathlib import Path
from typing import Any

from compass_core.adapters.presets import config_file
from compass_core.config.schema import BaseModelSettings
from compass_core.errors import ModelError

PEFT = "base_model.model."


def decoder_paths(settings: BaseModelSettings, project_dir: Path) -> tuple[str, str] | None:
    """The decoder's path in the class that was trained, and in the one that the checkpoint names.

    None where both are one class, or the model is not on this machine. Shapes only, no weights.
    """
    import torch
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as TRAINED

    path = config_file(settings, project_dir)
    if path is None:
        return None
    config: Any = transformers.AutoConfig.from_pretrained(
        path.parent, trust_remote_code=settings.trust_remote_code
    )
    named = (config.architectures or [None])[0]
    whole: Any = getattr(transformers, named or "", None)
    if whole is None or named == TRAINED.get(config.model_type):
        return None
    models: Any = transformers.AutoModelForCausalLM
    with torch.device("meta"):
        alone, around = models.from_config(config), whole(config)
    here, there = _embedded(alone), _embedded(around)
    if there is None or here is None:
        raise ModelError(
            f"{settings.model} is a {named}, and where its decoder lies in it cannot be told; "
            "export the adapter merged (--format merged)"
        )
    return None if here == there else (here, there)


def _embedded(model: Any) -> str | None:
    """Path of the module that holds the input embeddings: the decoder."""
    try:
        embeddings = model.get_input_embeddings()
    except NotImplementedError:
        return None
    found = (name for name, module in model.named_modules() if module is embeddings)
    return next(found, "").rpartition(".")[0] or None


def rename_tensors(weights: Path, paths: tuple[str, str]) -> None:
    """Give a PEFT folder's tensors the names that they have in the class around the decoder."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    here, there = (f"{PEFT}{path}." for path in paths)
    with safe_open(weights, "pt") as file:
        facts = file.metadata()
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    renamed = {
        there + name.removeprefix(here) if name.startswith(here) else name: tensor
        for name, tensor in found.items()
    }
    save_file(renamed, weights, metadata=facts)
