"""Settings of the two models that a project stands on: the encoder and the base model."""

from typing import Literal

from pydantic import Field

from compass_core.config.section import Section


class Embedder(Section):
    """The sentence encoder: a local folder or a Hub id, in sentence-transformers format."""

    model: str = Field("data/models/embedder", description="Local folder or Hub id.")
    prefix: str = Field("", description="Text put before every input, such as 'query: ' for E5.")
    batch_size: int = Field(256, ge=1, description="Texts a batch.")
    max_tokens: int | None = Field(None, ge=8, description="Cut inputs here; null: model's own.")


class BaseModelSettings(Section):
    """The causal language model that the adapters are made for."""

    model: str = Field("data/models/base", description="Local folder or Hub id.")
    preset: Literal["auto", "phi-4-mini", "llama-3.1", "llama-4", "qwen2.5", "qwen3", "qwen3.5"] = (
        Field(
            "auto",
            description="What is known of the family: adapted layers, template arguments. "
            "auto goes by the architecture.",
        )
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: bfloat16 on a GPU that has it, else float32."
    )
    system_prompt: str | None = Field(
        None,
        description="System turn of every prompt that is trained on and scored; "
        "null: what the template writes by itself.",
    )
    template_arguments: dict[str, bool | int | str] = Field(
        default_factory=dict,
        description="Arguments of the chat template over the preset's, such as "
        "{enable_thinking: true}.",
    )
    trust_remote_code: bool = Field(False, description="Run code that comes with the model.")
    warn_times_english: float = Field(
        2.0,
        ge=1,
        description="Warn when the tokenizer needs more tokens a word than this many times "
        "English's in the target language.",
    )
