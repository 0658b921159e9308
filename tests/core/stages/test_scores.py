import polars as pl

from compass_core import layout, records
from compass_core.config.schema import Project
from compass_core.stages.scores import summarise_scores
from compass_core.storage import Store
from compass_core.workspace import Workspace


def rows(suite, model, answers):
    return [
        dict.fromkeys(records.SCORES)
        | {
            "language": "sw",
            "suite": suite,
            "item_id": str(i),
            "model": model,
            "adapter_version": "v0001" if model == "adapter" else None,
            "correct": extracted == "A",
            "response": response,
            "extracted": extracted,
            "predicted": None if response else 0,
        }
        for i, (response, extracted) in enumerate(answers)
    ]


def test_failed_extractions_are_counted_of_what_was_generated(tmp_path):
    settings = Project.model_validate({"languages": {"targets": ["sw"]}})
    ws = Workspace(tmp_path, settings, settings, Store(tmp_path / "store"))
    found = [
        *rows("prox", "base", [("?", None), ("?", None), ("B", "B"), ("A", "A")]),
        *rows("prox", "adapter", [("A", "A"), ("?", None), ("A", "A"), ("A", "A")]),
        *rows("mmlu", "base", [(None, None)] * 2),
        *rows("mmlu", "adapter", [(None, None)] * 2),
    ]
    frame = pl.DataFrame(found, schema=records.SCORES)
    ws.store.write_parquet(layout.scores("sw", "v0001"), frame)
    summary, table, _ = summarise_scores(ws, "sw", "v0001")
    failed = {
        (row["suite"], row["model"]): (row["no_answer_found"], row["no_answer_percent"])
        for row in table.to_dicts()
    }
    assert failed == {
        ("prox", "base"): (2, 50.0),
        ("prox", "v0001"): (1, 25.0),
        ("mmlu", "base"): (0, None),
        ("mmlu", "v0001"): (0, None),
        ("all suites", "base"): (2, 50.0),
        ("all suites", "v0001"): (1, 25.0),
    }
    assert summary["items"] == 6
