"""torchvision's networks, filled with random numbers at no cost in memory that we can avoid."""

import torch
from torch import Tensor, nn


def random_state(model: nn.Module) -> dict[str, Tensor]:
    """A state dict for `model` (on the meta device) that keeps signals at a useful size."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
        elif name.endswith("running_var") or value.ndim == 1:
            state[name] = torch.rand(value.shape, generator=generator) + 0.5
        else:  # uniform with variance 2 / fan-in
            bound = (6 / value[0].numel()) ** 0.5
            state[name] = torch.empty(value.shape).uniform_(-bound, bound, generator=generator)
    return state


def logits_of(model: nn.Module, state: dict[str, Tensor], images: Tensor) -> Tensor:
    """What `model` (on the meta device) says with these weights, which are not copied."""
    model.load_state_dict(state, assign=True)
    with torch.no_grad():
        return model.eval()(images)
