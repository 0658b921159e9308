"""The documentation tells the truth: commands parse, settings are allowed, messages are real."""

import ast
import contextlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from ruamel.yaml import YAML

from compass_assets.check_results import ASKED, BLOCKING
from compass_assets.cli.main import app
from compass_core.config.load import with_overrides
from compass_core.config.schema import Project
from tests.assets.browser.conftest import CHROMIUM, DRIVER, FLAGS, PATIENCE_S, need_browser

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
FENCED = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, kind: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [match["text"] for match in FENCED.finditer(text) if match["kind"] == kind]


def commands(page: Path) -> list[str]:
    """Every line of a shell block, or of an indented one, that calls `compass`."""
    fenced = "\n".join(blocks(page, "bash"))
    indented = re.findall(r"^    (\S.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [*fenced.splitlines(), *indented]
    return [m[1] for line in lines if (m := re.match(r"(?:\.venv/bin/)?(compass\s+[a-z].*)", line))]


def named(page: Path) -> list[str]:
    """Commands in the running text; forms such as `compass gaps [LANGUAGE]` are left out."""
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    spans = [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", prose)]
    return [
        text for text in spans if re.match(r"compass [a-z]", text) and not set("[…|") & set(text)
    ]


ALL = [(page.name, command) for page in PAGES for command in commands(page)]

NAMED = sorted({(page.name, command) for page in PAGES for command in named(page)})


@pytest.mark.parametrize(("page", "command"), ALL, ids=[f"{p}: {c[:50]}" for p, c in ALL])
def test_every_command_of_the_documentation_is_one_that_exists(page, command):
    parse(command)


@pytest.mark.parametrize(("page", "command"), NAMED, ids=[f"{p}: {c[:50]}" for p, c in NAMED])
def test_a_command_in_the_running_text_exists(page, command):
    with contextlib.suppress(click.MissingParameter):  # only its name is mentioned
        parse(command)


def parse(command):
    words = shlex.split(command, comments=True)[1:]
    context = typer.main.get_command(app).make_context("compass", list(words))
    while (group := context.command) and hasattr(group, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, found, arguments = group.resolve_command(context, rest)
        context = found.make_context(name, list(arguments), parent=context)


def test_commands_are_found_at_all():
    assert len(ALL) > 10
    assert len(NAMED) > 10


def test_settings_in_the_documentation_are_allowed():
    seen = 0
    for page in PAGES:
        for text in blocks(page, "yaml"):
            values = YAML(typ="safe").load(text)
            if isinstance(values, dict) and set(values) <= set(Project.model_fields):
                with_overrides(Project(languages={"targets": ["sw"]}), values, page.name)
                seen += 1
            else:
                assert not set(values) & set(Project.model_fields), f"{page.name}: {text}"
    assert seen


def literals() -> str:
    """Every string constant of the packages, f-strings with … where a value goes."""
    found = []
    for package in ("compass_core", "compass_assets"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return "\n".join(found)


def test_the_messages_that_are_explained_are_messages_of_this_project():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    known = literals()
    headed = re.findall(r"^`(.+)`\n:   ", page, re.MULTILINE)
    assert len(headed) > 10
    for message in headed:
        # The fixed parts, without what stands for a value: names, numbers, quoted text, paths.
        parts = re.split(r"…|'[^']*'|[\w.-]+\.\w+(?:\.\w+)*:?\d*:|:|;", message)
        fixed = [part.strip(" ,.") for part in parts if len(part.strip(" ,.")) > 10]
        assert any(part in known for part in fixed), f"no such message: {message}"


def test_the_tests_that_the_method_rests_on_are_tests():
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    defined = {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert len(named) > 20
    assert sorted(named - defined) == []


def test_the_table_of_checks_is_that_of_the_assets():
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `(\w+)` \| `(\w+)`[^|]*\|[^|]*\|[^|]*\| (yes|no) \|", page, re.MULTILINE
    )
    told = {(asset, name): blocks == "yes" for name, asset, blocks in rows}
    known = {
        (asset, name): name in BLOCKING for asset, names in ASKED.items() for name in names
    } | {("usage_logs", "rows_accounted_for"): True, ("adapter", "adapters_in_sync"): False}
    assert told == known


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_builds_without_a_warning(site):
    assert (site / "analysts.html").is_file()
    pages = "".join(p.read_text(encoding="utf-8") for p in site.rglob("*.html"))
    assert not re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', pages)


def test_every_link_of_the_site_names_a_file_that_is_there(site):
    """From disk a browser shows a folder's listing and not its index.html."""
    wrong = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue  # of a server: its links start at the root
        for link in re.findall(r'(?:src|href)="([^"#?]+)', page.read_text(encoding="utf-8")):
            if not re.match(r"(?:[a-z]+:|//)", link) and not (page.parent / link).is_file():
                wrong.append((page.name, link))
    assert not wrong


def test_search_works_from_disk(site, tmp_path):
    need_browser()
    selenium = pytest.importorskip("selenium.webdriver", reason="pip install -e '.[dev]'")
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    driver = selenium.Chrome(options=options, service=Service(DRIVER))
    try:
        driver.get((site / "experiments" / "selection.html").as_uri())
        field = driver.find_element("css selector", "input.md-search__input")
        field.click()
        field.send_keys("rollback")
        found = WebDriverWait(driver, PATIENCE_S).until(
            lambda d: d.find_elements("css selector", "a.md-search-result__link")
        )
        pages = {link.get_attribute("href").partition("#")[0] for link in found}
    finally:
        driver.quit()
    assert (site / "operations.html").as_uri() in {page.partition("?")[0] for page in pages}
