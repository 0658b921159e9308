"""The code location of docs/operations.md that runs models in pods, with a stand-in for pods."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest

from compass_core.embeddings.fingerprint import embedder_fingerprint
from compass_core.embeddings.vector_store import VectorStore

PAGE = Path(__file__).parent.parent.parent / "docs" / "operations.md"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Pods(dg.PipesClient):
    """As dagster_k8s.PipesK8sClient (0.29.27): the parameters of `run`, and what it refuses.

    A pod is a call of the worker's own code in this process, by `inside`.
    """

    inside: Any
    started: list[dict[str, Any]]

    def run(
        self,
        *,
        context,
        extras=None,
        image=None,
        command=None,
        namespace=None,
        env=None,
        base_pod_meta=None,
        base_pod_spec=None,
        ignore_containers=None,
        enable_multi_container_logs=False,
        pod_wait_timeout=86400.0,
        delete_pod_on_completion=True,
    ):
        containers = (base_pod_spec or {}).get("containers", [{}])
        if "image" not in containers[0] and not image:
            raise dg.DagsterInvariantViolationError(
                "Must specify image property or provide base_pod_spec with one set."
            )
        self.started.append({"command": command, "namespace": namespace, "spec": base_pod_spec})
        return self.inside.run(context=context, command=command, extras=extras, env=env)


@pytest.fixture
def pods(bench, monkeypatch):
    """The stand-in in the place of the package; pods run by the bench's own client."""
    module = ModuleType("dagster_k8s")
    kind = type("PipesK8sClient", (Pods,), {"inside": bench.pipes, "started": []})
    module.PipesK8sClient = kind
    monkeypatch.setitem(sys.modules, "dagster_k8s", module)
    monkeypatch.setenv("COMPASS_PROJECT", str(bench.loaded.file))
    return kind


def encode(bench, defs):
    (bench.directory / "data/corpora/training/sw/more.jsonl").write_text(
        '{"prompt": "Samaki wanauzwa wapi leo?", "response": "sokoni"}\n', encoding="utf-8"
    )
    return defs.resolve_job_def("bootstrap_language").execute_in_process(
        instance=bench.instance,
        partition_key="sw",
        asset_selection=[dg.AssetKey(a) for a in ("training_corpus", "training_embeddings")],
        run_config=QUIET,
        raise_on_error=False,
        tags={"dagster/max_retries": "0"},
    )


def test_the_location_of_the_page_runs_a_model_step_in_a_pod(bench, pods):
    (text,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.S | re.M)
    location: dict[str, Any] = {}
    exec(text, location)
    assert encode(bench, location["defs"]).success
    (pod,) = pods.started
    assert pod["command"] == ["python", "-m", "compass_assets.worker"]
    assert pod["namespace"] == "compass"
    (container,) = pod["spec"]["containers"]
    assert container["image"]
    mounted = {mount["name"] for mount in container["volume_mounts"]}
    assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}
    ws = bench.ws
    rows = ws.store.read_parquet("corpora/training/sw.parquet")
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    assert not len(VectorStore(ws.store).missing("training", fingerprint, rows["content_hash"]))


def test_the_bare_client_would_have_no_image(bench, pods):
    from compass_assets.build import build_defs

    done = encode(bench, build_defs(bench.loaded, {"pipes": pods()}))
    assert not done.success
    assert "Must specify image" in str(done.get_step_failure_events()[0].step_failure_data.error)
