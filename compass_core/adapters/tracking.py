"""Curves of a training to TensorBoard, mlflow or wandb, through accelerate's trackers.

`training_log.json` in the adapter's folder has the whole curve in any case; a tracker is for
watching it grow, and beside others.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compass_core.config.tracking import Tracking
from compass_core.errors import TrainingError

Report = Callable[[str], None]
Track = Callable[[Mapping[str, float], int], None]  # values by name, and the step (from 1)
# A module whose absence means that the tracker cannot run; mlflow-skinny is enough for a server.
MODULES = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}


@dataclass(frozen=True)
class Tracked:
    """Which trackers, and what the run is filed under."""

    settings: Tracking
    project: str  # mlflow's experiment, wandb's project, TensorBoard's folder
    label: str  # begins the run's name: the language
    directory: Path  # where the project file is


def no_tracking(values: Mapping[str, float], step: int) -> None:
    """Where nobody watches."""


def check_trackers(settings: Tracking) -> None:
    """Raises TrainingError for a tracker whose package is not there, before a model is loaded."""
    for name in settings.trackers:
        if importlib.util.find_spec(MODULES[name]) is None:
            raise TrainingError(
                f"tracking.trackers: received {name}, whose package is not installed: "
                f"pip install 'compass-assets[{name}]', or take {name} out of the list"
            )


@contextmanager
def tracking(
    tracked: Tracked | None, digest: str, facts: Mapping[str, Any], report: Report
) -> Iterator[Track]:
    """A function that logs a step to every tracker; they are closed at the end, come what may.

    The run's name is label and digest, so a training that resumes goes on in the same TensorBoard
    folder. Raises TrainingError when a tracker cannot start; one that fails later is left out with
    a line to `report`, because a curve is not worth a training.
    """
    if tracked is None or not tracked.settings.trackers:
        yield no_tracking
        return
    check_trackers(tracked.settings)
    open_: dict[str, Any] = {}

    def track(values: Mapping[str, float], step: int) -> None:
        for name in list(open_):
            try:
                open_[name].log(dict(values), step=step)
            except Exception as error:  # whatever a client of a remote server may raise
                report(f"{name} failed at step {step} and is left out from here: {error}")
                del open_[name]

    try:
        for name in tracked.settings.trackers:
            open_[name] = _started(name, tracked, f"{tracked.label}-{digest[:8]}", facts)
        yield track
    finally:
        for who, tracker in open_.items():
            try:
                tracker.finish()
            except Exception as error:  # the same
                report(f"{who} could not be closed: {error}")


def _started(name: str, tracked: Tracked, run: str, facts: Mapping[str, Any]) -> Any:
    folder = (tracked.directory / tracked.settings.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tracker = _made(name, tracked.project, run, folder)
        tracker.start()
        tracker.store_init_configuration({key: _plain(value) for key, value in facts.items()})
    except Exception as error:  # wandb alone has a dozen reasons not to start
        raise TrainingError(
            f"tracking.trackers: {name} could not start: {error}; "
            f"see its own settings, or take {name} out of the list"
        ) from error
    return tracker


def _made(name: str, project: str, run: str, folder: Path) -> Any:
    from accelerate import tracking as of

    if name == "tensorboard":
        return of.TensorBoardTracker(run, folder / "tensorboard" / project)
    if name == "mlflow":
        if "MLFLOW_TRACKING_URI" in os.environ:
            return of.MLflowTracker(experiment_name=project, run_name=run)
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        return of.MLflowTracker(project, str(folder / "mlflow"), run_name=run)
    return of.WandBTracker(project, name=run, dir=str(folder))


def _plain(value: Any) -> bool | int | float | str:
    """What every tracker takes as a setting."""
    return value if isinstance(value, bool | int | float | str) else str(value)
