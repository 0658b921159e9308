"""The memory estimate against what a training really takes.

    python -m benchmarks.memory_estimate

Models of several shapes with random weights take three steps each in a process of their own; the
peak is the growth of the resident size over what the process had with everything imported. Every
token carries loss, as the estimate assumes. Prints a table; needs 4 GB.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SHAPE: dict[str, Any] = {
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "vocab_size": 16_000,
    "max_position_embeddings": 2048,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    "qwen2": {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]},
    "phi3": {
        "model_type": "phi3",
        "architectures": ["Phi3ForCausalLM"],
        "tie_word_embeddings": True,
    },
}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("llama", {}, "float32"),
    ("llama", {"gradient_checkpointing": True}, "float32"),
    ("llama", {"method": "dora"}, "float32"),
    ("llama", {"quantise": "4bit"}, "float32"),
    ("llama", {"quantise": "4bit", "gradient_checkpointing": True}, "float32"),
    ("llama", {"micro_batch_size": 2}, "float32"),
    ("llama", {}, "bfloat16"),
    ("qwen2", {}, "float32"),
    ("phi3", {}, "float32"),
    ("phi3", {"gradient_checkpointing": True}, "float32"),
]
BATCH, TOKENS = 8, 256


def main() -> None:
    print("| model | settings | dtype | estimated MB | measured MB | error |")
    print("|---|---|---|---:|---:|---:|")
    for family, changes, dtype in CASES:
        with tempfile.TemporaryDirectory() as folder:
            config: dict[str, Any] = {**SHAPE, **FAMILIES[family]}
            (Path(folder) / "m").mkdir()
            (Path(folder) / "m" / "config.json").write_text(json.dumps(config))
            done = subprocess.run(
                [sys.executable, __file__, folder, json.dumps(changes), dtype],
                capture_output=True,
                text=True,
                check=True,
            )
        found = json.loads(done.stdout.splitlines()[-1])
        error = found["estimated"] / found["measured"] - 1
        shown = ", ".join(f"{k} {v}" for k, v in changes.items()) or "LoRA r16"
        print(
            f"| {family} | {shown} | {dtype} | {found['estimated'] / 1e6:.0f} "
            f"| {found['measured'] / 1e6:.0f} | {100 * error:+.0f} % |",
            flush=True,
        )


def measure(folder: Path, changes: dict[str, Any], dtype: str) -> dict[str, int]:
    """Bytes estimated (without margin and overhead) and bytes taken."""
    import psutil
    import torch
    import transformers

    from compass_core.adapters.chat import Example
    from compass_core.adapters.loop import Training
    from compass_core.adapters.memory import estimate
    from compass_core.adapters.peft_model import adapted_model
    from compass_core.config.schema import Adapter, BaseModelSettings, Execution

    execution = Execution(device="cpu", threads=2)
    base = BaseModelSettings.model_validate({"model": "./m", "dtype": dtype})
    adapter = Adapter.model_validate({"batch_size": BATCH, "max_tokens": TOKENS, **changes})
    needed = estimate(adapter, base, execution, folder)
    assert needed is not None
    examples = [
        Example(str(i), [(7 * i + 3 * j) % 15_000 + 5 for j in range(TOKENS)], TOKENS - 1, False)
        for i in range(BATCH)
    ]
    configs: Any = transformers.AutoConfig
    models: Any = transformers.AutoModelForCausalLM
    warm = models.from_config(
        configs.for_model(
            "llama",
            hidden_size=32,
            num_hidden_layers=1,
            vocab_size=15_100,
            intermediate_size=32,
            num_attention_heads=2,
        )
    )
    Training(warm, adapter, 3).update(examples[:1], 0)  # imports and kernels
    model = models.from_config(configs.from_pretrained(folder / "m"))
    model.to(getattr(torch, dtype)).save_pretrained(folder / "m")
    del model, warm
    before = psutil.Process().memory_info().rss
    state = Training(adapted_model(adapter, base, execution, folder), adapter, 3)
    for _ in range(3):
        state.update(examples, 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    parts = needed.weights + needed.adapter + needed.activations + needed.logits
    return {"estimated": parts, "measured": peak - before}


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(measure(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3])))
    else:
        main()
