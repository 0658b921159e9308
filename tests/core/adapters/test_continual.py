"""An update of an adapter: where it starts, what holds it back, and that a kill changes nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from compass_core.adapters.anchor import difference, load_memory
from compass_core.adapters.continual import Remember, Update, calibration_steps
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import StoreError, TrainingError

ROOT = Path(__file__).parents[3]
CPU = Execution(device="cpu", threads=1)
BASE = BaseModelSettings(model="models/llama")
SHORT = Adapter(rank=4, alpha=8, epochs=6, batch_size=4, learning_rate=0.02, max_tokens=64)


def rows(*pairs, name="o"):
    return pl.DataFrame(
        [{"row_id": f"{name}{i}", "prompt": p, "response": r} for i, (p, r) in enumerate(pairs)]
    )


OLD = rows(*[(f"Mji {w}?", w.upper()) for w in ("moja", "mbili", "tatu", "nne", "tano", "sita")])
NEW = rows(*[(f"Samaki {w}?", w[::-1]) for w in ("bahari", "ziwa", "mto", "soko")], name="n")


def train(project, out, data, adapter=SHORT, **more):
    out.mkdir(parents=True, exist_ok=True)
    return train_adapter(
        data, adapter, BASE, CPU, project, out, out / "cp", 17, lambda text: None, **more
    )


@pytest.fixture(scope="module", params=["lora", "rslora", "dora"])
def first(request, project, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    adapter = SHORT.model_copy(update={"method": request.param, "epochs": 20})
    result = train(
        project, folder / "first", OLD, adapter, remember=Remember(OLD, folder=folder / "memory")
    )
    return folder, adapter, result


def update_of(folder, lambda_=2.0, beta=0.1, replay=OLD, scale=None):
    return Update("v0001", load_memory(folder / "memory"), replay, lambda_, beta, 2, scale)


def distance(memory, out):
    found = load_file(out / "adapter_model.safetensors")
    anchor = {
        n.replace("magnitude_vector.default.weight", "magnitude_vector").replace(".default", ""): a
        for n, a in memory.anchor.items()
    }
    return sum(float((found[n] - anchor[n]).square().sum()) for n in found)


def test_an_update_starts_at_the_weights_that_serve(first, project, tmp_path):
    folder, adapter, _ = first
    still = adapter.model_copy(update={"learning_rate": 1e-12, "epochs": 1})
    train(project, tmp_path / "out", NEW, still, update=update_of(folder))
    assert distance(load_memory(folder / "memory"), tmp_path / "out") < 1e-12


def test_a_strong_penalty_holds_the_weights_and_a_replayed_buffer_holds_the_loss(
    first, project, tmp_path
):
    folder, adapter, _ = first
    memory = load_memory(folder / "memory")
    away, old_loss = {}, {}
    for name, update in {
        "naive": update_of(folder, 0.0, 0.0, OLD.clear()),
        "held": update_of(folder, 1e4, 0.0, OLD.clear(), scale=1e4),
        "replayed": update_of(folder, 0.0, 1.0),
    }.items():
        out = tmp_path / name
        result = train(
            project, out, NEW, adapter, update=update, remember=Remember(OLD, folder=out / "m")
        )
        away[name] = distance(memory, out)
        old_loss[name] = load_memory(out / "m").fitted_loss
        assert (result.replay_rows > 0) == (name == "replayed")
    assert away["held"] < 0.5 * away["naive"]
    assert old_loss["replayed"] < 0.9 * old_loss["naive"]
    assert old_loss["held"] < old_loss["naive"]


def test_the_three_terms_and_their_ratio_are_logged(first, project, tmp_path):
    folder, adapter, _ = first
    result = train(project, tmp_path / "out", NEW, adapter, update=update_of(folder))
    assert len(result.losses) == len(result.penalties) == len(result.replay_losses) == result.steps
    assert result.penalties[0] == 0.0  # silent until the loss on old rows has risen
    assert result.old_loss_rise > 0
    assert result.fisher_scale > 0
    assert max(result.penalties) > 0
    assert result.penalty_per_task_loss == pytest.approx(
        sum(result.penalties[-10:]) / sum(result.losses[-10:]), rel=1e-2
    )


def test_the_scale_follows_the_old_loss_and_a_given_one_stays(first, project, tmp_path):
    assert calibration_steps(100) == (15, 35, 55, 75)
    assert calibration_steps(6) == (2, 3, 4)
    assert calibration_steps(1) == (0,)
    folder, adapter, _ = first
    followed = train(project, tmp_path / "out", NEW, adapter, update=update_of(folder))
    given = train(project, tmp_path / "given", NEW, adapter, update=update_of(folder, scale=3.0))
    assert given.fisher_scale == 3.0
    assert given.old_loss_rise is None
    # What the quadratic takes the rise for, beside the rise itself, where training ended.
    off = [abs(r.final_surrogate - r.final_rise) for r in (followed, given)]
    assert followed.final_surrogate > 0
    assert off[0] < 0.5 * followed.final_rise
    assert off[0] < off[1]


def test_memory_of_another_adapter_is_told_apart(first):
    folder, _, _ = first
    kept = load_memory(folder / "memory").identity
    assert difference(kept, kept) is None
    assert difference(kept, {**kept, "rank": 64}) == "its rank is 4, the project's is 64"
    with pytest.raises(StoreError, match="holds no memory"):
        load_memory(folder / "nowhere")


def test_an_update_that_explodes_leaves_the_version_before_it_as_it_was(
    first, project, tmp_path, monkeypatch
):
    from compass_core.adapters import loop

    folder, adapter, _ = first
    before = {p.name: p.read_bytes() for p in (folder / "first").iterdir() if p.is_file()}
    real = loop.row_losses
    monkeypatch.setattr(loop, "row_losses", lambda model, batch: real(model, batch) * float("nan"))
    with pytest.raises(TrainingError, match=r"loss is nan at step 1"):
        train(project, tmp_path / "out", NEW, adapter, update=update_of(folder))
    assert not [p for p in (tmp_path / "out").iterdir() if p.is_file()]
    after = {p.name: p.read_bytes() for p in (folder / "first").iterdir() if p.is_file()}
    assert after == before


CHILD = """
import sys, time
from pathlib import Path
from tests.core.adapters import test_continual as t
from compass_core.adapters import loop
if sys.argv[4] == "slow":
    update = loop.Training.update
    def slow(self, examples, pad_id):
        if self.step >= 4:
            print("at", self.step, flush=True)
            time.sleep(0.5)
        return update(self, examples, pad_id)
    loop.Training.update = slow
