"""Jobs that are asked about one language offer the targets in the launchpad, and no others."""

import types
from collections.abc import Callable
from typing import Any, Literal

import dagster as dg
from pydantic import Field, create_model

from compass_core.config.schema import Project


def op_of_a_target(function: Callable[..., Any], project: Project, **settings: Any) -> Any:
    """The op of a function whose `config` has a `language`: a choice of the project's targets.

    Dagster reads the configuration from annotations, so the function is copied with another one.
    """
    given: Any = function.__annotations__["config"]
    choice: Any = Literal[tuple(project.languages.targets)]
    text = given.model_fields["language"].description
    fields: Any = {"language": (choice, Field(description=text))}
    copied = types.FunctionType(function.__code__, function.__globals__, function.__name__)
    narrowed: Any = create_model(given.__name__, __base__=given, __doc__=given.__doc__, **fields)
    copied.__annotations__ = {**function.__annotations__, "config": narrowed}
    return dg.op(**settings)(copied)
