"""A step recorded once and played from then on: for small networks on a GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from cvcourse.train.recipe import learning_rates

Descend = Callable[[Tensor], dict[str, Tensor]]

WARM_UP = 3  #: steps before the recording, in which libraries choose their kernels and take memory


class Captured:
    """What stands for a step down the gradient: the step, and soon its recording as a CUDA graph.

    A small network's step is some hundreds of kernels of microseconds, and a GPU waits for Python
    to start each; a graph starts them all at once. The first steps are taken as they are. Then one
    is recorded: not run, but noted down, kernel by kernel with the memory it works on, from the
    images' numbers to the new weights. So every later step works on the same memory: whatever
    differs from step to step (the images' numbers, the learning rates) is written there first, and
    random numbers go on from one step to the next as they do without a recording.

    Args:
        descend: one step on the images of these numbers (B,); its metrics.
        optimizer: whose learning rates differ from step to step.
        generator: on the GPU, of the step's random choices.
    """

    def __init__(self, descend: Descend, optimizer: Optimizer, generator: torch.Generator) -> None:
        self.descend, self.optimizer, self.generator = descend, optimizer, generator
        self.stream = torch.cuda.Stream(generator.device)
        self.taken = 0  # steps before the recording
        self.graph: torch.cuda.CUDAGraph | None = None
        self.indices = torch.empty(0)
        self.rates: list[Tensor] = []
        self.metrics: dict[str, Tensor] = {}

    def __call__(self, indices: Tensor) -> dict[str, Tensor]:
        """One step on the images of these numbers.

        Raises:
            RuntimeError: the step cannot be recorded.
        """
        if self.taken < WARM_UP:
            self.taken += 1
            return self.aside(indices)
        if self.graph is None:
            self.graph = self.record(indices)
        self.indices.copy_(indices)
        for rate, now in zip(self.rates, learning_rates(self.optimizer), strict=True):
            rate.fill_(now)
        self.graph.replay()
        return {name: value.clone() for name, value in self.metrics.items()}

    def aside(self, indices: Tensor) -> dict[str, Tensor]:
        """A step on the stream of the recording, where its memory and its gradients are at home."""
        here = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            metrics = self.descend(indices)
        here.wait_stream(self.stream)
        return metrics

    def record(self, indices: Tensor) -> torch.cuda.CUDAGraph:
        """Note the step down; nothing is run."""
        groups = self.optimizer.param_groups
        self.indices = indices.clone()
        self.rates = [
            torch.tensor(rate, device=indices.device) for rate in learning_rates(self.optimizer)
        ]
        before = [dict(group) for group in groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate  # a place in memory instead of a number, which would stay
            if "capturable" in group:
                group["capturable"] = True
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        try:
            with torch.cuda.graph(graph, stream=self.stream):
                self.metrics = self.descend(self.indices)
        except (RuntimeError, TypeError, ValueError) as error:
            why = str(error).strip().partition("\n")[0]
            raise RuntimeError(
                "this step cannot be recorded as a CUDA graph: it asks for the run's progress, for "
                "a number on the GPU, or for memory outside it (are all images that it draws from "
                f"there?); leave Recipe(capture=True) out ({type(error).__name__}: {why})"
            ) from error
        finally:
            for group, own in zip(groups, before, strict=True):
                group.update(own)
        return graph
