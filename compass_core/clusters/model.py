"""A fitted cluster model: centroids, stable ids, thresholds, and how it came to be."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compass_core.hashing import version_of, version_of_bytes

ARRAYS = ("centroids", "cluster_ids", "thresholds", "noise_thresholds", "fit_rows")


@dataclass(frozen=True)
class ClusterModel:
    """K clusters. A row belongs to the nearest centroid, and is off target below its threshold."""

    centroids: np.ndarray  # f32[K, d], unit rows
    cluster_ids: np.ndarray  # int64[K]; ids survive refits and are never given twice
    thresholds: np.ndarray  # f32[K], cosine below which a row is off target
    noise_thresholds: np.ndarray  # f32[K], cosine below which a row is noise; never lower
    fit_rows: np.ndarray  # int64[K]
    method: str
    settings_digest: str
    next_id: int
    candidates: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    usage_off_target: float | None = None  # share right after the fit; null: fitted before 3

    @property
    def version(self) -> str:
        """Hash of what decides an assignment or a refit; not of timings or losing candidates.

        So with the next free id, where ids above all that are left were given and are gone: the
        same clusters may be found before and after, and a stored version is never written again.
        """
        arrays = [np.ascontiguousarray(getattr(self, name)).tobytes() for name in ARRAYS[:4]]
        decides: list[Any] = [version_of_bytes(*arrays), self.settings_digest]
        if self.usage_off_target is not None:
            decides.append(self.usage_off_target)
        if self.next_id > self.cluster_ids.max(initial=-1) + 1:
            decides.append({"next_id": self.next_id})
        return version_of(decides)

    def save(self, folder: Path) -> None:
        """Write into an existing empty folder."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: getattr(self, name) for name in ARRAYS})
        (folder / "model.npz").write_bytes(buffer.getvalue())
        rest = {
            "method": self.method,
            "settings_digest": self.settings_digest,
            "next_id": self.next_id,
            "candidates": self.candidates,
            "events": self.events,
            "usage_off_target": self.usage_off_target,
        }
        (folder / "model.json").write_text(json.dumps(rest, indent=1))

    @classmethod
    def load(cls, folder: Path) -> "ClusterModel":
        with np.load(folder / "model.npz") as arrays:
            kept = {name: arrays[name] for name in ARRAYS if name in arrays}
        kept.setdefault("noise_thresholds", kept["thresholds"])  # models of before 2 had no others
        return cls(**kept, **json.loads((folder / "model.json").read_text()))
