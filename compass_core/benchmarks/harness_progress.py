"""How far the harness is: it calls its cache's hook at every request that it has answered."""

from collections.abc import Callable
from typing import Any

from compass_core.progress import Progress

WHAT = {"loglikelihood": "choices scored", "generate_until": "answers generated"}


class ToldRequests:
    """In the place of a harness model's cache: keeps nothing, tells of each answer."""

    def __init__(self, report: Callable[[str], None], label: str) -> None:
        self._report, self._label = report, label
        self._progress: Progress | None = None
        self._done = 0

    def begin(self, kind: str, requests: int) -> None:
        self._progress = Progress(self._report, self._label, requests, WHAT[kind])
        self._done = 0

    def add_partial(self, kind: str, request: Any, answer: Any) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress.at(self._done)


def telling(model_class: Any, report: Callable[[str], None], label: str) -> Any:
    """A subclass of a harness model class (such as HFLM) that reports its progress."""

    class Telling(model_class):  # type: ignore[misc]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.told = ToldRequests(report, label)
            self.set_cache_hook(self.told)

        def loglikelihood(self, requests: list[Any], **more: Any) -> Any:
            self.told.begin("loglikelihood", len(requests))
            return super().loglikelihood(requests, **more)

        def generate_until(self, requests: list[Any], **more: Any) -> Any:
            self.told.begin("generate_until", len(requests))
            return super().generate_until(requests, **more)

    return Telling
