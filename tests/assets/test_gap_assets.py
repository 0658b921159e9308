"""What the gap report counts as held is what is trained on."""

import json

import dagster as dg
import numpy as np
import pytest

from compass_core.gaps.divergence import jsd_bits
from compass_core.stages import frames

CHAIN = ["training_corpus", "training_embeddings", "semantic_clusters", "cluster_assignments"]


def test_rows_of_the_corpus_that_hold_a_benchmark_item_are_not_held(bench):
    items = frames.benchmark_rows(bench.ws, "sw").filter(split="test").head(5).to_dicts()
    lines = [
        {"prompt": item["question"], "response": item["choices"][item["answer"]]} for item in items
    ]
    file = bench.directory / "data" / "corpora" / "training" / "sw" / "leaked.jsonl"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    before = bench.query("SELECT sum(training_rows)::INT AS n FROM gaps WHERE language = 'sw'")
    done = bench.run("bootstrap_language", "sw", [*CHAIN, "gap_report", "sampled_training_set"])
    assert done.success
    event = done.get_asset_materialization_events()
    shown = {e.asset_key.path[-1]: e.materialization.metadata for e in event}
    assert shown["gap_report"]["corpus_rows_with_benchmark_items"] == dg.MetadataValue.int(5)
    left_out = bench.query(
        "SELECT count(*) AS n FROM dropped WHERE language = 'sw' AND origin = 'training'"
    )
    assert left_out.item() == 5
    gaps = bench.query("SELECT * FROM gaps WHERE language = 'sw'")
    rows = bench.query("SELECT * FROM selections WHERE language = 'sw'")
    assert gaps["training_rows"].sum() == rows.filter(origin="training").height == before.item()
    into = dict(gaps.select("cluster_id", "merged_into").iter_rows())
    shares = dict.fromkeys(into, 0.0)
    for cluster, tokens in rows.select("cluster_id", "supervised_tokens").iter_rows():
        host = into.get(cluster)
        shares[cluster if host is None else host] += tokens
    found = jsd_bits(np.array(list(shares.values())), gaps["p_usage"].to_numpy())
    said = bench.query("SELECT jsd_bits_after FROM samples WHERE language = 'sw'")
    assert found == pytest.approx(said.item(), abs=1e-9)
