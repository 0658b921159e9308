"""Model steps in a real child process: killed, retried, resumed; progress in the run's log."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import dagster as dg
import psutil
import pytest

from compass_assets.build import build_defs
from compass_assets.worker import run
from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def workers():
    """Child processes of this one that run a model task."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "compass_assets.worker" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_first_child():
    """Kill the first worker that appears, once; returns the thread and what it killed."""
    killed = []

    def hunt():
        for _ in range(600):
            for process in workers():
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=hunt)
    thread.start()
    return thread, killed


PARENT = """
import subprocess, sys, time
child = "import time; from compass_assets.worker import end_with_parent; end_with_parent()"
made = subprocess.Popen([sys.executable, "-c", child + "; print('up', flush=True); time.sleep(60)"])
print(made.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_the_process_that_started_it():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    lines = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
    (pid,) = (int(line) for line in lines if line != "up")
    assert "up" in lines
    child = psutil.Process(pid)
    parent.kill()
    parent.wait()
    child.wait(timeout=30)


@pytest.mark.slow
def test_a_killed_child_is_seen_and_its_step_is_tried_again(bench):
    defs = build_defs(bench.loaded)  # with the real Pipes client
    (bench.directory / "data/corpora/training/sw/more.jsonl").write_text(
        '{"prompt": "Ng\'ombe anakula nini?", "response": "majani"}\n', encoding="utf-8"
    )
    assert bench.run("bootstrap_language", "sw", ["training_corpus"]).success
    thread, killed = kill_first_child()
    done = defs.resolve_job_def("bootstrap_language").execute_in_process(
        instance=bench.instance,
        partition_key="sw",
        asset_selection=[dg.AssetKey("training_embeddings")],
        run_config=QUIET,
        raise_on_error=False,
    )
    thread.join()
    assert killed
    assert done.success
    kinds = [event.event_type_value for event in done.all_events]
    assert "STEP_UP_FOR_RETRY" in kinds
    ws = bench.ws
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    rows = ws.store.read_parquet("corpora/training/sw.parquet")
    vectors = VectorStore(ws.store)
    assert not len(vectors.missing("training", fingerprint, rows["content_hash"]))
    log = [e.user_message for e in bench.instance.all_logs(done.run_id)]
    assert any("texts encoded" in text for text in log)


def test_only_new_texts_are_encoded(bench):
    """One more row among many: one text is encoded, the rest is there."""
    before = bench.ws.manifests.require("training_embeddings", "sw").facts["texts"]
    (bench.directory / "data/corpora/training/sw/more.jsonl").write_text(
        '{"prompt": "Samaki wanauzwa wapi leo?", "response": "sokoni"}\n', encoding="utf-8"
    )
    assert bench.run("bootstrap_language", "sw", ["training_corpus", "training_embeddings"]).success
    facts = bench.ws.manifests.require("training_embeddings", "sw").facts
    assert (facts["texts"], facts["encoded"]) == (before + 1, 1)


def test_nothing_new_starts_no_child(bench):
    bench.pipes.tasks.clear()
    chain = ["training_embeddings", "usage_embeddings"]
    assert bench.run("bootstrap_language", "sw", chain).success
    assert bench.pipes.tasks == []


def test_a_child_without_a_result_is_an_error(bench):
    class Mute:
        def run(self, **_):
            return self

        def get_custom_messages(self):
            return ["something else"]

    defs = build_defs(bench.loaded, {"pipes": Mute()})
    done = defs.resolve_job_def("bootstrap_language").execute_in_process(
        instance=bench.instance,
        partition_key="sw",
        asset_selection=[dg.AssetKey("benchmark_scores")],
        run_config=QUIET,
        raise_on_error=False,
        tags={"dagster/max_retries": "0"},
    )
    assert not done.success
    assert "without a result" in str(done.get_step_failure_events()[0].step_failure_data.error)


def test_an_unknown_task_is_refused_by_name(bench):
    asked = {
        "task": "translate",
        "arguments": {},
        "project_file": str(bench.loaded.file),
        "overrides": {},
        "threads": None,
    }
    with pytest.raises(ValueError, match="'translate' received; allowed: encode"):
        run(SimpleNamespace(extras=asked))


@pytest.mark.slow
def test_a_killed_materialize_resumes_without_encoding_again(empty_bench):
    """SIGKILL in the middle of the command line's run; the second run finishes the rest."""
    directory = empty_bench.directory
    (directory / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    command = [sys.executable, "-W", "ignore", "-m", "compass_assets.cli", "materialize"]
    environment = {**os.environ, "COMPASS_PROJECT": str(directory)}
    first = subprocess.Popen(
        [*command, "--language", "sw"],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert first.stdout is not None
    for line in first.stdout:
        if "encode_backlog" in line or "auxiliary_embeddings" in line:
            break
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    ws = empty_bench.ws
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    vectors = VectorStore(ws.store)
    encoded = vectors.count("auxiliary", fingerprint)
    assert encoded > 0
    again = subprocess.run(
        [*command, "--language", "sw"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert vectors.count("auxiliary", fingerprint) == encoded
    keys = vectors.keys("auxiliary", fingerprint)
    assert keys.n_unique() == len(keys)
    assert ws.staleness().status("adapter", "sw").state == "fresh"
