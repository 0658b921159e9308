"""`compass dev`: the UI and the daemon on this machine, with the project's own storage."""

import os
import subprocess
import sys
from pathlib import Path

from compass_core.config.load import LoadedProject


def run_dev(loaded: LoadedProject, host: str, port: int) -> int:
    """Runs until it is interrupted; returns dg's exit code."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(loaded.directory),
        "COMPASS_PROJECT": str(loaded.file),
    }
    dg = Path(sys.executable).with_name("dg")
    where = ["--host", host, "--port", str(port)]
    module = ["--module-name", "compass_assets.definitions", "--use-active-venv"]
    command = [str(dg), "dev", *module, *where]
    return subprocess.call(command, cwd=loaded.directory, env=environment)
