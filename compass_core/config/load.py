"""Reading compass.yaml: every problem becomes one line that names key, line, value and way out."""

import difflib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from compass_core.config.schema import Project
from compass_core.errors import ConfigError

_MAPPINGS = ("languages.auxiliary", "cleaning.name_recognisers")


@dataclass(frozen=True)
class LoadedProject:
    """A validated project file. `directory` is where its relative paths start."""

    project: Project
    file: Path
    directory: Path


def load_project(path: Path) -> LoadedProject:
    """Read and validate a project file.

    Raises ConfigError with one line a problem: `compass.yaml:12: sampling.budget: received -5;
    allowed: ...`.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise ConfigError(
            f"{file} does not exist; run `compass init {file.parent}` to make a project there"
        )
    tree = _parse(file)
    if tree is None:
        raise ConfigError(f"{file.name}: the file is empty; `compass init` writes a commented one")
    if not isinstance(tree, CommentedMap):
        raise ConfigError(f"{file.name}:1: received {_short(tree)}; allowed: keys and values")
    try:
        project = Project.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, file.name, tree)) from None
    return LoadedProject(project, file, file.parent)


def with_overrides(
    project: Project, overrides: Mapping[str, Any], source: str = "override"
) -> Project:
    """The project with some values replaced; nested dicts or dotted keys, validated the same way.

    Raises ConfigError naming the key, the value and what is allowed.
    """
    merged = project.model_dump(mode="python")
    for key, value in _flatten(overrides).items():
        place = merged
        *sections, last = key.split(".")
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{source}: {key}: {section} is no section of the project file")
        place[last] = value
    try:
        return Project.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, source, None)) from None


def _parse(file: Path) -> Any:
    try:
        return YAML(typ="rt").load(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{file.name}: not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = (error.problem or error.context or "not YAML").splitlines()[0]
        raise ConfigError(
            f"{file.name}{line}: {problem}; allowed is YAML, indented by spaces, each key once"
        ) from None


def _flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        # A mapping is a section, but for the settings whose value may be a mapping.
        if isinstance(value, Mapping) and name not in _MAPPINGS:
            flat |= _flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat


def _explain(error: ValidationError, source: str, tree: CommentedMap | None) -> str:
    lines: dict[str, str] = {}
    for problem in error.errors():
        place = [part for part in problem["loc"] if _is_real(part, problem)]
        key = ".".join(str(part) for part in place) or "the file"
        where = source
        line = _line_of(tree, place) if tree is not None else None
        if line is not None:
            where = f"{source}:{line}"
        lines.setdefault(key, f"{where}: {key}: {_sentence(problem, place)}")
    return "\n".join(lines.values())


def _is_real(part: Any, problem: Any) -> bool:
    """Union branches appear in pydantic's place as type names; they are no keys of the file."""
    text = str(part)
    return isinstance(part, int) or not (
        "[" in text or text in ("str", "int", "float", "list", "dict", "literal")
    )


def _sentence(problem: Any, place: list[Any]) -> str:
    kind, value = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        allowed = _fields_at(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else "remove it"
        return f"unknown key; allowed: {', '.join(allowed)}; {hint}"
    if kind == "missing":
        return "missing; it has no default"
    if isinstance(value, bool) and place and place[0] == "languages":
        return f"received {value}; a tag such as no or on has to be quoted: 'no'"
    message = problem["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return message if _short(value) in message else f"received {_short(value)}; {message}"
    message = message.removeprefix("Input should be ")
    return f"received {_short(value)}; allowed: {message}"


def _fields_at(place: list[Any]) -> list[str]:
    model: Any = Project
    for part in place:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = [a for a in (annotation, *typing.get_args(annotation)) if _is_model(a)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _line_of(tree: CommentedMap, place: list[Any]) -> int | None:
    """1-based line of a key, or of the nearest part of its place that is in the file."""
    node: Any = tree
    line: int | None = None
    for part in place:
        try:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0] + 1
            elif isinstance(node, CommentedSeq) and isinstance(part, int):
                line = node.lc.item(part)[0] + 1
            else:
                break
        except (KeyError, TypeError):
            break
        node = node[part]
    return line


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, Mapping) else "a mapping"
    return text if len(text) <= 60 else text[:59] + "…"
