"""The settings of sampling: how much auxiliary data, from which clusters and languages."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from compass_core.config.section import Section, Share, Tag
from compass_core.languages import standard_tag


class Sampling(Section):
    """How much auxiliary data is taken, and which."""

    strategy: Literal[
        "gap_waterfill",
        "gap_then_match",
        "usage_match",
        "gap_proportional",
        "inverse_count",
        "nearest_mean",
        "langsim",
        "langrank",
        "random",
        "all_data",
        "none",
    ] = Field("gap_waterfill", description="How the budget is spread; see docs/sampling.md.")
    budget: int = Field(200_000, ge=0, description="How much auxiliary data to add, in `unit`.")
    unit: Literal["tokens", "rows"] = Field(
        "tokens", description="tokens: supervised tokens (the assistant's); rows: examples."
    )
    match_share: Share = Field(
        0.5,
        description="Share of the budget that follows usage whatever the training data covers; the "
        "rest fills gaps. Used only by strategy: gap_then_match.",
    )
    max_share_per_language: Share | dict[Tag, Share] = Field(
        1.0,
        description="No pool language may fill more than this share of the budget; one number for "
        "all, or a mapping such as {en: 0.3} (others: no cap).",
    )
    min_share_per_language: Share | dict[Tag, Share] = Field(
        0.0,
        description="Share of the budget that each pool language gets as long as it has rows; one "
        "number for all, or a mapping such as {sw: 0.2} (others: none).",
    )
    affinity_weight: float = Field(
        0.05, ge=0, description="How much a row in the target language itself is preferred."
    )
    duplicate_similarity: Annotated[float, Field(gt=0, le=1.0)] = Field(
        0.995, description="Rows more similar than this to a chosen one are near-duplicates."
    )

    @field_validator("max_share_per_language", "min_share_per_language")
    @classmethod
    def _share_tags(cls, value: Any) -> Any:
        if isinstance(value, dict):
            named = {tag: standard_tag(tag) for tag in value}
            twice = sorted(t for t in set(named.values()) if list(named.values()).count(t) > 1)
            if twice:
                raise ValueError(f"language named twice: {', '.join(twice)}; keep one share of it")
            return {named[tag]: share for tag, share in value.items()}
        return value

    @model_validator(mode="after")
    def _shares_can_be_met(self) -> "Sampling":
        least, most = self.min_share_per_language, self.max_share_per_language
        if isinstance(least, dict) and sum(least.values()) > 1 + 1e-9:
            raise ValueError(
                f"min_share_per_language sums to {sum(least.values()):g}; allowed: at most 1"
            )
        for tag, share in (least if isinstance(least, dict) else {"every language": least}).items():
            cap = most.get(tag, 1.0) if isinstance(most, dict) else most
            if isinstance(most, dict) and not isinstance(least, dict):
                cap = min(most.values(), default=1.0)
            if share > cap:
                raise ValueError(
                    f"min_share_per_language of {tag} is {share:g}, above its cap {cap:g} in "
                    "max_share_per_language"
                )
        return self
