"""What an adapter version remembers for its next update: weights, Fisher, and who it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from compass_core.config.schema import Adapter, BaseModelSettings
from compass_core.errors import StoreError

WEIGHTS, FACTS, PROBE = "fisher.safetensors", "memory.json", "probe.parquet"


@dataclass(frozen=True)
class Memory:
    """`anchor` (theta*) and `fisher` (raw, per example) by parameter name; f32 tensors.

    `probe` (row_id, prompt, response) are the rows that the Fisher was measured on, and
    `fitted_loss` their loss at the anchor, nats per supervised token.
    """

    anchor: Mapping[str, Any]
    fisher: Mapping[str, Any]
    probe: pl.DataFrame
    fitted_loss: float
    identity: Mapping[str, Any]
    supervised_tokens: int  # of the probe
    labels: str
    weights_version: str

    def facts(self) -> dict[str, Any]:
        """Everything but the tensors and texts, JSON-like."""
        return {
            "fitted_loss": self.fitted_loss,
            "identity": dict(self.identity),
            "supervised_tokens": self.supervised_tokens,
            "labels": self.labels,
            "weights_version": self.weights_version,
        }


def identity_of(base: BaseModelSettings, fingerprint: str, adapter: Adapter) -> dict[str, Any]:
    """What two versions must have in common for one to be trained on from the other."""
    modules = adapter.target_modules
    return {
        "base model": base.model,
        "base model content": fingerprint,
        "method": adapter.method,
        "rank": adapter.rank,
        "alpha": adapter.alpha,
        "quantisation": adapter.quantise,
        "target modules": modules if isinstance(modules, str) else sorted(modules),
    }


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """The first thing in which two identities differ, in words; None where they agree."""
    for name in new:
        if old.get(name) != new[name]:
            return f"its {name} is {old.get(name)}, the project's is {new[name]}"
    return None


def save_memory(folder: Path, memory: Memory) -> None:
    """Write `fisher.safetensors`, `probe.parquet` and `memory.json`."""
    from safetensors.torch import save_file

    tensors = {
        f"{part}/{name}": value.detach().cpu().float().contiguous()
        for part, values in (("anchor", memory.anchor), ("fisher", memory.fisher))
        for name, value in values.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(folder / WEIGHTS))
    memory.probe.write_parquet(folder / PROBE)
    text = json.dumps(memory.facts(), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / FACTS).write_text(text, encoding="utf-8")


def load_memory(folder: Path) -> Memory:
    """Raises StoreError where the folder is incomplete."""
    from safetensors.torch import load_file

    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        tensors = load_file(str(folder / WEIGHTS))
        probe = pl.read_parquet(folder / PROBE)
    except FileNotFoundError as error:
        raise StoreError(f"{folder} holds no memory of an adapter: {error}") from error
    parts: dict[str, dict[str, Any]] = {"anchor": {}, "fisher": {}}
    for key, value in tensors.items():
        part, _, name = key.partition("/")
        parts[part][name] = value
    return Memory(probe=probe, anchor=parts["anchor"], fisher=parts["fisher"], **facts)
