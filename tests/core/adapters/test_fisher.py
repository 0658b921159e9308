"""The batched per-example Fisher against its definition, one example at a time."""

from functools import partial

import pytest
import torch

from compass_core.adapters import fisher
from compass_core.adapters.batches import collate
from compass_core.adapters.chat import Example
from compass_core.adapters.fisher import per_example_fisher
from compass_core.adapters.loss import row_losses
from compass_core.adapters.peft_model import adapted_model
from compass_core.config.schema import Adapter, BaseModelSettings, Execution
from compass_core.progress import Progress

EXAMPLES = [
    Example(f"r{i}", [3 + (7 * i + j) % 40 for j in range(6 + i % 3)], 3, False) for i in range(7)
]


@pytest.fixture(params=["lora", "rslora", "dora"])
def model(request, project):
    torch.manual_seed(1)
    made = adapted_model(
        Adapter(method=request.param, rank=3),
        BaseModelSettings(model="models/llama"),
        Execution(device="cpu", threads=1),
        project,
    )
    with torch.no_grad():
        for name, p in made.named_parameters():
            if ".lora_B." in name:
                p.normal_(0, 0.05)
            elif "magnitude" in name:
                p.mul_(1.1)
    return made.eval()


def test_it_is_the_mean_of_squared_gradients_of_single_examples(model):
    found = per_example_fisher(model, EXAMPLES, 0, 5, "empirical", batch_size=4)
    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert found.keys() == parameters.keys()
    expected = {n: torch.zeros_like(p) for n, p in parameters.items()}
    for example in EXAMPLES:
        loss = row_losses(model, collate([example], 0, "cpu")).sum()
        for name, g in zip(
            parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True
        ):
            expected[name] += g**2 / len(EXAMPLES)
    for name in parameters:
        assert torch.allclose(found[name], expected[name], rtol=1e-3, atol=1e-9), name
        assert expected[name].any(), name


def test_drawn_answers_depend_on_rows_and_seed_and_on_nothing_else(model):
    one = per_example_fisher(model, EXAMPLES, 0, 5, batch_size=7)
    two = per_example_fisher(model, EXAMPLES[::-1], 0, 5, batch_size=2)
    other = per_example_fisher(model, EXAMPLES, 0, 6, batch_size=7)
    assert all(torch.allclose(one[n], two[n], rtol=1e-3, atol=1e-9) for n in one)
    assert not all(torch.allclose(one[n], other[n], rtol=1e-3) for n in one)


def test_it_says_how_far_it_is(model, quiet, monkeypatch):
    monkeypatch.setattr(fisher, "Progress", partial(Progress, every_s=0.0))
    fisher.per_example_fisher(model, EXAMPLES, 0, 5, batch_size=3, report=quiet)
    assert [line.partition(", ")[0] for line in quiet.lines] == [
        f"Fisher information: {done} of 7 examples" for done in (3, 6, 7)
    ]
    assert quiet.lines[0].endswith(" s left")


def test_nothing_stays_hooked_to_the_model(model):
    per_example_fisher(model, EXAMPLES[:2], 0, 5)
    assert not any(m._forward_hooks for m in model.modules())


def test_a_parameter_that_it_cannot_see_is_an_error(model):
    model.get_input_embeddings().weight.requires_grad_(True)
    with pytest.raises(ValueError, match=r"LoRA, rsLoRA or DoRA on linear layers"):
        per_example_fisher(model, EXAMPLES, 0, 5)
    model.get_input_embeddings().weight.requires_grad_(False)
    assert not any(m._forward_hooks for m in model.modules())
