"""A project's graph up to the gap reports: what choosing needs, and nothing trained."""

import os
from typing import Any

from compass_assets.runner import Runner, open_instance
from compass_core.config.load import LoadedProject
from compass_core.graph import CHEAP_CHAIN

WANTED = {*CHEAP_CHAIN, "training_corpus", "benchmark_items"}


class _UpToGaps(Runner):
    def _plan(self, language: str, changed: dict[str, set[str]]) -> list[str]:
        return [name for name in super()._plan(language, changed) if name in WANTED]


def up_to_gaps(loaded: LoadedProject) -> Any:
    """Materialize the inputs and the cheap chain of all targets; returns the runner's outcome."""
    before = os.environ.get("DAGSTER_HOME")
    try:
        with open_instance(loaded) as instance, _UpToGaps(loaded, instance) as runner:
            return runner.materialize()
    finally:
        if before is None:
            os.environ.pop("DAGSTER_HOME", None)
        else:
            os.environ["DAGSTER_HOME"] = before
