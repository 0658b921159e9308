"""Two real processes on the CPU: the same steps as one, up to rounding."""

import json

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from compass_core.adapters import parallel
from compass_core.adapters.anchor import load_memory
from compass_core.adapters.continual import Remember, Update
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution, Project
from compass_core.errors import TrainingError

ONE = Execution(device="cpu", threads=2)
TWO = Execution(device="cpu", threads=2, processes=2)
BASE = BaseModelSettings(model="models/llama")
SHORT = Adapter(rank=4, epochs=2, batch_size=5, learning_rate=0.01, max_tokens=64)
CAPITALS = [("Kenya?", "Nairobi"), ("मिस्र की राजधानी?", "क़ाहिरा"), ("ไทย", "กรุงเทพมหานคร")]
ROWS = pl.DataFrame(
    [
        {"row_id": f"{n}-{i}", "prompt": f"{prompt} {n}", "response": response}
        for n in range(4)
        for i, (prompt, response) in enumerate(CAPITALS)
    ]
)


def train(project, folder, execution, quiet, **more):
    out = folder / "out"
    out.mkdir(parents=True)
    remember = Remember(ROWS.head(4), folder=folder / "memory")
    result = train_adapter(
        more.pop("rows", ROWS),
        more.pop("adapter", SHORT),
        BASE,
        execution,
        project,
        out,
        folder / "checkpoints",
        17,
        quiet,
        remember=remember,
        **more,
    )
    return result, load_file(out / "adapter_model.safetensors")


def alike(one, two):
    return one.keys() == two.keys() and all(torch.allclose(one[k], two[k], atol=1e-4) for k in one)


@pytest.mark.slow
def test_two_processes_end_where_one_does_also_in_an_update(project, tmp_path, quiet):
    alone, first = train(project, tmp_path / "1", ONE, quiet)
    often = SHORT.model_copy(update={"checkpoint_every_s": 1e-9})
    together, second = train(project, tmp_path / "2", TWO, quiet, adapter=often)
    assert (alone.processes, together.processes) == (1, 2)
    assert together.steps == alone.steps == 5
    assert together.losses == pytest.approx(alone.losses, abs=1e-3)
    assert alike(first, second)
    assert "training in 2 processes" in quiet.lines
    assert any("in each process" in line for line in quiet.lines)
    log = json.loads((tmp_path / "2" / "out" / "training_log.json").read_text())
    assert log["losses"] == together.losses

    # On from there: penalty, its scale, and replayed rows, dealt out in the same way.
    memory = load_memory(tmp_path / "1" / "memory")
    update = Update("v0001", memory, ROWS.head(3), 2.0, 0.5, 2)
    new = ROWS.with_columns(response=pl.lit("Dodoma"))
    alone, first = train(project, tmp_path / "3", ONE, quiet, rows=new, update=update)
    together, second = train(project, tmp_path / "4", TWO, quiet, rows=new, update=update)
    assert together.replay_losses == pytest.approx(alone.replay_losses, abs=1e-3)
    assert together.fisher_scale == pytest.approx(alone.fisher_scale, rel=1e-2)
    assert together.penalties == pytest.approx(alone.penalties, abs=1e-3)
    assert alike(first, second)


@pytest.mark.slow
def test_what_stops_one_process_is_told(project, tmp_path, quiet):
    wild = SHORT.model_copy(update={"learning_rate": 1.0, "epochs": 40})
    with pytest.raises(TrainingError, match=r"stopped the training: .*lower adapter\.learning_r"):
        train(project, tmp_path, TWO, quiet, adapter=wild)
    assert not list((tmp_path / "out").iterdir())


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(parallel, "place", lambda execution: "cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(TrainingError, match="received 2, and this machine has 1 GPUs"):
        parallel.train_together({}, TWO, lambda text: None)


def test_one_way_of_spreading_at_a_time():
    settings = {"languages": {"targets": ["sw"]}}
    spread = {"execution": {"processes": 2, "device": "sharded"}}
    with pytest.raises(ValueError, match="use one or the other"):
        Project.model_validate(settings | spread)