often = t.SHORT.model_copy(update={"checkpoint_every_s": 1e-9, "dropout": 0.1})
result = t.train(
    Path(sys.argv[1]), Path(sys.argv[3]), t.NEW, often, update=t.update_of(Path(sys.argv[2]))
)
print("done", result.weights_version, result.resumed_at_step, flush=True)
"""


def test_an_update_that_is_killed_resumes_to_the_same_weights(project, tmp_path):
    """SIGKILL of a real process, past the step at which the penalty got its scale."""
    folder = tmp_path
    train(project, folder / "first", OLD, remember=Remember(OLD, folder=folder / "memory"))

    def start(out, pace):
        command = [sys.executable, "-W", "ignore", "-c", CHILD]
        return subprocess.Popen(
            [*command, str(project), str(folder), str(out), pace],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    killed = start(tmp_path / "killed", "slow")
    for line in killed.stdout:
        if line.startswith("at"):
            break
    time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "adapter_model.safetensors").exists()
    again = start(tmp_path / "killed", "fast").communicate()[0].split()
    straight = start(tmp_path / "straight", "fast").communicate()[0].split()
    assert int(again[2]) >= 4
    assert int(straight[2]) == 0
    assert again[1] == straight[1]
    one, two = (
        load_file(tmp_path / name / "adapter_model.safetensors") for name in ("killed", "straight")
    )
    assert all(torch.equal(one[k], two[k]) for k in one)
