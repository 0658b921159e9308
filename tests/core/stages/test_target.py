"""Test items must not shape what is sampled for them to score."""

from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from compass_core import layout, records
from compass_core.config.schema import Languages, Project, Usage
from compass_core.stages import frames
from compass_core.stages.models import texts_of
from compass_core.storage import Store
from compass_core.workspace import Workspace


def opened(folder: Path, splits: list[str], source: str) -> Workspace:
    project = Project(
        languages=Languages(targets=["sw"]), usage=Usage.model_validate({"source": source})
    )
    ws = Workspace(folder, project, project, Store(folder / "store"))
    items = [
        dict.fromkeys(records.BENCHMARK)
        | {
            "item_id": f"{split}-{i}",
            "language": "sw",
            "split": split,
            "question": f"swali la {split} {i}",
            "choices": ["a"],
            "content_hash": f"{split}-{i}",
        }
        for i, split in enumerate(splits)
    ]
    ws.store.write_parquet(layout.benchmark("sw"), pl.DataFrame(items, schema=records.BENCHMARK))
    ws.store.write_json(layout.window("sw"), {"days": {}})
    ws.store.write_json(layout.catalogue("sw"), {"pools": {}})
    ws.store.write_parquet(layout.corpus("training", "sw"), records.empty(records.TEXT))
    return ws


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(["dev", "test"]), max_size=12),
    st.sampled_from(["logs", "proxy", "blend"]),
)
def test_no_test_item_reaches_a_distribution_or_the_encoder(tmp_path_factory, splits, source):
    ws = opened(tmp_path_factory.mktemp("ws"), splits, source)
    rows = frames.role_rows(ws, "sw")
    everything = [row for frame in rows.values() for row in frame["row_id"]]
    dev = [f"dev-{i}" for i, split in enumerate(splits) if split == "dev"]
    assert sorted(everything) == sorted(dev if source != "logs" else [])
    assert not [h for h in texts_of(ws, "usage", "sw")["content_hash"] if h.startswith("test")]
