"""`compass init`: a new project, ready to be filled."""

import secrets
import shutil
import sys
from pathlib import Path

import typer

from compass_core.config.template import render_template
from compass_core.errors import ConfigError

FOLDERS = {
    "data/corpora/auxiliary": "One folder a language (BCP-47 tag), in it text that may be sampled.",
    "data/corpora/training": "One folder a target language, in it the training data there is.",
    "data/logs": "One folder a target language, in it log files: JSONL with timestamp and text.",
    "data/benchmarks": "<suite>/<language>/dev.jsonl and test.jsonl: question, choices, answer.",
}

DAGSTER_YAML = """\
# Dagster's own storage, inside the project: runs and events survive restarts.
storage:
  sqlite:
    base_dir: {base}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: {base}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: {base}/compute_logs
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
concurrency:
  runs:
    max_concurrent_runs: 2
  pools:
    default_limit: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 43200
"""

GITIGNORE = """\
data/store/
data/cache/
data/dagster/
"""

WORKSPACE_YAML = """\
load_from:
  - python_module: compass_assets.definitions
"""


def _command() -> str:
    """What to type for `compass`: its path, unless that is the one which the shell finds."""
    called = Path(sys.argv[0])
    if called.name != "compass" or not called.is_file():
        return "compass"
    here = called.resolve()
    found = shutil.which("compass")
    return "compass" if found and Path(found).resolve() == here else str(called.absolute())


def run_init(directory: Path) -> int:
    """Write the files of a new project; raises ConfigError where there is one already."""
    target = directory / "compass.yaml"
    if target.exists():
        raise ConfigError(f"{target} exists already; choose another folder or edit it")
    for folder, text in FOLDERS.items():
        place = directory / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "README.md").write_text(f"{text}\n")
    name = "".join(c for c in directory.resolve().name if c.isalnum() or c in "-_ .") or "compass"
    salt = secrets.token_hex(16)  # one that is in the code would hide no user id
    files = {
        "compass.yaml": render_template({"name": name, "ingest": {"user_salt": salt}}),
        "workspace.yaml": WORKSPACE_YAML,
        "dagster.yaml": DAGSTER_YAML.format(base="data/dagster"),
        ".gitignore": GITIGNORE,
    }
    for file, text in files.items():
        path = directory / file
        if not path.exists():
            path.write_text(text)
    command = _command()
    typer.echo(
        f"project made in {directory}\n"
        f"1. set languages.targets, embedder.model and base_model.model in {target}\n"
        "2. put files into data/ (each folder's README says which)\n"
        f"3. cd {directory} && {command} doctor && {command} materialize"
    )
    return 0
