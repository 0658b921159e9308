"""Titles by a language model, against a server of this process."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import polars as pl
import pytest

from compass_core.clusters.titles import GIVE_UP_AFTER, model_titles
from compass_core.config.schema import Clusters, Titles
from compass_core.storage import Store


class Model:
    """Answers chat completions with `answer(n)` for request n, and keeps what it was sent."""

    def __init__(self, answer):
        self.seen, self.headers = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.seen.append((self.path, body))
                outer.headers.append(dict(self.headers))
                status, text = answer(len(outer.seen))
                sent = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args): ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve():
    models = []

    def start(answer):
        models.append(Model(answer))
        return models[-1]

    yield start
    for model in models:
        model.close()


def clusters(count=5):
    return pl.DataFrame(
        {
            "cluster_id": list(range(count)),
            "title": [f"keyword {i}" for i in range(count)],
            "keywords": [[f"sw: neno{i}"] for i in range(count)],
            "exemplars": [[f"swali {i}?"] for i in range(count)],
        }
    )


def settings(model, **more):
    return Titles(endpoint=model.url, model="small", timeout_s=5, **more)


def test_titles_are_asked_for_once_and_kept(serve, tmp_path, quiet, monkeypatch):
    monkeypatch.setenv("COMPASS_TITLES_KEY", "k")
    model = serve(lambda n: (200, f'\n"**Maize prices {n}**".\nmore'))
    store = Store(tmp_path)
    frame, counts = model_titles(store, clusters(), settings(model), quiet)
    assert frame["title"].to_list() == [f"Maize prices {n}" for n in range(1, 6)]
    assert (counts.asked, counts.cached, counts.keywords) == (5, 0, 0)
    path, body = model.seen[0]
    assert path == "/v1/chat/completions"
    assert body["model"] == "small"
    assert "swali 0?" in body["messages"][0]["content"]
    assert model.headers[0]["Authorization"] == "Bearer k"
    again, counts = model_titles(store, clusters(), settings(model), quiet)
    assert again.equals(frame)
    assert (counts.asked, counts.cached) == (0, 5)
    assert len(model.seen) == 5
    changed = clusters().with_columns(
        pl.when(pl.col("cluster_id") == 2)
        .then(pl.lit(["other"]))
        .otherwise("exemplars")
        .alias("exemplars")
    )
    _, counts = model_titles(store, changed, settings(model), quiet)
    assert (counts.asked, counts.cached) == (1, 4)  # only the cluster whose content changed


def test_a_killed_run_goes_on_where_it_stopped(serve, tmp_path, quiet):
    class Killed(Store):
        """Dies after the second title was written."""

        def write_json(self, key, value):
            super().write_json(key, value)
            if len(self.keys("titles")) == 2:
                raise KeyboardInterrupt

    model = serve(lambda n: (200, f"Title {n}"))
    with pytest.raises(KeyboardInterrupt):
        model_titles(Killed(tmp_path), clusters(), settings(model), quiet)
    frame, counts = model_titles(Store(tmp_path), clusters(), settings(model), quiet)
    assert (counts.asked, counts.cached) == (3, 2)
    assert frame["title"].to_list() == [f"Title {n}" for n in range(1, 6)]


def test_a_failing_endpoint_leaves_the_keywords_and_says_so(serve, tmp_path, quiet):
    model = serve(lambda n: (200, "Weather") if n == 1 else (503, ""))
    store = Store(tmp_path)
    frame, counts = model_titles(store, clusters(8), settings(model), quiet)
    assert frame["title"].to_list() == ["Weather", *[f"keyword {i}" for i in range(1, 8)]]
    assert (counts.asked, counts.keywords) == (1, 7)
    assert len(model.seen) == 1 + GIVE_UP_AFTER  # no wait for every cluster of a dead endpoint
    assert "503" in counts.summary
    assert "7 left with their keywords" in quiet.lines[-1]
    healed = serve(lambda n: (200, f"Title {n}"))
    frame, counts = model_titles(store, clusters(8), settings(healed), quiet)
    assert (counts.asked, counts.cached, counts.keywords) == (7, 1, 0)


def test_an_answer_that_is_no_title_is_a_failure(serve, tmp_path, quiet):
    model = serve(lambda n: (200, ' "" '))
    frame, counts = model_titles(Store(tmp_path), clusters(1), settings(model), quiet)
    assert frame["title"].to_list() == ["keyword 0"]
    assert "holds no title" in str(counts.error)


def test_a_connection_that_is_cut_leaves_the_keywords_too(serve, tmp_path, quiet, monkeypatch):
    def cut(request, timeout):
        raise http.client.IncompleteRead(b'{"choices"', 100)

    monkeypatch.setattr("urllib.request.urlopen", cut)
    model = serve(lambda n: (200, "Weather"))
    frame, counts = model_titles(Store(tmp_path), clusters(1), settings(model), quiet)
    assert frame["title"].to_list() == ["keyword 0"]
    assert "IncompleteRead" in str(counts.error)


def test_what_a_model_thinks_aloud_is_no_title(serve, tmp_path, quiet):
    said = ["<think>\nThey ask of rain.\n</think>\n\nWeather", "<think>\nThey ask of"]
    model = serve(lambda n: (200, said[n - 1]))
    frame, counts = model_titles(Store(tmp_path), clusters(2), settings(model), quiet)
    assert frame["title"].to_list() == ["Weather", "keyword 1"]
    assert (counts.asked, counts.keywords) == (1, 1)


def test_two_clusters_never_share_a_title(serve, tmp_path, quiet):
    model = serve(lambda n: (200, "Weather"))
    frame, _ = model_titles(Store(tmp_path), clusters(2), settings(model), quiet)
    assert frame["title"].to_list() == ["Weather", "Weather (cluster 1)"]


def test_an_endpoint_needs_a_model_and_a_scheme():
    with pytest.raises(ValueError, match="model is empty"):
        Titles(endpoint="http://localhost:8000/v1")
    with pytest.raises(ValueError, match="no http"):
        Titles(endpoint="localhost", model="m")
    assert Clusters().titles.endpoint is None
