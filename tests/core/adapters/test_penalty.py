import pytest
import torch

from compass_core.adapters.penalty import QuadraticPenalty


@pytest.fixture
def parts():
    torch.manual_seed(0)
    shapes = {"a": (3, 2), "b": (4,)}
    parameters = {n: torch.nn.Parameter(torch.randn(s)) for n, s in shapes.items()}
    anchor = {n: torch.randn(s) for n, s in shapes.items()}
    fisher = {n: torch.rand(s) for n, s in shapes.items()}
    return parameters, anchor, fisher


def loss_of(parameters, anchor, fisher):
    return sum((fisher[n] * (p - anchor[n]) ** 2).sum() / 2 for n, p in parameters.items())


def test_value_and_gradient_are_those_of_the_formula(parts):
    parameters, anchor, fisher = parts
    penalty = QuadraticPenalty(parameters, anchor, fisher, weight=2.0, scale=3.0)
    expected = 6.0 * loss_of(*parts)
    gradients = torch.autograd.grad(expected, list(parameters.values()))
    for p in parameters.values():
        p.grad = torch.ones_like(p)
    assert penalty.add_gradients() == pytest.approx(expected.item(), rel=1e-5)
    for p, g in zip(parameters.values(), gradients, strict=True):
        assert torch.allclose(p.grad, g + 1, atol=1e-5)


def test_it_is_silent_until_it_is_calibrated_and_then_as_high_as_the_loss_rose(parts):
    parameters = parts[0]
    penalty = QuadraticPenalty(*parts, weight=2.0)
    for p in parameters.values():
        p.grad = torch.zeros_like(p)
    assert penalty.add_gradients() == 0.0
    assert not any(p.grad.any() for p in parameters.values())
    penalty.calibrate(0.7)
    assert penalty.add_gradients() == pytest.approx(2.0 * 0.7, rel=1e-5)
    penalty.calibrate(-0.1)
    assert penalty.scale == 0.0


def test_at_the_anchor_there_is_nothing_to_calibrate_on(parts):
    parameters, anchor, fisher = parts
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(anchor[name])
    penalty = QuadraticPenalty(parameters, anchor, fisher, weight=2.0)
    penalty.calibrate(0.3)
    assert penalty.scale == 0.0


def test_another_adapters_anchor_is_refused(parts):
    parameters, anchor, fisher = parts
    del anchor["b"]
    with pytest.raises(KeyError):
        QuadraticPenalty(parameters, anchor, fisher, weight=1.0)
