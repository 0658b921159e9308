"""Clusters of a language from refit to refit, on a store made by hand and vectors of our own."""

import numpy as np
import polars as pl
import pytest

from compass_core import layout, records
from compass_core.config.schema import Project
from compass_core.stages import clusters as stage
from compass_core.storage import Store
from compass_core.workspace import Workspace

ROWS, D = 240, 16


def opened(folder, store, k):
    settings = Project.model_validate(
        {
            "languages": {"targets": ["sw"]},
            "embedder": {"model": "models/embedder"},
            "clusters": {"method": "kmeans", "k_min": k, "k_max": k, "k_steps": 1},
        }
    )
    return Workspace(folder, settings, settings, store)


@pytest.fixture
def with_k(project, tmp_path, monkeypatch):
    """Workspaces over one store with 240 prompts about four things, cut into as many as asked."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, D))
    vectors = centres[np.arange(ROWS) % 4] + 0.3 * rng.normal(size=(ROWS, D))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    monkeypatch.setattr(stage, "vectors_of", lambda ws, role, rows: vectors[: rows.height])
    rows = [
        dict.fromkeys(records.USAGE)
        | {"row_id": f"u{i:04d}", "language": "sw", "prompt": f"swali {i}", "content_hash": f"u{i}"}
        for i in range(ROWS)
    ]
    store = Store(tmp_path / "store")
    store.write_parquet(
        layout.usage_day("sw", "2026-01-02"), pl.DataFrame(rows, schema=records.USAGE)
    )
    store.write_json(layout.window("sw"), {"days": {"2026-01-02": "v"}})
    store.write_json(layout.catalogue("sw"), {"pools": {}})
    store.write_parquet(layout.corpus("training", "sw"), records.empty(records.TEXT))
    return lambda k: opened(project, store, k)


def test_no_id_is_given_twice_where_settings_are_changed_and_changed_back(with_k):
    given: set[int] = set()
    version, k = None, 4
    for k in (4, 6, 4, 5):
        found = stage.cluster_language(with_k(k), "sw", version, lambda text: None)
        new = {e["id"] for e in found.model.events if e["what"] in ("new", "split")}
        assert not new & given
        given |= set(found.model.cluster_ids.tolist())
        version = found.model.version
    assert len(given) > 6  # or nothing was given after ids were gone


def test_a_model_that_is_kept_can_be_loaded_by_its_version(with_k):
    ws = with_k(4)
    first = stage.cluster_language(ws, "sw", None, lambda text: None).model
    stored = ws.store.local_path(layout.cluster_model("sw", first.version))
    stored.rename(stored.with_name("an-older-version"))
    kept = stage.cluster_language(ws, "sw", "an-older-version", lambda text: None)
    assert kept.reason is None
    assert stage.load_model(ws, "sw", kept.model.version).next_id == first.next_id
