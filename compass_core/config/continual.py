"""Settings of updates: how an adapter is trained on from the version that serves."""

from typing import Annotated, Literal

from pydantic import Field

from compass_core.config.section import Section, Share


class Continual(Section):
    """How an adapter is updated from the version that serves (ECDA), and when it is not."""

    mode: Literal["auto", "full", "ecda"] = Field(
        "auto",
        description=(
            "auto: train from zero, except in the job update_adapter; full: always from zero; "
            "ecda: always train on from the serving version. Where that cannot be, full."
        ),
    )
    lambda_: float = Field(
        2.0,
        ge=0,
        description=(
            "Weight of staying near the serving weights. At 1 what they were trained for counts "
            "as much as the new data, at every model size (docs/continual.md)."
        ),
    )
    beta: float = Field(0.1, ge=0, description="Weight of the loss on replayed rows.")
    learning_rate_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description=(
            "Learning rate of an update, as a share of adapter's: at the whole rate updates were "
            "measured to overwrite more than they teach."
        ),
    )
    buffer_share: Share = Field(
        0.05, description="Share of earlier training rows that is replayed, spread as usage was."
    )
    replay_batch_share: Share = Field(
        0.1, description="Replayed rows in a step, per new row; every 0.1 costs a tenth of a step."
    )
    fisher_examples: int = Field(
        128, ge=1, description="Rows on which it is measured which weights matter."
    )
    fisher_labels: Literal["sampled", "empirical"] = Field(
        "sampled",
        description=(
            "sampled: answers drawn from the model; empirical: answers of the data, which "
            "protects little once they are fitted."
        ),
    )
    held_out_share: Annotated[float, Field(ge=0.0, le=0.5)] = Field(
        0.05,
        description="Share of the training rows that is never trained on, one row at least: "
        "forgetting is measured on them. At 0 it is not measured.",
    )
    max_withdrawn_share: Share = Field(
        0.0,
        description=(
            "Rows that the serving version learnt and that have left the corpora since: above "
            "this share it is trained from zero, so that it does not know them any more."
        ),
    )
