"""When an asset counts as overdue."""

from pydantic import Field

from compass_core.config.section import Section


class Freshness(Section):
    """When the UI calls an asset overdue. It starts nothing and is in no code version."""

    logs_hours: float | None = Field(
        48.0,
        ge=1,
        description="Hours within which new logs of some language are expected; null: no mark.",
    )
    reports_hours: float | None = Field(
        72.0,
        ge=1,
        description="Hours within which some gap report and some drift report is expected to be "
        "made anew; null: no mark.",
    )
