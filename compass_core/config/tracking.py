"""Settings of experiment trackers: where the curves of a training go besides its own folder."""

from typing import Literal

from pydantic import Field, field_validator

from compass_core.config.section import Section

Tracker = Literal["tensorboard", "mlflow", "wandb"]


class Tracking(Section):
    """Experiment trackers that follow a training; none by default."""

    trackers: list[Tracker] = Field(
        default_factory=list,
        description="Any of tensorboard, mlflow, wandb. Where mlflow and wandb send to is theirs "
        "to say: MLFLOW_TRACKING_URI, WANDB_MODE and their like are read by them.",
    )
    folder: str = Field(
        "data/tracking",
        description="TensorBoard's event files, wandb's local files, and mlflow's database where "
        "MLFLOW_TRACKING_URI is not set; relative to the project file.",
    )

    @field_validator("trackers")
    @classmethod
    def _once(cls, value: list[Tracker]) -> list[Tracker]:
        return sorted(set(value))
