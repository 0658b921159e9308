"""The project as a resource, with every setting of compass.yaml open to the launchpad.

The override fields are derived from the schema, so a new setting appears in the launchpad with
its description and cannot be forgotten. A value left empty keeps what the project file says; its
description shows what that is.
"""

import json
import typing
from typing import Any

import dagster as dg
from pydantic import Field, create_model

from compass_core.config.load import LoadedProject, load_project, with_overrides
from compass_core.config.schema import Project, Section
from compass_core.workspace import Workspace

_PLAIN = (bool, int, float, str)
SECRET = ("user_salt",)  # never shown, whoever may open the launchpad
SHOWN_CHARS = 80


def _launchpad_type(annotation: Any) -> Any:
    """Nearest type that Dagster's config system has; the schema validates the value afterwards."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if annotation in _PLAIN:
        return annotation
    if typing.get_origin(annotation) is typing.Literal:
        return str
    if typing.get_origin(annotation) is list and typing.get_args(annotation) == (str,):
        return list[str]
    alternatives = [a for a in typing.get_args(annotation) if a is not type(None)]
    if type(None) in typing.get_args(annotation) and len(alternatives) == 1:
        return _launchpad_type(alternatives[0])
    return Any


def _override_fields(section: type[Section], present: Section | None = None) -> dict[str, Any]:
    """Fields of a section's overrides; with `present`, descriptions end in its values."""
    fields: dict[str, Any] = {}
    for name, info in section.model_fields.items():
        kind = info.annotation
        value = getattr(present, name, None)
        if isinstance(kind, type) and issubclass(kind, Section):
            nested: Any = create_model(
                f"{kind.__name__}Override", __base__=dg.Config, **_override_fields(kind, value)
            )
            fields[name] = (nested, Field(nested(), description=kind.__doc__))
        else:
            optional = _launchpad_type(kind) | None
            text = info.description or ""
            if present is not None and name not in SECRET:
                text = f"{text} (now: {_shown(present, name)})".strip()
            fields[name] = (optional, Field(None, description=text or None))
    return fields


def _shown(present: Section, name: str) -> str:
    """A value as it would be typed, cut where it is long."""
    value = present.model_dump(mode="json", include={name})[name]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


class Overrides(dg.Config):
    """Base of the derived class: the settings of one run, all optional."""


_Derived: Any = create_model("Overrides", __base__=Overrides, **_override_fields(Project))


OVERRIDE = "Settings for this run only; empty fields keep the project's."


class ProjectResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the workspace of a run: the project file with the launchpad's overrides on top."""

    project_file: str = Field(description="Path of compass.yaml.")
    override: _Derived = Field(default_factory=_Derived, description=OVERRIDE)

    def overrides(self) -> dict[str, Any]:
        """The values that were set, nested as in the project file."""
        return _set_values(self.override.model_dump())

    def workspace(self) -> Workspace:
        """Raises ConfigError, naming the key, where an override is not allowed."""
        from pathlib import Path

        loaded = load_project(Path(self.project_file))
        overrides = self.overrides()
        project = with_overrides(loaded.project, overrides) if overrides else loaded.project
        return Workspace.open(loaded, project)


def project_resource(loaded: LoadedProject) -> ProjectResource:
    """The resource of one project file, with its present values in the launchpad.

    The file is a default of the resource's configuration and not a given value: Dagster would ask
    for given values again in every launch that overrides anything.
    """
    present = _override_fields(Project, loaded.project)
    settings: Any = create_model("Overrides", __base__=Overrides, **present)
    bound: Any = create_model(
        "ProjectOf",
        __base__=ProjectResource,
        project_file=(str, Field(str(loaded.file), description="Path of compass.yaml.")),
        override=(settings, Field(settings(), description=OVERRIDE)),
    )
    filled: dict[str, Any] = {}  # every field has a default by now
    made: ProjectResource = bound(**filled)
    return made


def _set_values(nested: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in nested.items():
        inner = _set_values(value) if isinstance(value, dict) else value
        if inner is not None and inner != {}:
            kept[name] = inner
    return kept
