"""Makes the pictures of docs/tutorial.md again, from the real UI in a headless Chromium.

    python -m tools.tutorial_shots --project .     # after `make demo`

The project is copied first, so nothing in it changes. Needs chromium and chromedriver.
"""

import argparse
import io
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.assets.browser.conftest import CHROMIUM, DRIVER, FLAGS, SETTLE_S, Page, serving

OUT = Path(__file__).parent.parent / "docs" / "tutorial"
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "site", "artefacts", "__pycache__")
WIDTH = 1200
MARGIN = 12  # pixels around a picture
LANGUAGE = "sw"
LOG = '{"timestamp": "2026-01-31T09:00:00Z", "text": "Bei ya mahindi ni ngapi?", "user": "u1"}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="after `make demo`")
    project = parser.parse_args().project.resolve()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        copy.mkdir()
        for name in ("compass.yaml", "dagster.yaml", "workspace.yaml"):
            shutil.copy2(project / name, copy / name)
        shutil.copytree(project / "data", copy / "data", ignore=LEFT_OUT)
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={folder}/chromium"):
            options.add_argument(flag)
        with serving(copy) as base:
            driver = webdriver.Chrome(options=options, service=Service(DRIVER))
            try:
                _all(Page(driver, base, copy))
            finally:
                driver.quit()


def _all(page: Page) -> None:
    page.open("/asset-groups")
    page.shows("Global asset lineage", "1_corpora", "6_report")
    _keep(page, "graph")
    _picture(page, "gap_report", "picture", "gaps")
    _picture(page, "sampled_training_set", "before_and_after", "sample")
    _picture(page, "benchmark_scores", "picture", "scores")
    _check(page, "promoted_adapter", "benchmark_gate", "gate")
    (page.project / "data" / "logs" / LANGUAGE / "new.jsonl").write_text(LOG, encoding="utf-8")
    page.open("/assets/adapter?view=checks&checkDetail=adapters_in_sync")
    page.shows("adapters_in_sync", f"{LANGUAGE} stale (usage_window changed")
    _keep(page, "stale")


def _picture(page: Page, asset: str, key: str, name: str) -> None:
    """The page of one partition with one of its pictures open."""
    page.open(f"/assets/{asset}?view=partitions&partition={LANGUAGE}")
    page.shows(LANGUAGE, "Latest materialization", "Metadata", "summary")
    page.click(f"//tr[.//*[text()='{key}']]//*[contains(text(), 'Show Markdown')]")
    image = page.find("//img[starts-with(@src, 'data:image/')]")
    page.until("the picture is decoded", lambda: image.get_property("naturalWidth"))
    _keep(page, name, image)


def _check(page: Page, asset: str, check: str, name: str) -> None:
    page.open(f"/assets/{asset}?view=checks&checkDetail={check}")
    page.shows(check, "figure", "threshold", "what_to_do")
    _keep(page, name)


def _keep(page: Page, name: str, around: Any = None) -> None:
    """Save what the browser shows, or the part of it around an element; smaller."""
    time.sleep(SETTLE_S)
    shown: Any = Image.open(io.BytesIO(page.driver.get_screenshot_as_png())).convert("RGB")
    if around is not None:
        box = around.rect
        left, top = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
        right, bottom = box["x"] + box["width"] + MARGIN, box["y"] + box["height"] + MARGIN
        shown = shown.crop((left, top, min(right, shown.width), min(bottom, shown.height)))
    if shown.width > WIDTH:
        size = (WIDTH, round(WIDTH * shown.height / shown.width))
        shown = shown.resize(size, Image.Resampling.LANCZOS)
    if around is None:
        shown = shown.quantize(256)  # a page of text is smaller with a palette
    path = OUT / f"{name}.png"
    shown.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
