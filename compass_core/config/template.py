"""The commented compass.yaml, written from the schema so that it cannot go out of date."""

import json
import textwrap
import typing
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from compass_core.config.schema import Project, Section

HEADER = """\
# A COMPASS project. Every setting is here with its default; delete what you do not change.
# `compass config` checks it.
"""


def render_template(values: Mapping[str, Any] | None = None) -> str:
    """YAML text with a comment above each setting; `values` (nested) replace defaults."""
    lines = [HEADER]
    after_section = False
    for name, info in Project.model_fields.items():
        setting = _setting(name, info, (values or {}).get(name), 0)
        is_section = setting[0].startswith("\n")
        lines += ["", *setting] if after_section and not is_section else setting
        after_section = is_section
    return "\n".join(lines).rstrip() + "\n"


def _setting(name: str, info: FieldInfo, value: Any, depth: int) -> list[str]:
    indent = "  " * depth
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, Section):
        head = textwrap.dedent(kind.__doc__ or "").strip()
        lines = [f"\n{indent}# {head}", f"{indent}{name}:"]
        given = value or {}
        for inner, inner_info in kind.model_fields.items():
            lines += _setting(inner, inner_info, given.get(inner), depth + 1)
        return lines
    shown = value if value is not None else _default(info)
    comment = f"{info.description or ''}{_allowed(kind)}"
    lines = [f"{indent}# {part}" for part in textwrap.wrap(comment, 94 - len(indent))]
    return [*lines, f"{indent}{name}: {_yaml(shown)}"]


def _default(info: FieldInfo) -> Any:
    if info.default is not PydanticUndefined:
        return info.default
    if info.default_factory is not None:
        made = info.default_factory()  # type: ignore[call-arg]
        if not isinstance(made, list):
            return made
        return [item.model_dump() if isinstance(item, Section) else item for item in made]
    return ["sw"]  # languages.targets has no default; a person puts their own here


def _allowed(kind: Any) -> str:
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is typing.Literal:
        return f" One of: {', '.join(map(str, typing.get_args(kind)))}."
    return ""


def _yaml(value: Any) -> str:
    """JSON is YAML; a plain word needs no quotes, but what may be read as a number does."""
    plain = isinstance(value, str) and value.replace("_", "").replace("/", "").isalnum()
    if plain and not value[0].isdigit():
        return (
            value
            if value not in ("no", "yes", "on", "off", "null", "true", "false")
            else f'"{value}"'
        )
    return json.dumps(value, ensure_ascii=False)
