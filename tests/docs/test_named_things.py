"""What the documentation names is there: modules, make targets, extras, files of the repository."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md")]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")]
)
# Top-level folders whose contents are in the repository; most of data/ is made by running.
KEPT = ("compass_core", "compass_assets", "tests", "docs", "experiments", "benchmarks", "tools")
KEPT += ("notebooks", "data/models")
OWN = {"gpu_location.py"}  # a file that the page tells a person to make
PATH = re.compile(r"(?<![\w/.<-])(?P<path>(?:[\w.-]+/)+[\w.-]*\w/?|[\w-]+\.py)(?![\w<*{/])")


def code(text: str) -> list[str]:
    """What is set as code: fenced blocks, indented lines and spans of the running text."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*fenced, *re.findall(r"^    \S.*$", rest, re.MULTILINE), *re.findall(r"`[^`]+`", rest)]


def runnable(name: str) -> bool:
    """Whether `python -m name` finds something to run; imports no more than its packages."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return False
    if spec is None:
        return False
    return spec.submodule_search_locations is None or runnable(f"{name}.__main__")


def missing_modules(text: str) -> list[str]:
    return [name for name in re.findall(r"python -m ([\w.]+\w)", text) if not runnable(name)]


def missing_targets(text: str) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    pieces = [piece.strip(" `") for part in code(text) for piece in part.splitlines()]
    called = [m[1] for piece in pieces if (m := re.match(r"make ([\w-]+)", piece))]
    return sorted(set(called) - known)


def missing_extras(text: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(project["project"]["optional-dependencies"])
    named = re.findall(r"(?:compass-assets|'\.|`)\[([a-z0-9,]+)\](?='|`)", text)
    return sorted({extra for group in named for extra in group.split(",")} - known)


def missing_paths(page: Path, text: str) -> list[str]:
    """Paths into the folders that are kept, from the root or from the page; `.py` files by name."""
    found = {match["path"] for match in PATH.finditer(text)}
    mine = {p for p in found if p.startswith(tuple(f"{folder}/" for folder in KEPT))}
    lost = {p for p in mine if not (ROOT / p).exists() and not (page.parent / p).exists()}
    names = {file.name for folder in KEPT for file in (ROOT / folder).rglob("*.py")}
    return sorted(lost | {p for p in found if "/" not in p and p not in names | OWN})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    assert missing_modules(text) == []
    assert missing_targets(text) == []
    assert missing_extras(text) == []
    assert missing_paths(page, text) == []


def test_what_is_not_there_is_found():
    text = """
    python -m experiments.nowhere
    python -m nowhere.at.all
    python -m compass_core
    make nothing
    pip install 'compass-assets[datasets,tesorboard]'

`tests/core/test_gone.py`, `compass_core/stages/`, gone_away.py, `data/store/x`, make sense of
"""
    assert missing_modules(text) == ["experiments.nowhere", "nowhere.at.all", "compass_core"]
    assert missing_targets(text) == ["nothing"]
    assert missing_extras(text) == ["tesorboard"]
    assert missing_paths(ROOT / "README.md", text) == ["gone_away.py", "tests/core/test_gone.py"]
