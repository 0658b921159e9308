"""Where the base model lies, and what identifies it. No torch here."""

from pathlib import Path
from typing import Any

from compass_core.adapters.chat import Dialect, set_dialect
from compass_core.adapters.presets import template_arguments
from compass_core.config.schema import BaseModelSettings, Execution
from compass_core.embeddings.fingerprint import local_folder, model_identity
from compass_core.errors import ModelError
from compass_core.hashing import version_of


def base_fingerprint(settings: BaseModelSettings, project_dir: Path) -> str:
    """16 hex digits for the base model's content (local) or id (Hub)."""
    return version_of(model_identity(settings.model, project_dir))


def model_source(settings: BaseModelSettings, project_dir: Path) -> str:
    """What `from_pretrained` is given: a local folder's path or the Hub id."""
    return str(local_folder(settings.model, project_dir) or settings.model)


def load_tokenizer(settings: BaseModelSettings, project_dir: Path) -> Any:
    """The model's tokenizer, with a padding token. Raises ModelError where it cannot be loaded."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model_source(settings, project_dir), trust_remote_code=settings.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"tokenizer of {settings.model} cannot be loaded: {error}") from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{settings.model}: the tokenizer has no end-of-sequence token")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    arguments = template_arguments(settings, project_dir)
    set_dialect(tokenizer, Dialect(arguments, settings.system_prompt))
    return tokenizer


def load_base(
    settings: BaseModelSettings, project_dir: Path, execution: Execution, quantise: str = "none"
) -> Any:
    """The causal language model on its device, in its dtype, in evaluation mode.

    `sharded` lets accelerate spread the layers over all GPUs; inputs and outputs then travel by
    its hooks. `quantise` 4bit loads the linear layers in NF4 with double quantisation
    (bitsandbytes), computing in the dtype that the weights would have. Raises ModelError where the
    machine cannot do it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if execution.threads:
        torch.set_num_threads(execution.threads)
    device = place(execution)
    more: dict[str, Any] = {}
    if quantise == "4bit":
        more["quantization_config"] = _four_bit(weights_dtype(settings, device))
    if device == "sharded":
        more["device_map"] = "auto"
    elif quantise == "4bit":
        more["device_map"] = {"": "cpu" if device == "cpu" else torch.cuda.current_device()}
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            model_source(settings, project_dir),
            dtype=weights_dtype(settings, device),
            trust_remote_code=settings.trust_remote_code,
            output_loading_info=True,
            **more,
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"base model {settings.model} cannot be loaded: {error}") from error
    model, found = loaded
    if missing := sorted(found["missing_keys"]):  # transformers would draw them at random
        raise ModelError(
            f"base model {settings.model}: {len(missing)} of its tensors are not in the checkpoint "
            f"({', '.join(missing[:3])}, ...); it is incomplete, or of another architecture than "
            "its config.json says: copy it anew"
        )
    if quantise == "4bit":
        _keep_layout(model)
    return (model if "device_map" in more else model.to(device)).eval()


def _keep_layout(model: Any) -> None:
    """On some CPUs bitsandbytes packs a layer's weights anew the first time that it is evaluated,
    and packed ones let no gradient through: the next training step would fail, or learn nothing."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def place(execution: Execution) -> str:
    """cpu, cuda or sharded. Raises ModelError where GPUs are asked for and there are none."""
    import torch

    found = torch.cuda.is_available()
    if execution.device == "auto":
        return "cuda" if found else "cpu"
    if execution.device in ("cuda", "sharded") and not found:
        raise ModelError(
            f"execution.device: received {execution.device}, and this machine has no usable GPU; "
            "use auto or cpu"
        )
    return execution.device


def weights_dtype(settings: BaseModelSettings, device: str) -> Any:
    """The torch dtype that the base model is loaded in; bfloat16 by itself only where it runs."""
    import torch

    names = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if settings.dtype != "auto":
        return names[settings.dtype]
    # Emulated bfloat16 takes as much memory and is slower than float32 by far.
    fast = device != "cpu" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def _four_bit(dtype: Any) -> Any:
    import importlib.util

    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "adapter.quantise: 4bit needs bitsandbytes: pip install 'compass-assets[qlora]'"
        )
    config: Any = BitsAndBytesConfig
    return config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
