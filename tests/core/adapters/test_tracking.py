"""TensorBoard for real; mlflow and wandb through the calls that accelerate makes of them."""

import sys
import types

import polars as pl
import pytest

from compass_core.adapters import tracking as subject
from compass_core.adapters.tracking import Tracked, check_trackers, tracking
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution, Tracking
from compass_core.errors import TrainingError

CPU = Execution(device="cpu", threads=1)
ROWS = pl.DataFrame(
    [{"row_id": f"{i}", "prompt": f"Mji {i}?", "response": "Nairobi"} for i in range(6)]
)
SHORT = Adapter(rank=4, epochs=2, batch_size=3, learning_rate=0.01, target_modules=["q_proj"])


def tracked(tmp_path, *names):
    return Tracked(Tracking(trackers=list(names), folder="curves"), "compass", "sw", tmp_path)


def test_none_by_default_and_each_once():
    assert Tracking().trackers == []
    assert Tracking(trackers=["wandb", "mlflow", "wandb"]).trackers == ["mlflow", "wandb"]


def test_tensorboard_gets_every_step_of_a_training(project, tmp_path, quiet):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = tmp_path / "out"
    out.mkdir()
    base = BaseModelSettings(model="models/llama")
    result = train_adapter(
        *(ROWS, SHORT, base, CPU, project, out, tmp_path / "c", 17, quiet),
        tracked=tracked(tmp_path, "tensorboard"),
    )
    (run,) = (tmp_path / "curves" / "tensorboard" / "compass").iterdir()
    assert run.name.startswith("sw-")
    events = EventAccumulator(str(run)).Reload()
    losses = events.Scalars("loss")
    assert [event.step for event in losses] == [1, 2, 3, 4]
    assert [event.value for event in losses] == pytest.approx(result.losses, abs=1e-4)
    rates = [event.value for event in events.Scalars("learning_rate")]
    assert rates[0] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)
    assert "gradient_norm" in events.Tags()["scalars"]
    assert "replay_loss" not in events.Tags()["scalars"]


def test_a_package_that_is_missing_is_told_before_a_model_is_loaded(tmp_path, monkeypatch, quiet):
    monkeypatch.setitem(subject.MODULES, "wandb", "no_such_package")
    text = r"received wandb, .* pip install 'compass-assets\[wandb\]', or take wandb out"
    with pytest.raises(TrainingError, match=text):
        check_trackers(Tracking(trackers=["wandb"]))
    base = BaseModelSettings(model="no/model")
    with pytest.raises(TrainingError, match=text):
        train_adapter(
            *(ROWS, SHORT, base, CPU, tmp_path, tmp_path, tmp_path / "c", 17, quiet),
            tracked=tracked(tmp_path, "wandb"),
        )


class Calls:
    """Notes what is called on it."""

    def __init__(self, answers=()):
        self.made, self.answers = [], dict(answers)

    def function(self, name):
        def call(*args, **kwargs):
            self.made.append((name, args, kwargs))
            return self.answers.get(name)

        return call


@pytest.fixture
def mlflow(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    calls = Calls({"search_experiments": [], "create_experiment": "7"})
    module = types.ModuleType("mlflow")
    for name in (
        *("set_tracking_uri", "search_experiments", "create_experiment"),
        *("start_run", "log_params", "log_metrics", "end_run"),
    ):
        setattr(module, name, calls.function(name))
    limits = types.SimpleNamespace(MAX_PARAM_VAL_LENGTH=500, MAX_PARAMS_TAGS_PER_BATCH=100)
    module.utils = types.SimpleNamespace(validation=limits)
    module.__spec__ = types.SimpleNamespace(name="mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return calls


@pytest.fixture
def wandb(monkeypatch):
    calls = Calls()
    run = types.SimpleNamespace(log=calls.function("log"), finish=calls.function("finish"))
    calls.answers["init"] = run
    module = types.ModuleType("wandb")
    module.init = calls.function("init")
    module.config = types.SimpleNamespace(update=calls.function("config"))
    module.__spec__ = types.SimpleNamespace(name="wandb")
    monkeypatch.setitem(sys.modules, "wandb", module)
    return calls


def test_mlflow_gets_experiment_settings_figures_and_an_end(tmp_path, mlflow, quiet):
    with tracking(tracked(tmp_path, "mlflow"), "0123456789", {"rank": 4, "x": [1]}, quiet) as track:
        track({"loss": 2.5, "learning_rate": 0.1}, 1)
    said = {name: (args, kwargs) for name, args, kwargs in mlflow.made}
    assert said["set_tracking_uri"][0] == (f"sqlite:///{tmp_path / 'curves' / 'mlflow.db'}",)
    assert said["create_experiment"][1]["name"] == "compass"
    assert said["start_run"][1]["run_name"] == "sw-01234567"
    assert said["log_params"][0] == ({"rank": 4, "x": "[1]"},)
    assert said["log_metrics"] == (({"loss": 2.5, "learning_rate": 0.1},), {"step": 1})
    assert mlflow.made[-1][0] == "end_run"


def test_a_tracking_server_of_the_users_own_is_left_to_mlflow(tmp_path, mlflow, quiet, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    with tracking(tracked(tmp_path, "mlflow"), "0123456789", {}, quiet):
        pass
    assert "set_tracking_uri" not in [name for name, *_ in mlflow.made]


def test_wandb_gets_project_name_settings_and_figures(tmp_path, wandb, quiet):
    with tracking(tracked(tmp_path, "wandb"), "0123456789", {"rank": 4}, quiet) as track:
        track({"loss": 2.5}, 3)
    said = {name: (args, kwargs) for name, args, kwargs in wandb.made}
    folder = str(tmp_path / "curves")
    assert said["init"] == ((), {"project": "compass", "name": "sw-01234567", "dir": folder})
    assert said["config"][0] == ({"rank": 4},)
    assert said["log"] == (({"loss": 2.5},), {"step": 3})
    assert wandb.made[-1][0] == "finish"


def test_one_that_fails_on_the_way_is_left_out_and_the_other_goes_on(
    tmp_path, mlflow, wandb, quiet
):
    def breaks(*args, **kwargs):
        raise ConnectionError("no route")

    sys.modules["mlflow"].log_metrics = breaks
    with tracking(tracked(tmp_path, "mlflow", "wandb"), "0123456789", {}, quiet) as track:
        track({"loss": 2.5}, 1)
        track({"loss": 2.0}, 2)
    assert quiet.lines == ["mlflow failed at step 1 and is left out from here: no route"]
    assert [kwargs["step"] for name, _, kwargs in wandb.made if name == "log"] == [1, 2]


def test_one_that_cannot_start_stops_the_training_and_closes_the_others(
    tmp_path, mlflow, wandb, quiet
):
    def refuses(*args, **kwargs):
        raise RuntimeError("no API key")

    sys.modules["wandb"].init = refuses
    with (
        pytest.raises(TrainingError, match="wandb could not start: no API key"),
        tracking(tracked(tmp_path, "mlflow", "wandb"), "0123456789", {}, quiet),
    ):
        pass
    assert mlflow.made[-1][0] == "end_run"
