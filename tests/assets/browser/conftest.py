"""The real UI in a real browser: `compass dev` on a materialized project, headless Chromium.

Where there is no Chromium they are skipped, or with COMPASS_BROWSER=required, as in CI, they fail.
Screenshots go to `artefacts/browser` in the checkout (git-ignored), for people and for CI.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compass_assets.cli.init_cmd import DAGSTER_YAML

ROOT = Path(__file__).parent.parent.parent.parent
SHOTS = ROOT / "artefacts" / "browser"
PATIENCE_S = float(os.environ.get("COMPASS_BROWSER_PATIENCE_S", "300"))
SETTLE_S = 1.5  # before a picture: what slides in has come to rest
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1500,950",
)


def found(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


CHROMIUM = found("chromium", "chromium-browser", "google-chrome")
DRIVER = found("chromedriver")


def need_browser() -> None:
    """Skip where there is no browser; fail where one is required."""
    if CHROMIUM is None or DRIVER is None:
        missing = "no Chromium here: apt-get install chromium chromium-driver"
        if os.environ.get("COMPASS_BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)


@dataclass
class Page:
    """A browser on the UI of one project."""

    driver: Any
    base: str
    project: Path

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        """The condition's answer as soon as it is true; fails with what the page shows."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = condition()
            if answer:
                return answer
            time.sleep(0.3)
        self.shot("failed")
        raise AssertionError(f"{what}: not in {PATIENCE_S:.0f} s; the page says: {self.text}")

    def shows(self, *texts: str) -> None:
        self.until(f"shows {texts}", lambda: all(text in self.text for text in texts))

    def find(self, xpath: str) -> Any:
        return self.until(xpath, lambda: self.driver.find_elements("xpath", xpath))[0]

    def click(self, xpath: str) -> None:
        """Click when it can be clicked: a click on a disabled button is lost without a word."""

        def ready() -> Any:
            found = self.driver.find_elements("xpath", xpath)
            return found[0] if found and found[0].is_enabled() else None

        element = self.until(f"{xpath} is enabled", ready)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def shot(self, name: str) -> None:
        time.sleep(SETTLE_S)
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SHOTS / f"{name}.png"))


@pytest.fixture(scope="module")
def page(materialized: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    need_browser()
    selenium = pytest.importorskip("selenium.webdriver", reason="pip install -e '.[dev]'")
    from selenium.webdriver.chrome.service import Service

    project = tmp_path_factory.mktemp("browser") / "project"
    shutil.copytree(materialized, project)
    # The instance that the other tests use lies in `dagster`; the UI takes the same.
    (project / "dagster.yaml").write_text(DAGSTER_YAML.format(base="dagster"))
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    with serving(project) as base:
        driver = selenium.Chrome(options=options, service=Service(DRIVER))
        try:
            yield Page(driver, base, project)
        finally:
            driver.quit()


class serving:
    """`compass dev` on a free port, for the length of a `with` block."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def __enter__(self) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log = (self.project / "dev.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "compass_assets.cli", "dev", "--port", str(port)],
            cwd=self.project,
            env={**os.environ, "COMPASS_PROJECT": str(self.project)},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        base = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{base}/server_info", timeout=5).read()
                return base
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.5)
        self.__exit__()
        raise AssertionError((self.project / "dev.log").read_text()[-3000:])

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        # Runs that it started are in its group; nothing outlives the test.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()
