"""Updating, promoting and rolling back, as a person or a sensor meets them."""

import json
import re
import shutil
from datetime import date

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from compass_assets.cli.main import app
from compass_core import layout
from compass_core.adapters.registry import (
    adapter_dir,
    lineage,
    memory_dir,
    promotions,
    serving,
    versions,
)
from compass_core.adapters.terms import PENALTY, REPLAY, TASK, loss_terms
from compass_core.stages.gate import CHECKS
from compass_core.stages.retention import forgetting_history
from compass_core.warehouse import catalogue_path, query
from compass_core.world.generate import write_log_day

pytestmark = pytest.mark.slow  # it trains, updates and promotes several versions

NEW_USAGE = {"telecom": 1, "elections": 3, "energy": 2}
BEFORE_TRAINING = ["usage_embeddings", "semantic_clusters", "cluster_assignments"]
LENIENT = {"promotion": {"margin_points": 100, "forgetting_share": 1.0}}


def shift(bench):
    for day in (1, 2, 3):
        write_log_day(
            bench.directory / "data", "sw", date(2026, 2, day), seed=5, prompts=30, usage=NEW_USAGE
        )
    assert bench.ingest_logs("sw").success
    assert bench.run("bootstrap_language", "sw", BEFORE_TRAINING).success


def update(bench, **override):
    resources = {"project": {"config": {"override": {**LENIENT, **override}}}}
    return bench.run("update_adapter", "sw", resources=resources)


def learnt(bench, version):
    folder = memory_dir(bench.ws.store, "sw", version)
    return pl.read_parquet(folder / "history.parquet")


def newest(bench):
    return versions(bench.ws.store, "sw").row(-1, named=True)


def agreed(bench):
    """The version that serves, by the registry, the manifest, the event and the view alike."""
    ws = bench.ws
    now = serving(ws.store, "sw")
    manifest = ws.manifests.require("promoted_adapter", "sw")
    record = bench.instance.get_latest_data_version_record(
        dg.AssetKey("promoted_adapter"), False, "sw"
    )
    rows = query(
        catalogue_path(ws.store, ws.directory),
        "SELECT version FROM adapters WHERE language = 'sw' AND status = 'serving'",
    )
    assert manifest.facts["serving"] == manifest.data_version == now
    event = record.event_log_entry.asset_materialization
    assert event.tags["dagster/data_version"] == now
    assert rows["version"].to_list() == [now]
    return now


def test_an_update_goes_on_from_what_serves_and_is_fresh_on_all_that_it_has_seen(bench):
    shift(bench)
    before = learnt(bench, "v0001")
    done = update(bench)
    assert done.success
    made = newest(bench)
    assert (made["version"], made["parent"], made["training_mode"]) == ("v0002", "v0001", "ecda")
    record = lineage(bench.ws.store, "sw", "v0002")
    assert record["continual"]["lambda_"] == 2.0
    assert record["replay_clusters"] > 0
    # Fresh, and rightly: every row of the set has been learnt or is held out, here or before.
    assert bench.core_states()["sw"] == bench.dagster_state("adapter", "sw") == "fresh"
    rows = bench.ws.store.read_parquet(layout.training_set("sw", "parquet"))
    after = learnt(bench, "v0002")
    assert not rows.join(after, on=["row_id", "prompt", "response"], how="anti").height
    assert not before.join(after, on=["row_id", "prompt", "response"], how="anti").height
    new = after.filter(~pl.col("held")).join(before, on="row_id", how="anti").height
    assert made["training_rows"] == new < rows.height
    # What was held out stays so, and forgetting is measured on it.
    kept = before.filter("held").join(after, on="row_id", suffix="_after")
    assert kept["held_after"].all()
    found = {e.check_name: e for e in done.get_asset_check_evaluations()}
    assert set(CHECKS) <= set(found)
    assert "held-out rows" in found["forgetting_gate"].description
    assert found["logits_differ"].metadata["figure"].value > 1e-6
    # The passes after the training say how far they are, too: the last line of each is the end.
    said = "\n".join(entry.user_message for entry in bench.instance.all_logs(done.run_id))
    assert re.search(r"Fisher information: (\d+) of \1 examples$", said, re.MULTILINE)
    scored = r"sw, earlier usage: (\d+) of \1 held-out examples scored, v0002$"
    assert re.search(scored, said, re.MULTILINE)

    # What a person sees of it: three terms of the loss, and what was forgotten, also later on.
    log = json.loads((adapter_dir(bench.ws.store, "sw", "v0002") / "training_log.json").read_text())
    assert list(loss_terms(log, record["continual"]["beta"])) == [TASK, PENALTY, REPLAY]
    forgot = forgetting_history(bench.ws, "sw")
    assert forgot.select("version", "reference").rows() == [("v0002", "v0001")]
    assert forgot["rise"][0] == pytest.approx(found["forgetting_gate"].metadata["figure"].value)
    assert agreed(bench) == "v0002"
    assert bench.run("evaluate", "sw").success
    assert forgetting_history(bench.ws, "sw").equals(forgot)

    # The same run again: nothing is new, so it trains from zero and says so.
    assert update(bench).success
    assert newest(bench)["training_mode"] == "full"
    assert "no row of the training set is new" in newest(bench)["training_reason"]


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ({"adapter": {"rank": 2}}, "its rank is 4, the project's is 2"),
        ({"continual": {"mode": "full"}}, "as asked for"),
    ],
)
def test_what_cannot_be_updated_is_trained_from_zero_and_says_why(bench, override, reason):
    shift(bench)
    done = update(bench, **override)
    assert done.success
    assert newest(bench)["parent"] is None
    assert reason in newest(bench)["training_reason"]
    event = next(
        e for e in done.get_asset_materialization_events() if str(e.asset_key.path[-1]) == "adapter"
    )
    metadata = event.step_materialization_data.materialization.metadata
    assert reason in metadata["training_reason"].value


