"""What the harness is made to tell while it works."""

from functools import partial

import pytest

from compass_core.benchmarks import harness_progress
from compass_core.benchmarks.harness_progress import telling


class Harness:
    """A model of the harness's shape: it calls the hook once a request, in its own order."""

    def __init__(self, answers):
        self.answers, self.hook = answers, None

    def set_cache_hook(self, hook):
        self.hook = hook

    def loglikelihood(self, requests, disable_tqdm=False):
        return self._answer("loglikelihood", requests)

    def generate_until(self, requests, disable_tqdm=False):
        return self._answer("generate_until", requests)

    def _answer(self, kind, requests):
        for request in reversed(requests):
            self.hook.add_partial(kind, request, self.answers[request])
        return [self.answers[request] for request in requests]


@pytest.fixture
def always(monkeypatch):
    clock = iter(range(99)).__next__
    told = partial(harness_progress.Progress, every_s=0.0, clock=clock)
    monkeypatch.setattr(harness_progress, "Progress", told)


def test_answers_pass_through_and_every_kind_of_request_counts_from_its_own_start(always):
    told = []
    model = telling(Harness, told.append, "prox sw")(answers={"a": 1, "b": 2, "c": 3})
    assert model.loglikelihood(["a", "b"], disable_tqdm=True) == [1, 2]
    assert model.generate_until(["c", "a", "b"]) == [3, 1, 2]
    assert told == [
        "prox sw: 1 of 2 choices scored, 1 s left",
        "prox sw: 2 of 2 choices scored",
        "prox sw: 1 of 3 answers generated, 2 s left",
        "prox sw: 2 of 3 answers generated, 1 s left",
        "prox sw: 3 of 3 answers generated",
    ]
