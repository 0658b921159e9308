"""Where the base model lies, and what identifies it. No torch here."""

from pathlib import Path
from typing import Any

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
    return tokenizer


def load_base(settings: BaseModelSettings, project_dir: Path, execution: Execution) -> Any:
    """The causal language model on its device, in its dtype, in evaluation mode."""
    import torch
    from transformers import AutoModelForCausalLM

    if execution.threads:
        torch.set_num_threads(execution.threads)
    device = execution.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("execution.device: received cuda, and this machine has no usable GPU")
    names = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    auto = device == "cuda" and torch.cuda.is_bf16_supported()
    dtype = names[settings.dtype] if settings.dtype != "auto" else None
    dtype = dtype or (torch.bfloat16 if auto else torch.float32)
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            model_source(settings, project_dir),
            dtype=dtype,
            trust_remote_code=settings.trust_remote_code,
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"base model {settings.model} cannot be loaded: {error}") from error
    return model.to(device).eval()
