"""How much memory a training will take, said before any of it is spent.

The model is built on torch's meta device from its configuration alone, with the adapter on it, and
one forward pass is made there: every shape is real, no byte is allocated. What autograd would keep
for the backward pass is counted as it is saved, so the figure holds for any architecture, LoRA or
DoRA, and any dtype. A few seconds, most of them importing libraries.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakSet

from compass_core.adapters.model_folder import place, weights_dtype
from compass_core.adapters.peft_model import lora_config
from compass_core.adapters.presets import config_file, preset_of
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import TrainingError

GB = 10**9
NF4_BYTES = 0.5 + 1 / 64 + 4 / 64 / 256  # 4 bits, an 8-bit scale for 64, its own scale for 256
OVERHEAD_BYTES = int(0.3 * GB)  # libraries, allocator, the optimiser's temporaries
MARGIN = 1.2  # allocators do not fit tightly: up to 15 % over the sum of parts was measured


@dataclass(frozen=True)
class Memory:
    """Bytes of one training at its largest step."""

    weights: int
    adapter: int  # weights, gradients and Adam's two moments, float32
    activations: int
    logits: int

    @property
    def total(self) -> int:
        return int(MARGIN * (self.weights + self.adapter + self.activations + self.logits)) + (
            OVERHEAD_BYTES
        )

    def __str__(self) -> str:
        parts = {
            "weights": self.weights,
            "adapter": self.adapter,
            "activations": self.activations,
            "logits": self.logits,
        }
        listed = ", ".join(f"{name} {value / GB:.1f}" for name, value in parts.items())
        return f"about {self.total / GB:.1f} GB ({listed})"


def estimate(
    adapter: Adapter,
    base: BaseModelSettings,
    execution: Execution,
    project_dir: Path,
    longest: int | None = None,
) -> Memory | None:
    """Memory of a training; None where the model's configuration is not on this machine.

    With `execution.processes` it is that of one of them.
    `longest`: tokens of the longest example, where it is known (default `adapter.max_tokens`).
    Every token is taken to carry loss, which is the worst case.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    path = config_file(base, project_dir)
    if path is None:
        return None
    four_bits = adapter.quantise == "4bit"
    # PEFT brings all that is not quantised to float32 before a training over 4 bits, so the stream
    # between the layers and the logits are float32 as well.
    dtype = torch.float32 if four_bits else weights_dtype(base, place(execution))
    config = AutoConfig.from_pretrained(path.parent, trust_remote_code=base.trust_remote_code)
    _simplify(config)
    with torch.device("meta"):
        models: Any = AutoModelForCausalLM
        model: Any = models.from_config(config, dtype=dtype)
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head")
    )
    every = sum(p.numel() for p in model.parameters())
    size = torch.empty(0, dtype=dtype).element_size()
    weights = int(linear * NF4_BYTES) + (every - linear) * size if four_bits else every * size
    model = _with_adapter(model, adapter, base, project_dir)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    length = adapter.max_tokens if adapter.packing else (longest or adapter.max_tokens)
    share = -(-adapter.batch_size // execution.processes)
    rows = adapter.micro_batch_size or share
    kept, layers, hidden = _saved_bytes(model, rows, length)
    if adapter.gradient_checkpointing:
        kept = kept // layers + layers * rows * length * hidden * size
    vocabulary = model.get_input_embeddings().weight.shape[0]
    tokens = rows * length
    # Logits and their gradient in the model's dtype; the float32 copy, its log-softmax and slope.
    logits = tokens * vocabulary * (2 * size + 3 * 4)
    return Memory(weights, trained * 4 * 4, kept, logits)


def _simplify(config: Any) -> None:
    """What looks at the values of positions cannot run without values; shapes are the same."""
    for part in filter(None, (config, getattr(config, "text_config", None))):
        rope = getattr(part, "rope_parameters", None)
        if isinstance(rope, dict) and rope.get("rope_type") in ("longrope", "dynamic"):
            kept = {k: rope[k] for k in ("rope_theta", "partial_rotary_factor") if k in rope}
            part.rope_parameters = {"rope_type": "default", **kept}


def _with_adapter(model: Any, adapter: Adapter, base: BaseModelSettings, project_dir: Path) -> Any:
    import torch
    from peft import get_peft_model

    with torch.device("meta"):
        return get_peft_model(
            model, lora_config(adapter, preset_of(base, project_dir)), low_cpu_mem_usage=True
        )


class _Kept:
    """A tensor that autograd holds on to, for as long as it does."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


def _saved_bytes(model: Any, rows: int, length: int) -> tuple[int, int, int]:
    """Bytes that autograd keeps for the decoder, how many layers it has, and its width."""
    import torch
    from transformers import AttentionInterface

    AttentionInterface.register("compass_memory", _attention)
    decoder = model.get_base_model().get_decoder()
    config = decoder.config
    config._attn_implementation = "compass_memory"
    weights = {p.untyped_storage()._cdata for p in model.parameters()}
    alive: WeakSet[_Kept] = WeakSet()  # what is saved in a graph that is dropped goes with it

    def keep(tensor: Any) -> _Kept:
        kept = _Kept(tensor)
        alive.add(kept)
        return kept

    ids = torch.zeros((rows, length), dtype=torch.long, device="meta")
    positions = torch.zeros((rows, length), dtype=torch.long, device="meta")
    model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        out = decoder(input_ids=ids, position_ids=positions, use_cache=False)
    storages = {s._cdata: s.nbytes() for s in (k.tensor.untyped_storage() for k in alive)}
    held = sum(size for identity, size in storages.items() if identity not in weights)
    del out
    return held, int(config.num_hidden_layers), int(config.hidden_size)


def _attention(
    module: Any, query: Any, key: Any, value: Any, mask: Any, **more: Any
) -> tuple[Any, None]:
    """What a fused attention kernel keeps: queries, keys, values, the output, one sum a row."""
    import torch

    class Fused(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, q: Any, k: Any, v: Any) -> Any:
            out = torch.empty_like(q)
            sums = torch.empty(q.shape[:-1], dtype=torch.float32, device=q.device)
            ctx.save_for_backward(q, k, v, out, sums)
            return out

        @staticmethod
        def backward(ctx: Any, *slopes: Any) -> Any:
            raise NotImplementedError("only what the forward pass keeps is counted")

    fused: Any = Fused
    return fused.apply(query, key, value).transpose(1, 2).contiguous(), None


def available_bytes(device: str) -> int:
    """Memory that a training can have: of all GPUs for sharded, else of the one, else free RAM."""
    if device == "cpu":
        import psutil

        return int(psutil.virtual_memory().available)
    import torch

    count = torch.cuda.device_count() if device == "sharded" else 1
    return sum(int(torch.cuda.mem_get_info(i)[0]) for i in range(count))


def room(execution: Execution) -> int:
    """Memory that each process of a training can have: its GPU's, or its part of the RAM."""
    device = place(execution)
    here = available_bytes(device)
    return here // execution.processes if device == "cpu" else here


def ways_out(
    adapter: Adapter,
    base: BaseModelSettings,
    execution: Execution,
    project_dir: Path,
    limit: int,
    longest: int | None = None,
) -> list[str]:
    """Changes of settings that would fit into `limit` bytes, the least costly first."""
    four_bits = place(execution) != "cpu" or find_spec("bitsandbytes") is not None
    one = {"micro_batch_size": 1}
    passed = adapter.micro_batch_size or -(-adapter.batch_size // execution.processes)
    tries: list[dict[str, Any]] = [
        {"micro_batch_size": max(1, passed // 4)},
        {"gradient_checkpointing": True},
        one,
        {**one, "gradient_checkpointing": True},
        *([{**one, "gradient_checkpointing": True, "quantise": "4bit"}] if four_bits else []),
        {**one, "gradient_checkpointing": True, "max_tokens": max(16, adapter.max_tokens // 2)},
    ]
    found = []
    for change in tries:
        if all(getattr(adapter, name) == value for name, value in change.items()):
            continue
        cut = change.get("max_tokens")
        shorter = min(longest, cut) if longest and cut else longest
        needed = estimate(adapter.model_copy(update=change), base, execution, project_dir, shorter)
        if needed is not None and needed.total <= limit:
            named = " and ".join(f"adapter.{name}: {value}" for name, value in change.items())
            found.append(f"{named.replace('True', 'true')} ({needed.total / GB:.1f} GB)")
    return found


def check_memory(
    adapter: Adapter,
    base: BaseModelSettings,
    execution: Execution,
    project_dir: Path,
    longest: int,
) -> str:
    """A line to report. Raises TrainingError when the training does not fit and must not try."""
    needed = estimate(adapter, base, execution, project_dir, longest)
    if needed is None:
        return "memory: unknown until the base model is here"
    here = room(execution)
    if needed.total <= here:
        each = " in each process" if execution.processes > 1 else ""
        return f"memory: {needed}{each}; {here / GB:.1f} GB here"
    ways = ways_out(adapter, base, execution, project_dir, here, longest)
    advice = "; or ".join(ways[:3]) or "a smaller base model, or a machine with more memory"
    text = f"this needs {needed}; {here / GB:.1f} GB here; use {advice}"
    if execution.memory_check == "refuse":
        raise TrainingError(f"{text}; or execution.memory_check: warn to try all the same")
    return f"memory: {text}"