def test_another_base_model_is_trained_from_zero_and_says_so(bench):
    shift(bench)
    other = bench.directory / "other-base"
    shutil.copytree(bench.ws.project.base_model.model, other)
    assert update(bench, base_model={"model": str(other)}).success
    made = newest(bench)
    assert (made["training_mode"], made["parent"]) == ("full", None)
    assert "its base model is" in made["training_reason"]
    assert str(other) in made["training_reason"]


def test_rows_that_left_the_corpus_are_not_carried_on(bench):
    shift(bench)
    path = bench.directory / "data/corpora/training/sw/part-000.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    chain = ["training_corpus", "training_embeddings", *BEFORE_TRAINING]
    assert bench.run("bootstrap_language", "sw", chain).success
    assert update(bench).success
    assert newest(bench)["training_mode"] == "full"
    assert "left the corpora" in newest(bench)["training_reason"]


def test_a_training_that_explodes_is_not_tried_again_and_changes_nothing(bench, monkeypatch):
    from compass_core.adapters import loop

    real = loop.row_losses
    monkeypatch.setattr(loop, "row_losses", lambda model, batch: real(model, batch) * float("nan"))
    bench.pipes.tasks.clear()
    done = bench.run("retrain", "sw")
    assert not done.success
    assert bench.pipes.tasks == ["train"]
    failure = done.get_step_failure_events()[0].step_failure_data
    text = f"{failure.user_failure_data} {failure.error}"
    assert "loss is nan at step 1" in text
    assert "v0001 serves as before" in text
    assert versions(bench.ws.store, "sw").height == 1
    assert agreed(bench) == "v0001"


def test_promote_and_roll_back_leave_no_stale_word_anywhere(bench, monkeypatch):
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.directory))
    bench.reload(**{"{epochs: 1": "{learning_rate: 0.01, epochs: 1"})
    strict = {"promotion": {"margin_points": 0, "forgetting_share": 0.0}}
    resources = {"project": {"config": {"override": strict}}}

    def by_hand(job, **config):
        ops = {f"{job}_op": {"config": {"language": "sw", **config}}}
        return bench.run(job, ops=ops, resources=resources)

    # Another version, and a benchmark item that turns out to be among what it has learnt.
    trained = ["gap_report", "sampled_training_set", "adapter"]
    assert bench.run("bootstrap_language", "sw", trained).success
    _ask_what_was_learnt(bench, "v0002")
    assert bench.run("bootstrap_language", "sw", ["benchmark_items"]).success
    assert bench.run("evaluate", "sw").success
    assert newest(bench)["version"] == "v0002"
    assert agreed(bench) == "v0001"
    refused = by_hand("promote_adapter", version="v0002")
    assert not refused.success
    text = str(refused.get_step_failure_events()[0].step_failure_data)
    assert "no_contamination" in text
    assert not by_hand("promote_adapter", version="v0002", force=True).success
    assert agreed(bench) == "v0001"
    forced = by_hand("promote_adapter", version="v0002", force=True, reason="known overlap")
    assert forced.success
    assert agreed(bench) == "v0002"
    assert promotions(bench.ws.store, "sw").row(-1, named=True)["forced"]
    assert by_hand("rollback_adapter", reason="wrong units").success
    assert agreed(bench) == "v0001"
    assert bench.dagster_state("promoted_adapter", "sw") == "fresh"
    # It does not come back by itself.
    assert bench.run("evaluate", "sw").success
    assert agreed(bench) == "v0001"
    compared = CliRunner().invoke(app, ["compare", "sw", "v0001", "v0002", "--json"])
    assert compared.exit_code == 0, repr(compared.exception)
    found = json.loads(compared.output)
    assert found["items"] > 0
    assert "adapter_settings" in found["lineage_differs"]
    views = query(
        catalogue_path(bench.ws.store, bench.ws.directory),
        "SELECT action, reason FROM promotions WHERE language = 'sw' ORDER BY changed_at",
    )
    assert views["reason"].to_list()[1:] == ["known overlap", "wrong units"]


def _ask_what_was_learnt(bench, version):
    row = learnt(bench, version).filter(~pl.col("held")).row(0, named=True)
    item = {
        "id": "learnt",
        "question": row["prompt"],
        "choices": [row["response"], "w", "x", "y"],
        "answer": 0,
        "subject": "farming",
    }
    path = bench.directory / "data/benchmarks/world_qa/sw/test.jsonl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + json.dumps(item, ensure_ascii=False) + "\n", encoding="utf-8")


def test_what_serves_is_scored_again_where_the_items_have_changed(bench):
    bench.reload(**{"{epochs: 1": "{learning_rate: 0.01, epochs: 1"})
    trained = ["gap_report", "sampled_training_set", "adapter"]
    assert bench.run("bootstrap_language", "sw", trained).success
    path = bench.directory / "data/benchmarks/world_qa/sw/test.jsonl"
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps({**item, "id": f"new-{n}"}) + "\n" for n, item in enumerate(items)]
    path.write_text("".join(lines), encoding="utf-8")
    assert bench.run("bootstrap_language", "sw", ["benchmark_items"]).success
    bench.pipes.tasks.clear()
    done = bench.run("evaluate", "sw")
    assert done.success
    assert bench.pipes.tasks == ["score", "score"]
    gate = next(
        e for e in done.get_asset_check_evaluations() if e.check_name == "benchmark_gate"
    ).metadata
    assert (gate["reference"].value, gate["items"].value) == ("v0001", len(items))
    assert bench.run("evaluate", "sw").success
    assert len(bench.pipes.tasks) == 3
