"""The whole graph with its store in a bucket: nothing of a run needs a local folder to stay."""

import shutil

import pytest

from compass_core import layout

NEW = '{"timestamp": "2026-02-03T09:00:00Z", "text": "bei ya mahindi ni ngapi leo", "user": "u"}\n'


@pytest.mark.slow
def test_the_graph_runs_in_a_bucket_and_a_log_marks_its_language(empty_bench, bucket):
    bench = empty_bench
    bench.reload(
        **{
            "name: tiny": f"name: tiny\nstore: {bucket}/graph",
            "targets: [sw, hi, ar]": "targets: [sw, ar]",
            "ar: [ar, en]": "ar: [ar, sw]\n    sw: [sw, id]",
        }
    )
    for pool in ("bn", "en", "hi", "ja", "pt", "th"):  # a request a file takes its time here
        shutil.rmtree(bench.directory / "data" / "corpora" / "auxiliary" / pool)
    bench.runner().materialize()
    assert bench.ws.store.exists(layout.training_set("sw", "parquet"))
    assert bench.core_states() == {"sw": "fresh", "ar": "fresh"}
    scores = bench.query("SELECT DISTINCT language, model FROM scores_summary ORDER BY ALL").rows()
    assert scores == [("ar", "adapter"), ("ar", "base"), ("sw", "adapter"), ("sw", "base")]
    assert bench.query("SELECT sum(gap) AS gap FROM gaps WHERE language = 'sw'")["gap"][0] > 0

    # Another machine has no local copies: everything comes from the bucket.
    for name in ("store", "cache"):
        shutil.rmtree(bench.directory / "data" / name, ignore_errors=True)
    (bench.directory / "data" / "logs" / "sw" / "new.jsonl").write_text(NEW, encoding="utf-8")
    assert bench.ingest_logs("sw").success
    assert bench.core_states() == {"sw": "stale", "ar": "fresh"}
    bench.runner().materialize(["sw"])
    assert bench.core_states() == {"sw": "fresh", "ar": "fresh"}
    versions = bench.query("SELECT version FROM adapters WHERE language = 'sw'")["version"]
    assert versions.sort().to_list() == ["v0001", "v0002"]
