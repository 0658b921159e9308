"""A workspace with trained adapters in its registry: v0001 LoRA (serves), v0002 DoRA."""

import polars as pl
import pytest

from compass_core import layout, records
from compass_core.adapters.registry import promote, publish
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution, Languages, Project
from compass_core.storage import Store
from compass_core.workspace import Workspace

ROWS = pl.DataFrame(
    [
        {"row_id": "1", "prompt": "Mji mkuu wa Kenya?", "response": "Nairobi"},
        {"row_id": "2", "prompt": "ما عاصمة مصر؟", "response": "القاهرة"},
    ]
)
LORA = Adapter(rank=12, alpha=24, epochs=20, batch_size=2, learning_rate=0.02, max_tokens=64)


@pytest.fixture(scope="module")
def ws(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    settings = Project(
        languages=Languages(targets=["sw"]),
        base_model=BaseModelSettings(model="models/llama"),
        execution=Execution(device="cpu", threads=1),
    )
    made = Workspace(project, settings, settings, Store(folder / "store"))
    for method in ("lora", "dora"):
        out = made.store.scratch_dir(method)
        result = train_adapter(
            ROWS,
            LORA.model_copy(update={"method": method}),
            settings.base_model,
            settings.execution,
            project,
            out,
            folder / method,
            17,
            lambda text: None,
            lineage={"language": "sw", "licences": {"CC-BY-4.0": 2}},
        )
        publish(made.store, "sw", out, {"weights_version": result.weights_version})
    promote(made.store, "sw", "v0001", "first")
    scored = [
        {
            "language": "sw",
            "suite": "capitals",
            "split": "test",
            "item_id": str(i),
            "subject": "",
            "model": model,
            "adapter_version": None if model == "base" else "v0001",
            "predicted": 0,
            "answer": 0,
            "correct": right,
            "margin": 1.0,
            "logliks": [-1.0, -2.0],
        }
        for model, wins in (("base", 1), ("adapter", 3))
        for i, right in enumerate([True] * wins + [False] * (4 - wins))
    ]
    frame = pl.DataFrame(scored, schema_overrides=records.SCORES)
    made.store.write_parquet(layout.scores("sw", "v0001"), frame)
    return made
