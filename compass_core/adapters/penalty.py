"""The quadratic anchor of EWC: what it costs to move away from the weights that serve."""

from collections.abc import Mapping
from typing import Any


class QuadraticPenalty:
    """weight * scale * 1/2 * sum_i fisher_i (theta_i - anchor_i)^2 over an adapter's parameters.

    `scale` is set by `calibrate`, once training has moved: until then it is 0 and the penalty is
    silent. A diagonal Fisher is blind to weights that move together, and those are the moves that
    forget; so its raw scale says little (docs/continual.md has the figures).

    Its gradient is written down and not derived by autograd: one fused multiply a parameter, which
    is what keeps a step of an update as cheap as a plain one.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        anchor: Mapping[str, Any],
        fisher: Mapping[str, Any],
        weight: float,
        scale: float = 0.0,
    ) -> None:
        """Raises KeyError when a parameter has no anchor: then it is another adapter's."""
        self.weight, self.scale = weight, scale
        self._parts = [
            (p, anchor[name].to(p), fisher[name].to(p)) for name, p in parameters.items()
        ]

    def surrogate(self) -> float:
        """1/2 sum fisher (theta - anchor)^2, neither weighted nor scaled."""
        return sum(float(((p.detach() - a).square() * f).sum()) / 2 for p, a, f in self._parts)

    def calibrate(self, rise: float) -> None:
        """Set the scale so that, where the weights are now, the surrogate is `rise`.

        `rise` is how much the loss on the old data (nats per supervised token) is higher here than
        at the anchor. Where it is not higher there is nothing to hold back, and the scale is 0.
        """
        surrogate = self.surrogate()
        self.scale = max(0.0, rise) / surrogate if surrogate > 0 else 0.0

    def add_gradients(self) -> float:
        """Add the gradient to each parameter's `.grad` (which must exist); returns the value."""
        import torch

        factor = self.weight * self.scale
        if factor == 0:
            return 0.0
        total = torch.zeros((), device=self._parts[0][0].device)
        with torch.no_grad():
            for p, a, f in self._parts:
                away = p - a
                pull = away * f
                p.grad.add_(pull, alpha=factor)
                total += (away * pull).sum().to(total.device)
        return float(total) * factor / 2
