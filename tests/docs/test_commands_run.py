"""The documentation's commands are run: those of `compass` on a project that the graph has made,
modules with `--help` behind their options, make targets without carrying them out."""

import os
import re
import shlex
import subprocess
import sys
from datetime import date

import pytest

from compass_assets.cli.init_cmd import run_init
from compass_core.world.generate import write_log_day
from tests.assets.conftest import make_project
from tests.docs.test_docs import PAGES, ROOT, commands
from tests.docs.test_named_things import code

STORY = ("README.md", "tutorial.md", "continual.md", "models.md", "benchmarks.md", "analysts.md")
ELSEWHERE = {"own-language.md"}  # tests/assets/test_own_language.py follows that page
NEW_USAGE = {"telecom": 1, "elections": 3, "energy": 2}
MADE = {"v0003": "v0001", "v0004": "v0002"}  # what an example has after months, a test after one


def shell(words, folder):
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "BROWSER": "true", "COMPASS_PROJECT": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )


def compass(command, folder):
    text = re.sub(r"\bv\d{4}\b", lambda m: MADE.get(m[0], m[0]), command)
    words = shlex.split(text, comments=True)
    return shell([sys.executable, "-m", "compass_assets.cli", *words[1:]], folder)


def test_every_page_with_commands_is_in_the_story():
    told = {page.name for page in PAGES if commands(page)}
    assert told - ELSEWHERE == set(STORY)


@pytest.mark.slow
def test_the_commands_of_the_pages_run_one_after_another(tmp_path):
    project = tmp_path / "project"
    make_project(project)
    first = compass("compass materialize", project)
    assert first.returncode == 0, first.stderr[-2000:]
    by_name = {page.name: page for page in PAGES}
    ran = dropped = 0
    for name in STORY:
        text = by_name[name].read_text(encoding="utf-8")
        for line in re.findall(r"^    (echo .*(?:\\\n.*)*)$", text, re.MULTILINE):
            assert shell(["bash", "-c", line], project).returncode == 0, line
            dropped += 1
        for command in commands(by_name[name]):
            if command.startswith("compass update"):  # the page has new days arrive before it
                for day in (1, 2, 3):
                    write_log_day(
                        project / "data",
                        "sw",
                        date(2026, 2, day),
                        seed=5,
                        prompts=30,
                        usage=NEW_USAGE,
                    )
            done = compass(command, project)
            stale = (
                command == "compass status" and done.returncode == 1
            )  # for scripts: not all fresh
            assert stale or done.returncode == 0, (
                f"{name}: {command}\n{done.stdout}\n{done.stderr[-2000:]}"
            )
            ran += 1
    assert ran > 15
    assert dropped == 2  # a log file, in the README and in the tutorial
    assert "2026-01-31" in next((project / "data/logs/sw").glob("2026-01-31.jsonl")).read_text()
    assert (project / "my-project" / "compass.yaml").is_file()
    assert (project / "exported/sw").is_dir()


@pytest.mark.slow
def test_the_backup_holds_the_store(tmp_path):
    project = tmp_path / "project"
    assert run_init(project) == 0
    (project / "data" / "store").mkdir()
    (project / "data" / "store" / "kept").write_text("x")
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^tar .*$", page, re.MULTILINE)
    done = shell(shlex.split(command), project)
    assert done.returncode == 0, done.stderr
    listed = shell(["tar", "-tf", "compass-backup.tar"], project).stdout.split()
    own = {"compass.yaml", "dagster.yaml", "workspace.yaml"}
    assert own | {"data/store/kept"} <= set(listed)


def lines(pattern):
    """What is set as code on any page and begins as the pattern says, once each."""
    parts = [part for page in PAGES for part in code(page.read_text(encoding="utf-8"))]
    found = {line.strip(" `") for part in parts for line in part.splitlines()}
    return sorted(line for line in found if re.match(pattern, line))


def modules():
    return lines(r"python -m [\w.]+ .*--")


@pytest.mark.slow
@pytest.mark.parametrize("command", modules())
def test_modules_take_the_options_that_are_written(command):
    """An unknown option fails before the help is shown."""
    words = shlex.split(command, comments=True)
    done = shell([sys.executable, *words[1:], "--help"], ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "--help" in done.stdout


def targets():
    return lines(r"make [\w-]+( [A-Z]+=\S+)*( |$)")


@pytest.mark.parametrize("command", targets())
def test_make_knows_what_to_do(command):
    words = shlex.split(command, comments=True)
    assert shell(["make", "-n", *words[1:]], ROOT).returncode == 0
