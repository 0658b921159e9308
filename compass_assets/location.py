"""Which project this process serves, and where its instance keeps its runs."""

import os
from pathlib import Path

from compass_core.config.load import LoadedProject, load_project
from compass_core.errors import ConfigError

PROJECT_FILE = "compass.yaml"
PROJECT_ENV = "COMPASS_PROJECT"


def find_project_file(start: Path | None = None) -> Path:
    """compass.yaml named by COMPASS_PROJECT (file or folder), else the nearest one upwards."""
    named = os.environ.get(PROJECT_ENV)
    if named:
        path = Path(named).expanduser().resolve()
        return path / PROJECT_FILE if path.is_dir() else path
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    raise ConfigError(
        f"no {PROJECT_FILE} in {here} or above it; run `compass init {here}` to make a project, "
        f"or set {PROJECT_ENV} to one"
    )


def find_project(start: Path | None = None) -> LoadedProject:
    """The project of this process, read and validated."""
    return load_project(find_project_file(start))
