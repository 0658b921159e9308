"""What all sections of the project file share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Tag = str
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """A part of the project file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
