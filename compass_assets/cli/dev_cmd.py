"""`compass dev`: the UI and the daemon on this machine, with the project's own storage."""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from compass_core.config.load import LoadedProject
from compass_core.errors import InputError


def run_dev(loaded: LoadedProject, host: str, port: int) -> NoReturn:
    """Becomes `dg dev`: runs until it is interrupted. Raises InputError where the port is taken:
    the daemon would start runs without a page, and the browser show whatever answers there."""
    _check_port(host, port)
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


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"--port: received {port}, and {host}:{port} cannot be used "
                f"({error.strerror}); another project's page may be there: take another port, "
                f"compass dev --port {port + 1}, or make dev PORT={port + 1}"
            ) from None
