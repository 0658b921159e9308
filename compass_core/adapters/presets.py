"""What is known of the model families that adapters are made for, by name or by architecture.

A preset says which layers carry the adapter, in which dtype the weights were made, how long a
sequence may be, and what the chat template needs to be told so that the same rows give the same
tokens tomorrow. A model of no known family is trained on all its linear layers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compass_core.config.schema import BaseModelSettings
from compass_core.embeddings.fingerprint import local_folder
from compass_core.errors import ModelError

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
# A template that prints today's date would make other training data of the same rows tomorrow.
DATE = "01 Jan 2025"


@dataclass(frozen=True)
class Preset:
    """One family. `template_arguments` are passed to its chat template on every rendering."""

    name: str
    example: str  # a Hub id of the family
    model_types: tuple[str, ...]  # as `config.json` spells them; a multimodal one counts as well
    target_modules: tuple[str, ...] = ()  # empty: every linear layer of the decoder
    dtype: str = "bfloat16"  # of merged weights, where the configuration does not say
    context_tokens: int = 0  # native length; 0: whatever the configuration says
    template_arguments: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "phi-4-mini",
            "microsoft/Phi-4-mini-instruct",
            ("phi3",),
            ("qkv_proj", "o_proj", "gate_up_proj", "down_proj"),
            context_tokens=131_072,
            notes=(
                "query, key and value are one layer (qkv_proj), and so are gate and up",
                "a turn ends with <|end|>, a text with <|endoftext|>; the answer is trained to "
                "end with <|end|>",
                "LongRoPE changes its factors above 4,096 tokens of a sequence: the same text "
                "scores otherwise beside a longer one; keep adapter.max_tokens on one side",
            ),
        ),
        Preset(
            "llama-3.1",
            "meta-llama/Llama-3.1-8B-Instruct",
            ("llama",),
            ATTENTION + MLP,
            context_tokens=131_072,
            template_arguments={"date_string": DATE},
            notes=(
                f"the template prints a date into the system turn; it is fixed to {DATE}: serve "
                "with the same date_string",
                "a turn ends with <|eot_id|>; the tokenizer has no padding token, the end token "
                "stands in and is masked",
                "Llama 3.2 (1B, 3B) and 3.3 (70B) are the same architecture and template",
            ),
        ),
        Preset(
            "llama-4",
            "meta-llama/Llama-4-Scout-17B-16E-Instruct",
            ("llama4", "llama4_text"),
            (*ATTENTION, *(f"shared_expert.{name}" for name in MLP)),
            context_tokens=262_144,
            template_arguments={"date_string": DATE},
            notes=(
                "a mixture of experts: attention and the shared expert are adapted, the routed "
                "experts (one fused parameter) are not",
                "all experts are in memory, however few are active for a token",
            ),
        ),
        Preset(
            "qwen2.5",
            "Qwen/Qwen2.5-7B-Instruct",
            ("qwen2",),
            ATTENTION + MLP,
            context_tokens=32_768,
            notes=(
                "without a system turn the template writes the vendor's own; that is what is "
                "trained on and must be served with, unless base_model.system_prompt says other",
                "queries, keys and values have a bias, which is not trained",
            ),
        ),
        Preset(
            "qwen3",
            "Qwen/Qwen3-8B",
            ("qwen3",),
            ATTENTION + MLP,
            context_tokens=32_768,
            template_arguments={"enable_thinking": False},
            notes=(
                "thinking is switched off: the template opens the answer with an empty "
                "<think></think> block, which is part of the prompt and carries no loss",
                "serve with enable_thinking false, or the model is asked what it was not taught",
            ),
        ),
        Preset(
            "qwen3.5",
            "Qwen/Qwen3.5-9B",
            ("qwen3_5", "qwen3_5_text"),
            (*ATTENTION, *MLP, "in_proj_qkv", "in_proj_z", "out_proj"),
            context_tokens=262_144,
            template_arguments={"enable_thinking": False},
            notes=(
                "three layers of four are linear attention with a state that runs through a "
                "packed sequence: packing is refused, examples are padded",
                "Qwen 3.6 and 3.8 are the same architecture; their templates are told the same",
                "thinking is switched off, as for qwen3",
                "vision layers of the multimodal checkpoint are not adapted",
            ),
        ),
    )
}
GENERIC = Preset(
    "generic",
    "any causal language model",
    (),
    template_arguments={"date_string": DATE, "enable_thinking": False},
    notes=("no preset for this architecture: every linear layer is adapted",),
)


def preset_of(settings: BaseModelSettings, project_dir: Path) -> Preset:
    """The preset named in the project, or the one whose architecture the model has.

    Raises ModelError when a preset is named and the model's architecture is another.
    """
    kind = model_type(settings, project_dir)
    if settings.preset == "auto":
        found = (p for p in PRESETS.values() if kind in p.model_types)
        return next(found, GENERIC)
    preset = PRESETS[settings.preset]
    if kind is not None and kind not in preset.model_types:
        raise ModelError(
            f"base_model.preset: received {preset.name}, and {settings.model} is a {kind}; "
            f"allowed for this preset: {', '.join(preset.model_types)}; auto finds the right one"
        )
    return preset


def model_type(settings: BaseModelSettings, project_dir: Path) -> str | None:
    """`model_type` of the model's configuration; None for a Hub model that is not here yet."""
    config = configuration(settings, project_dir)
    return None if config is None else str(config.get("model_type"))


