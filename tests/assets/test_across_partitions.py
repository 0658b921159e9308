"""Corpora that look into each other are read one after the other, training ones first."""

import contextlib
import json
import shutil

import pytest

from compass_assets.partitions import POOLS
from compass_assets.runner import Runner
from compass_assets.sensors import look_for_corpora
from tests.assets.test_sensors import reason, requests, take

SHARED = {"prompt": "Duka la samaki liko wapi?", "response": "Liko karibu na bandari."}


def put(bench, role, language, *rows):
    folder = bench.directory / "data/corpora" / role / language
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shared.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def prepare(bench):
    for folder in (bench.directory / "data/corpora").glob("*/*"):
        if folder.name not in ("ar", "en", "sw"):
            shutil.rmtree(folder)
    put(bench, "training", "sw", SHARED)
    for language in ("ar", "en", "sw"):
        put(bench, "auxiliary", language, SHARED, {**SHARED, "prompt": f"{language}: bei gani?"})


def kept(bench):
    """Partitions that hold the shared row."""
    found = []
    for role in ("training", "auxiliary"):
        for key in bench.ws.store.keys(f"corpora/{role}", ".parquet"):
            prompts = bench.ws.store.read_parquet(key)["prompt"].to_list()
            found += [key.removesuffix(".parquet")] * (SHARED["prompt"] in prompts)
    return found


@pytest.mark.parametrize("select", [None, ["auxiliary_corpus", "training_corpus"]])
def test_a_pool_is_compared_with_training_data_that_is_read_in_the_same_call(
    empty_bench, monkeypatch, select
):
    class Enough(Exception):
        """The corpora are read; what comes after them is not looked at here."""

    def stop(runner, targets):
        raise Enough

    monkeypatch.setattr(Runner, "_logs", stop)
    bench = empty_bench
    prepare(bench)
    override = {"cleaning": {"across_partitions": True}, "execution": {"parallel": 2}}
    with contextlib.suppress(Enough), bench.runner(override) as runner:
        runner.materialize(["sw"], select)
    assert kept(bench) == ["corpora/training/sw"]


def test_the_sensor_asks_for_one_after_the_other(empty_bench):
    bench = empty_bench
    prepare(bench)
    setting = "\ncleaning: {across_partitions: true}"
    bench.reload(**{"ingest: {settle_s: 0}": "ingest: {settle_s: 0}" + setting})
    asked = []
    for _ in range(12):
        answer = look_for_corpora(bench.instance, bench.ws)
        corpora = [r for r in requests(answer) if r.job_name != "ingest_benchmarks"]
        if not requests(answer):
            break
        assert len(corpora) <= 1
        asked += [(r.job_name, r.partition_key) for r in corpora]
        for added in answer.dynamic_partitions_requests or []:
            bench.instance.add_dynamic_partitions(POOLS, added.partition_keys)
        assert all(done.success for done in take(bench, answer))
    assert asked[:1] == [("ingest_training", "ar")]
    assert [job for job, _ in asked] == sorted((job for job, _ in asked), reverse=True)
    assert kept(bench) == ["corpora/training/sw"], reason(answer)
