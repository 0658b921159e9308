"""The base model with a fresh adapter on it: LoRA, rsLoRA, DoRA, or any of them over 4 bits."""

from pathlib import Path
from typing import Any

from compass_core.adapters.model_folder import load_base
from compass_core.adapters.presets import Preset, preset_of
from compass_core.config.schema import Adapter, BaseModelSettings, Execution


def adapted_model(
    adapter: Adapter, base: BaseModelSettings, execution: Execution, project_dir: Path
) -> Any:
    """Load the base and put a new adapter on it, ready to be trained.

    Adapter weights are float32 whatever the base is in (PEFT's own habit): at the learning rates
    of adapters, bfloat16 would round most updates away.
    """
    import peft

    prepare: Any = peft.prepare_model_for_kbit_training
    model = load_base(base, project_dir, execution, adapter.quantise)
    if adapter.quantise == "4bit":
        model = prepare(model, use_gradient_checkpointing=False)
    model = peft.get_peft_model(model, lora_config(adapter, preset_of(base, project_dir)))
    if adapter.gradient_checkpointing:
        enable = getattr(model, "activation_checkpointing_enable", None)  # its newer name
        (enable or model.gradient_checkpointing_enable)({"use_reentrant": False})
        # The frozen embeddings' output has no gradient, and the checkpointed blocks need one.
        model.enable_input_require_grads()
    return model


def lora_config(adapter: Adapter, preset: Preset) -> Any:
    """PEFT's configuration. `auto` adapts the preset's layers, or all linear ones without."""
    from peft import LoraConfig

    modules: str | list[str]
    if adapter.target_modules == "auto":
        modules = list(preset.target_modules) or "all-linear"
    else:
        modules = list(adapter.target_modules)
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=modules,
        use_rslora=adapter.method == "rslora",
        use_dora=adapter.method == "dora",
    )
