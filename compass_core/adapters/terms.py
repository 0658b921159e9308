"""The terms of a training's loss by step, as they stand in it."""

from collections.abc import Mapping
from typing import Any

TASK, PENALTY, REPLAY = "task", "EWC penalty", "replay, times beta"


def loss_terms(log: Mapping[str, Any], beta: float | None) -> dict[str, list[float]]:
    """L = task + penalty + beta * replay, one list a term, nats per supervised token.

    `log` holds the lists of train.TrainResult (or training_log.json); `beta` is that of the
    version's lineage, None for a training from zero. Terms that a training has not are left out.
    """
    replay = [round(value * (beta or 0.0), 5) for value in log.get("replay_losses") or []]
    terms = {TASK: log.get("losses"), PENALTY: log.get("penalties"), REPLAY: replay}
    return {name: list(values) for name, values in terms.items() if values}
