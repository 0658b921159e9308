"""Checkpoints of a training in progress: whole or not there, and only for the same training."""

import os
from pathlib import Path
from typing import Any

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, digest: str, state: dict[str, Any]) -> None:
    """Write atomically; `digest` says which training it belongs to."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{NAME}.tmp"
    torch.save({"digest": digest, **state}, temporary)
    os.replace(temporary, folder / NAME)


def load_checkpoint(folder: Path, digest: str) -> dict[str, Any] | None:
    """The state of the same training, or None: other rows or settings start anew.

    So does a file that cannot be read, as a machine that lost its power may leave.
    """
    from pickle import UnpicklingError

    import torch

    path = folder / NAME
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, UnpicklingError):
        return None
    return state if state["digest"] == digest else None