def configuration(settings: BaseModelSettings, project_dir: Path) -> dict[str, Any] | None:
    """The decoder's configuration as a dict; None where the model is not on this machine.

    Reads `config.json` of a local folder or of the Hub's cache; asks no network. What a multimodal
    model keeps in `text_config` is laid over the outer values, `model_type` stays the outer one.
    """
    path = config_file(settings, project_dir)
    if path is None:
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error
    inner = found.get("text_config")
    if isinstance(inner, dict):
        found = {**found, **inner, "model_type": found.get("model_type")}
    return found


def config_file(settings: BaseModelSettings, project_dir: Path) -> Path | None:
    """Path of the model's `config.json`, or None."""
    folder = local_folder(settings.model, project_dir)
    if folder is not None:
        path = folder / "config.json"
        return path if path.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(settings.model, "config.json")
    return Path(cached) if isinstance(cached, str) else None


def template_arguments(settings: BaseModelSettings, project_dir: Path) -> dict[str, Any]:
    """What the chat template is told: the preset's arguments, and the project's over them."""
    return {**preset_of(settings, project_dir).template_arguments, **settings.template_arguments}


def export_dtype(settings: BaseModelSettings, project_dir: Path) -> str:
    """Name of the torch dtype that merged weights are written in, whatever they were loaded in.

    The project's, else that of the checkpoint by its configuration, else the preset's: a model of
    16 bits that a CPU computed in float32 is not written at twice its size.
    """
    if settings.dtype != "auto":
        return settings.dtype
    config = configuration(settings, project_dir) or {}
    said = config.get("dtype") or config.get("torch_dtype")
    return str(said) if said else preset_of(settings, project_dir).dtype


def longest_sequence(settings: BaseModelSettings, project_dir: Path) -> tuple[int, str] | None:
    """The most tokens that an example may have, and where that is from; None where unknown.

    The smaller of the model's positions and the length that its family was made for: some
    configurations name positions that were never trained.
    """
    config = configuration(settings, project_dir) or {}
    limits = []
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int):
        limits.append((positions, f"{settings.model} has {positions} positions"))
    preset = preset_of(settings, project_dir)
    if preset.context_tokens:
        text = f"models of the preset {preset.name} are made for {preset.context_tokens}"
        limits.append((preset.context_tokens, text))
    return min(limits, default=None, key=lambda limit: limit[0])


def check_length(settings: BaseModelSettings, project_dir: Path, longest: int) -> None:
    """Raises ModelError when the longest example reaches beyond what the model takes."""
    found = longest_sequence(settings, project_dir)
    if found is not None and longest > found[0]:
        raise ModelError(
            f"an example has {longest} tokens, and {found[1]}; "
            f"set adapter.max_tokens to at most {found[0]}"
        )
