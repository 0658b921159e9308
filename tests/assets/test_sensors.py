"""The log sensor: any order, late, twice, half-written, empty; restarts and replays."""

import json
import os
import time

import dagster as dg
import pytest

from compass_assets.sensors import (
    BATCH_TAG,
    FETCH_JOB,
    MAX_TRIES,
    look_for_corpora,
    look_for_logs,
    watch_sync,
)


def line(day, text, identity):
    row = {"id": identity, "timestamp": f"{day}T08:00:00Z", "text": text, "user": "u"}
    return json.dumps(row, ensure_ascii=False) + "\n"


def write(bench, name, content, language="sw", age_s=60.0):
    path = bench.directory / "data" / "logs" / language / name
    path.write_text(content)
    stamp = time.time() - age_s
    os.utime(path, (stamp, stamp))
    return path


def requests(answer):
    return list(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else []


def reason(answer):
    return answer.skip_message if isinstance(answer, dg.SkipReason) else ""


def take(bench, answer):
    """Start what a tick asked for, with the tags and the run key's effect of the daemon."""
    for request in requests(answer):
        done = bench.defs.resolve_job_def(request.job_name or "ingest_logs").execute_in_process(
            instance=bench.instance,
            run_config={
                **request.run_config,
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            tags=dict(request.tags),
            partition_key=request.partition_key,
            raise_on_error=False,
        )
        yield done


def test_nothing_new_is_a_skip_that_says_what_was_seen(bench):
    answer = look_for_logs(bench.instance, bench.ws)
    assert not requests(answer)
    assert "sw: 30 files taken" in reason(answer)


def test_a_new_file_is_taken_exactly_once(bench):
    write(bench, "2026-01-31.jsonl", line("2026-01-31", "bei ya kahawa", "a"))
    answer = look_for_logs(bench.instance, bench.ws)
    assert [r.tags["compass/language"] for r in requests(answer)] == ["sw"]
    replayed = look_for_logs(bench.instance, bench.ws)  # the daemon died before it stored the tick
    assert [r.run_key for r in requests(replayed)] == [r.run_key for r in requests(answer)]
    assert all(done.success for done in take(bench, answer))
    assert not requests(look_for_logs(bench.instance, bench.ws))
    book = bench.ws.store.read_json("corpora/usage/sw/days.json")
    assert book["2026-01-31"]["rows"] == 1


def test_the_same_file_under_another_name_delivers_nothing_twice(bench):
    content = line("2026-01-31", "bei ya kahawa", "a")
    write(bench, "first.jsonl", content)
    assert all(d.success for d in take(bench, look_for_logs(bench.instance, bench.ws)))
    write(bench, "second.jsonl", content)
    assert not requests(look_for_logs(bench.instance, bench.ws))
    assert bench.ws.store.read_json("corpora/usage/sw/days.json")["2026-01-31"]["rows"] == 1


def test_half_written_empty_and_temporary_files_wait(bench):
    write(bench, "half.jsonl", line("2026-01-31", "habari", "a") + '{"id": "b", "timest')
    write(bench, "empty.jsonl", "")
    write(bench, "upload.jsonl.part", line("2026-01-31", "x", "c"))
    answer = look_for_logs(bench.instance, bench.ws)
    assert not requests(answer)
    assert "half.jsonl (incomplete)" in reason(answer)
    assert "empty.jsonl (empty)" in reason(answer)
    assert "upload" not in reason(answer)
    write(bench, "half.jsonl", line("2026-01-31", "habari", "a") + line("2026-01-31", "mvua", "b"))
    answer = look_for_logs(bench.instance, bench.ws)
    assert len(requests(answer)) == 1


def test_a_broken_end_is_taken_in_the_end_and_quarantined(bench):
    broken = line("2026-01-31", "habari", "a") + '{"id": "b", "timest'
    write(bench, "half.jsonl", broken, age_s=7200)
    assert all(d.success for d in take(bench, look_for_logs(bench.instance, bench.ws)))
    book = bench.ws.store.read_json("corpora/usage/sw/days.json")
    assert book["2026-01-31"]["rows"] == 1


def test_order_of_arrival_does_not_matter(bench):
    """Late, back-dated and unordered files give the same day versions."""
    versions = []
    files = {
        "b.jsonl": line("2026-02-02", "pili", "b") + line("2026-02-01", "kwanza", "a"),
        "c.jsonl": line("2026-02-01", "tatu", "c"),
    }
    store = bench.ws.store
    for order in (["b.jsonl", "c.jsonl"], ["c.jsonl", "b.jsonl"]):
        for name in order:
            write(bench, name, files[name], language="hi" if order[0] == "c.jsonl" else "sw")
            assert all(d.success for d in take(bench, look_for_logs(bench.instance, bench.ws)))
        language = "hi" if order[0] == "c.jsonl" else "sw"
        book = store.read_json(f"corpora/usage/{language}/days.json")
        versions.append({day: book[day]["rows"] for day in ("2026-02-01", "2026-02-02")})
    assert versions[0] == versions[1] == {"2026-02-01": 2, "2026-02-02": 1}


def test_a_file_that_grows_is_taken_again_and_replaces_itself(bench):
    write(bench, "day.jsonl", line("2026-01-31", "moja", "a"))
    assert all(d.success for d in take(bench, look_for_logs(bench.instance, bench.ws)))
    write(bench, "day.jsonl", line("2026-01-31", "moja", "a") + line("2026-01-31", "mbili", "b"))
    assert all(d.success for d in take(bench, look_for_logs(bench.instance, bench.ws)))
    assert bench.ws.store.read_json("corpora/usage/sw/days.json")["2026-01-31"]["rows"] == 2


def test_a_failed_run_is_tried_again_with_another_key_and_then_given_up(bench, monkeypatch):
    write(bench, "day.jsonl", line("2026-01-31", "moja", "a"))

    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("compass_assets.assets.logs.ingest_pending", broken)
    keys = []
    for _ in range(MAX_TRIES):
        answer = look_for_logs(bench.instance, bench.ws)
        keys += [r.run_key for r in requests(answer)]
        assert not any(d.success for d in take(bench, answer))
    assert len(set(keys)) == MAX_TRIES
    answer = look_for_logs(bench.instance, bench.ws)
    assert not requests(answer)
    assert f"failed {MAX_TRIES} times" in reason(answer)


def test_a_batch_on_its_way_is_not_requested_again(bench):
    write(bench, "day.jsonl", line("2026-01-31", "moja", "a"))
    request = requests(look_for_logs(bench.instance, bench.ws))[0]
    bench.instance.create_run_for_job(
        bench.defs.resolve_job_def("ingest_logs"),
        run_config=request.run_config,
        tags={BATCH_TAG: request.tags[BATCH_TAG]},
        status=dg.DagsterRunStatus.STARTED,
    )
    answer = look_for_logs(bench.instance, bench.ws)
    assert not requests(answer)
    assert "its run is on its way" in reason(answer)


@pytest.mark.parametrize("name", ["..", "xx-nolang", "klingon"])
def test_a_folder_that_is_no_language_is_named_and_breaks_nothing(bench, name):
    if name != "..":
        (bench.directory / "data" / "logs" / name).mkdir()
    (bench.directory / "data" / "corpora" / "auxiliary" / "notes.txt").write_text("x")
    answer = look_for_logs(bench.instance, bench.ws)
    assert not requests(answer)
    if name != "..":
        assert name in reason(answer)


def test_a_new_pool_language_is_registered_and_read(bench):
    folder = bench.directory / "data" / "corpora" / "auxiliary" / "amh_Ethi"
    folder.mkdir()
    row = {"prompt": "ስለ ቡና ንገረኝ", "response": "ቡና", "source": "t", "license": "CC0-1.0"}
    (folder / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
    answer = look_for_corpora(bench.instance, bench.ws)
    assert [(r.job_name, r.partition_key) for r in requests(answer)] == [("ingest_auxiliary", "am")]
    added = answer.dynamic_partitions_requests
    assert [list(request.partition_keys) for request in added] == [["am"]]
    bench.instance.add_dynamic_partitions("auxiliary_language", ["am"])
    assert all(done.success for done in take(bench, answer))
    assert not requests(look_for_corpora(bench.instance, bench.ws))


def test_the_in_sync_check_is_reported_when_its_answer_changes(bench):
    first = watch_sync(bench.instance, bench.ws, None)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(watch_sync(bench.instance, bench.ws, first.cursor), dg.SkipReason)
    bench.reload(**{"rank: 4": "rank: 8"})
    second = watch_sync(bench.instance, bench.ws, first.cursor)
    assert isinstance(second, dg.SensorResult)
    assert bench.check_table() == {"sw": "stale", "hi": "stale", "ar": "stale"}


def test_a_corpus_that_the_project_file_names_is_fetched_once_by_a_run_of_its_own(bench):
    datasets = pytest.importorskip("datasets")
    copy = bench.directory / "aya_dataset"
    rows = [{"inputs": "Mji mkuu wa Kenya ni upi?", "targets": "Nairobi.", "language_code": "swh"}]
    datasets.Dataset.from_list(rows).to_parquet(str(copy / "data" / "train.parquet"))
    with bench.loaded.file.open("a") as project:
        project.write("corpora: [{name: aya, role: training, dataset: aya_dataset}]\n")
    bench.reload()
    answer = look_for_corpora(bench.instance, bench.ws)
    fetching = [r for r in requests(answer) if r.job_name == FETCH_JOB]
    assert len(fetching) == 1
    replayed = look_for_corpora(bench.instance, bench.ws)
    assert fetching[0].run_key in {r.run_key for r in requests(replayed)}
    assert [done.success for done in take(bench, dg.SensorResult(run_requests=fetching))] == [True]
    # What was fetched is a changed source now, and nothing waits to be fetched.
    after = requests(look_for_corpora(bench.instance, bench.ws))
    assert {(r.job_name, r.partition_key) for r in after} == {("ingest_training", "sw")}
