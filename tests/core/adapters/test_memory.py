import polars as pl
import pytest

from compass_core.adapters import memory
from compass_core.adapters.memory import GB, check_memory, estimate, ways_out
from compass_core.adapters.peft_model import adapted_model
from compass_core.adapters.train import train_adapter
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.errors import TrainingError
from tests.core.families import NAMES, family_folder

CPU = Execution(device="cpu", threads=1)
PLAIN = Adapter(rank=4, batch_size=4, max_tokens=64)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    for name in NAMES:
        family_folder(folder / name, name)
    return folder


def needed(families, name="llama-3.1", longest=None, **changes):
    base = BaseModelSettings(model=f"./{name}")
    found = estimate(PLAIN.model_copy(update=changes), base, CPU, families, longest)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_weights_and_adapter_are_counted_to_the_byte(families, name):
    from safetensors import safe_open

    from compass_core.adapters.peft_model import adapted_model

    base = BaseModelSettings(model=f"./{name}")
    model = adapted_model(PLAIN, base, CPU, families)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    with safe_open(families / name / "model.safetensors", "pt") as file:
        stored = sum(file.get_tensor(key).numel() for key in file.keys())  # noqa: SIM118
    found = needed(families, name)
    assert found.weights == 4 * stored
    assert found.adapter == 16 * trained
    assert found.activations > 0


@pytest.mark.parametrize("name", ["llama-3.1", "qwen2.5"])
def test_activations_are_what_autograd_keeps(families, name):
    """The same count on a real forward pass, whose attention is the CPU's fused kernel."""
    import torch

    from compass_core.adapters.peft_model import adapted_model

    base = BaseModelSettings(model=f"./{name}")
    model = adapted_model(PLAIN, base, CPU, families).train()
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = []

    def keep(tensor):
        kept.append(tensor)
        return tensor

    decoder = model.get_base_model().get_decoder()
    ids = torch.ones((4, 64), dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        out = decoder(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    real = sum(size for place, size in storages.items() if place not in weights)
    del out
    assert needed(families, name).activations == pytest.approx(real, rel=0.1)


def test_what_saves_memory_saves_it_in_the_estimate(families):
    plain = needed(families)
    assert needed(families, micro_batch_size=1).activations * 3 < plain.activations
    assert needed(families, gradient_checkpointing=True).activations < plain.activations
    assert needed(families, longest=16).logits * 3 < plain.logits
    assert needed(families, rank=8).adapter == 2 * plain.adapter
    assert needed(families, method="dora").activations > plain.activations
    longer = needed(families, packing=True, longest=16)
    assert longer.logits == plain.logits  # packed sequences are as long as they may be


def test_over_four_bits_the_rest_is_in_float32_as_peft_makes_it(families):
    """What is left of a model in bfloat16 once its linear layers are in 4 bits, counted."""
    import torch

    four = {"quantise": "4bit"}
    name, half = "qwen2.5", BaseModelSettings(model="./qwen2.5", dtype="bfloat16")
    model = adapted_model(PLAIN.model_copy(update=four), half, CPU, families)
    packed = {n for n, p in model.named_parameters() if p.dtype == torch.uint8}
    rest = {n: p for n, p in model.named_parameters() if n not in packed and not p.requires_grad}
    assert {n.rsplit(".", 2)[-2] for n in packed} == {"base_layer"}
    assert {p.dtype for p in rest.values()} == {torch.float32}
    found = estimate(PLAIN.model_copy(update=four), half, CPU, families)
    in_four = [p for n, p in model.named_parameters() if n in packed]
    halves = int(sum(2 * p.numel() for p in in_four) * memory.NF4_BYTES)  # two in a byte
    assert found.weights == halves + sum(p.nbytes for p in rest.values())
    whole = needed(families, name)  # float32
    assert (found.activations, found.logits) == (whole.activations, whole.logits)
    assert found.logits > estimate(PLAIN, half, CPU, families).logits


def test_a_model_that_is_not_here_has_no_estimate(tmp_path):
    base = BaseModelSettings(model="nobody/nothing-of-this-name")
    assert estimate(PLAIN, base, CPU, tmp_path) is None
    assert "unknown" in check_memory(PLAIN, base, CPU, tmp_path, 10)


def test_too_little_memory_stops_before_it_starts_and_says_what_to_set(
    families, tmp_path, monkeypatch, quiet
):
    base = BaseModelSettings(model="./llama-3.1")
    big = PLAIN.model_copy(update={"batch_size": 256, "max_tokens": 512})
    total = estimate(big, base, CPU, families, 512).total
    monkeypatch.setattr(memory, "available_bytes", lambda device: total - 1)
    with pytest.raises(TrainingError) as caught:
        check_memory(big, base, CPU, families, 512)
    text = str(caught.value)
    assert f"this needs about {total / GB:.1f} GB (weights " in text
    assert "GB here; use adapter.micro_batch_size: 64 (" in text
    assert "adapter.gradient_checkpointing: true" in text
    warn = CPU.model_copy(update={"memory_check": "warn"})
    assert check_memory(big, base, warn, families, 512).startswith("memory: this needs")
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1)
    rows = pl.DataFrame([{"row_id": "1", "prompt": "a", "response": "b"}])
    with pytest.raises(TrainingError, match="use a smaller base model"):
        train_adapter(rows, PLAIN, base, CPU, families, tmp_path, tmp_path / "c", 1, quiet)
    assert not list(tmp_path.iterdir())


def test_only_what_fits_is_offered(families):
    base = BaseModelSettings(model="./llama-3.1")
    big = PLAIN.model_copy(update={"batch_size": 64})
    one = estimate(big.model_copy(update={"micro_batch_size": 1}), base, CPU, families).total
    offered = ways_out(big, base, CPU, families, one)
    assert offered
    assert all("micro_batch_size: 16" not in text for text in offered)
    assert ways_out(big, base, CPU, families, 1000) == []
