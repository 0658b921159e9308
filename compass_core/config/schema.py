"""Every setting of a project, with its default, its bounds and one sentence on what it does.

The descriptions are shown in the commented project file and in the launchpad, so they are written
for the person who sets the value. Sections are frozen: an override makes a new object.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from compass_core.config.benchmarks import Benchmarks, Suite
from compass_core.config.continual import Continual
from compass_core.config.freshness import Freshness
from compass_core.config.models import BaseModelSettings, Embedder
from compass_core.config.sampling import Sampling
from compass_core.config.section import Section, Share, Tag
from compass_core.config.text import Cleaning, Corpus, Ingest, LanguageId
from compass_core.config.tracking import Tracking
from compass_core.languages import standard_tag

__all__ = [
    "BaseModelSettings",
    "Benchmarks",
    "Cleaning",
    "Corpus",
    "Embedder",
    "Ingest",
    "LanguageId",
    "Project",
    "Sampling",
    "Section",
    "Share",
    "Suite",
    "Tag",
    "Tracking",
]


class Languages(Section):
    """Who the adapters are for, and where auxiliary data may come from."""

    targets: list[Tag] = Field(
        description="BCP-47 tags of the languages to build an adapter for, such as sw or zh-Hant.",
        min_length=1,
    )
    auxiliary: Literal["auto"] | list[Tag] | dict[Tag, Literal["auto"] | list[Tag]] = Field(
        default="auto",
        description=(
            "Languages whose auxiliary data may be sampled: auto (every folder that is found), "
            "a list, or a mapping from a target to its own list."
        ),
    )

    @field_validator("targets")
    @classmethod
    def _tags(cls, value: list[str]) -> list[str]:
        tags = [standard_tag(tag) for tag in value]
        twice = sorted({tag for tag in tags if tags.count(tag) > 1})
        if twice:
            raise ValueError(f"language named twice: {', '.join(twice)}")
        return tags

    @field_validator("auxiliary")
    @classmethod
    def _auxiliary_tags(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [standard_tag(tag) for tag in value]
        if isinstance(value, dict):
            return {
                standard_tag(k): v if v == "auto" else [standard_tag(tag) for tag in v]
                for k, v in value.items()
            }
        return value

    @model_validator(mode="after")
    def _mapping_names_targets(self) -> "Languages":
        if isinstance(self.auxiliary, dict):
            strange = sorted(set(self.auxiliary) - set(self.targets))
            if strange:
                raise ValueError(
                    f"auxiliary names {', '.join(strange)}, not in targets; "
                    f"allowed are {', '.join(self.targets)}"
                )
        return self

    def auxiliary_for(self, target: str, found: list[str]) -> list[str]:
        """Pool languages that `target` may sample from, sorted; `found` are those that exist."""
        rule = self.auxiliary
        if isinstance(rule, dict):
            rule = rule.get(target, "auto")
        return sorted(found) if rule == "auto" else sorted(set(rule) & set(found))


class Inputs(Section):
    """Folders that people and other systems put files into, relative to the project file."""

    auxiliary: str = Field("data/corpora/auxiliary", description="One folder a pool language.")
    training: str = Field("data/corpora/training", description="One folder a target language.")
    logs: str = Field(
        "data/logs",
        description="One folder a target language; files of any name. Or an object-store URI such "
        "as s3://bucket/logs.",
    )
    benchmarks: str = Field(
        "data/benchmarks", description="One folder a suite, in it one a language."
    )


class Usage(Section):
    """Which distribution the adapters have to match."""

    source: Literal["logs", "proxy", "blend"] = Field(
        "logs",
        description="logs: the usage window; proxy: benchmark dev items; blend: a mix of both.",
    )
    proxy_weight: Share = Field(
        0.3, description="Share of the proxy in a blend (0 to 1); used only by source: blend."
    )
    window_days: int = Field(
        10, ge=1, le=366, description="Days in the usage window, ending at the last logged day."
    )
    min_rows: int = Field(
        50, ge=1, description="With fewer usage rows than this the gap report warns."
    )


class Titles(Section):
    """Cluster titles by a language model; without one, titles are the most telling words."""

    endpoint: str | None = Field(
        None,
        description="OpenAI-compatible base URL, such as http://localhost:8000/v1 of vLLM; null: "
        "none. Three texts of each cluster are sent to it.",
    )
    model: str = Field("", description="Name of the model there.")
    key_variable: str = Field(
        "COMPASS_TITLES_KEY", description="Environment variable that holds the API key, if any."
    )
    timeout_s: float = Field(30.0, gt=0, description="Seconds to wait for one title.")

    @model_validator(mode="after")
    def _named(self) -> "Titles":
        if self.endpoint is not None and not self.model:
            raise ValueError(f"endpoint {self.endpoint} is set but model is empty; name the model")
        if self.endpoint is not None and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"endpoint {self.endpoint!r} is no http:// or https:// URL")
        return self


class Clusters(Section):
    """How the shared embedding space is cut into clusters."""

    method: Literal["auto", "kmeans", "hdbscan"] = Field(
        "auto", description="auto lets both compete and keeps the better one."
    )
    k_min: int = Field(80, ge=2, description="Fewest k-means clusters tried (scaled to the data).")
    k_max: int = Field(120, ge=2, description="Most k-means clusters tried (scaled to the data).")
    k_steps: int = Field(5, ge=1, le=50, description="How many values of K are tried.")
    min_cluster_size: int = Field(15, ge=2, description="Smallest HDBSCAN cluster, in rows.")
    noise: Literal["nearest", "own_bucket", "drop"] = Field(
        "nearest",
        description="What happens to rows outside the dense part of every cluster: nearest: they "
        "count in the nearest one; own_bucket: as one group of their own; drop: nowhere.",
    )
    pool_sample_rows: int = Field(
        20_000, ge=0, description="Pool rows taken into the fit; the others are only assigned."
    )
    off_target_quantile: Share = Field(
        0.01,
        description="Rows less similar to their centroid than this quantile of the fitted rows "
        "are off target and never sampled.",
    )
    refit_novelty: Share = Field(
        0.10,
        description="Refit when the share of usage rows that are off target is this much above "
        "what it was right after the fit.",
    )
    titles: Titles = Titles()

    @model_validator(mode="after")
    def _range(self) -> "Clusters":
        if self.k_min > self.k_max:
            raise ValueError(f"k_min {self.k_min} is greater than k_max {self.k_max}")
        return self


class Gaps(Section):
    """How sure the gap report is."""

    prior_strength: float = Field(
        10.0, ge=0, description="Pseudo-rows of the Dirichlet prior towards the pool; 0: none."
    )
    min_cluster_rows: int = Field(
        3, ge=0, description="Clusters with fewer usage and training rows are merged, and marked."
    )
    interval: Annotated[float, Field(gt=0.5, lt=1.0)] = Field(
        0.95, description="Mass of the posterior interval of p_usage."
    )


class Adapter(Section):
    """How an adapter is trained."""

    method: Literal["lora", "rslora", "dora"] = Field("lora", description="The PEFT method.")
    quantise: Literal["none", "4bit"] = Field(
        "none",
        description="4bit: the frozen base in NF4 while training (QLoRA); slow on a CPU.",
    )
    rank: int = Field(16, ge=1, le=1024, description="LoRA rank.")
    alpha: int = Field(
        32,
        ge=1,
        description="LoRA alpha; the update is scaled by alpha / rank (rslora: / its root).",
    )
    dropout: Share = Field(0.0, description="Dropout on the adapter's input.")
    target_modules: Literal["auto"] | list[str] = Field(
        "auto", description="auto: the preset's, else every linear layer; or a list of names."
    )
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Peak learning rate (AdamW).")
    warmup_share: Share = Field(0.05, description="Share of the steps with a rising rate.")
    epochs: float = Field(3.0, gt=0, description="Passes over the training set.")
    batch_size: int = Field(32, ge=1, description="Examples an optimiser step.")
    micro_batch_size: int | None = Field(
        None, ge=1, description="Examples a forward pass; null: the whole batch at once."
    )
    max_tokens: int = Field(512, ge=16, description="Longer ones lose the start of what is asked.")
    packing: bool = Field(
        False,
        description="Short examples share a sequence of max_tokens, each blind to the others: "
        "no time goes into padding.",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="Compute activations twice instead of keeping them: a third more time, "
        "a fraction of the memory.",
    )
    weight_decay: float = Field(0.0, ge=0, description="AdamW weight decay.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    checkpoint_every_s: float = Field(
        60.0, gt=0, description="Seconds between checkpoints that a killed run resumes from."
    )


class Drift(Section):
    """When a change of usage counts as drift, and what follows from it."""

    window_days: int = Field(
        7,
        ge=1,
        le=60,
        description="Days of logs compared with the anchor; whole weeks keep weekdays out of it.",
    )
    min_rows: int = Field(100, ge=1, description="Fewer rows than this: insufficient_data.")
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        0.01, description="Chance of a false alarm in a month of daily looks."
    )
    min_effect_bits: float = Field(
        0.01, ge=0, description="Smaller excess over the null's mean is never called drift."
    )
    min_cluster_shift: Annotated[float, Field(gt=0, le=1)] = Field(
        0.03, description="A single cluster whose share moved by less is never called drift."
    )
    auto_update: bool = Field(
        True, description="Drift asks for an update of the language's adapter by itself."
    )
    cooldown_days: float = Field(
        7.0,
        ge=0,
        description="Days without a new request after an update that failed, was not promoted, or "
        "was rolled back.",
    )
    loss_rows: int = Field(
        200, ge=0, description="Prompts of either side that the model's loss is taken on; 0: none."
    )


class Promotion(Section):
    """When a new adapter version may serve."""

    margin_points: float = Field(
        1.0, ge=0, description="It may lose at most this many points against the serving one."
    )
    forgetting_share: Share = Field(
        0.15,
        description=(
            "Of what the serving version gained over the base model on earlier usage, it may "
            "lose at most this share (loss on held-out rows)."
        ),
    )


class Execution(Section):
    """How steps run."""

    device: Literal["auto", "cpu", "cuda", "sharded"] = Field(
        "auto",
        description="Where models run; sharded: the layers of one model over all GPUs "
        "(accelerate's device map).",
    )
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that train one adapter together, one GPU each (data parallel): "
        "each computes its part of every step.",
    )
    memory_check: Literal["refuse", "warn"] = Field(
        "refuse",
        description="What a training does whose estimated memory is more than there is.",
    )
    threads: int | None = Field(None, ge=1, description="CPU threads a child process; null: all.")
    parallel: int = Field(
        1,
        ge=1,
        le=64,
        description="Languages that `compass materialize` works on at once, and steps that may "
        "hold a model at once (the pool `models`). Leave it at 1 for one GPU.",
    )
    retries: int = Field(2, ge=0, le=10, description="Times a killed or failed child is retried.")

    @model_validator(mode="after")
    def _one_way_of_spreading(self) -> "Execution":
        if self.processes > 1 and self.device == "sharded":
            raise ValueError(
                f"processes {self.processes} put a whole model on each GPU and device sharded one "
                "over all of them; use one or the other"
            )
        return self


STORE_SCHEMES = ("s3", "gs", "az", "file")  # what both fsspec and LanceDB can open


class Project(Section):
    """The whole of compass.yaml."""

    name: str = Field(
        "compass", description="Shown in reports.", min_length=1, pattern=r"^[\w .-]+$"
    )
    seed: int = Field(17, ge=0, description="Every random choice follows from it.")
    store: str = Field("data/store", description="Where results go: a path or an object-store URI.")
    languages: Languages
    inputs: Inputs = Inputs()
    corpora: list[Corpus] = Field(
        default_factory=list,
        description="Corpora fetched by name, and files whose columns have other names; see "
        "docs/inputs.md.",
    )
    ingest: Ingest = Ingest()
    cleaning: Cleaning = Cleaning()
    language_id: LanguageId = LanguageId()
    usage: Usage = Usage()
    embedder: Embedder = Embedder()
    base_model: BaseModelSettings = BaseModelSettings()
    clusters: Clusters = Clusters()
    gaps: Gaps = Gaps()
    sampling: Sampling = Sampling()
    adapter: Adapter = Adapter()
    continual: Continual = Continual()
    tracking: Tracking = Tracking()
    benchmarks: Benchmarks = Benchmarks()
    drift: Drift = Drift()
    promotion: Promotion = Promotion()
    freshness: Freshness = Freshness()
    execution: Execution = Execution()

    @field_validator("store")
    @classmethod
    def _store_is_reachable(cls, value: str) -> str:
        scheme, found, _ = value.partition("://")
        if found and scheme not in STORE_SCHEMES:
            allowed = ", ".join(f"{name}://" for name in STORE_SCHEMES)
            raise ValueError(f"{scheme}:// is no place for tables and vectors; a path or {allowed}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Project":
        names = [(corpus.role, corpus.name) for corpus in self.corpora]
        twice = sorted({name for role, name in names if names.count((role, name)) > 1})
        if twice:
            raise ValueError(f"corpora: named twice: {', '.join(twice)}")
        return self
