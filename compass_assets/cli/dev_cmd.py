"""`compass dev`: the UI and the daemon on this machine, with the project's own storage."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from compass_core.config.load import LoadedProject


def run_dev(loaded: LoadedProject, host: str, port: int) -> NoReturn:
    """Becomes `dg dev`: runs until it is interrupted."""
    from compass_assets.lost_runs import limit_models
    from compass_assets.runner import open_instance

    with open_instance(loaded) as instance:
        limit_models(instance, loaded.project.execution.parallel)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(loaded.directory),
        "COMPASS_PROJECT": str(loaded.file),
    }
    dg = Path(sys.executable).with_name("dg")
    where = ["--host", host, "--port", str(port)]
    module = ["--module-name", "compass_assets.definitions", "--use-active-venv"]
    command = [str(dg), "dev", *module, *where]
    os.chdir(loaded.directory)
    # dg takes this process over, so that a signal sent to it stops the server and the daemon.
    os.execve(command[0], command, environment)
