"""Rules of the house that no reviewer should have to check by hand."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "transformers", "lancedb", "peft", "sentence_transformers", "matplotlib")


def imported_names(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "compass_core").rglob("*.py")), ids=str)
def test_the_core_knows_nothing_of_dagster(path):
    assert not {name for name in imported_names(path) if name.startswith("dagster")}


def test_importing_the_code_location_loads_no_model_library():
    code = (
        "import sys, compass_assets.definitions as d; d.defs.resolve_asset_graph();"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


TABLES = ("records.py", "warehouse.py")  # one entry a table of the store, however many there are


def test_no_python_file_has_grown_out_of_the_head():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("compass_core", "compass_assets")
        for path in (ROOT / folder).rglob("*.py")
        if "lexicon" not in path.parts
        and path.name not in TABLES
        and (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_test_files_have_names_of_their_own():
    """Without packages among the tests, pytest imports two files of one name as one module."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
