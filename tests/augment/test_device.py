"""A whole batch is augmented without a wait for the device, in shapes that no value changes.

Few machines have a GPU: PyTorch's fake tensors say they are on one, hold no values, and so refuse
whatever would have to wait for some.
"""

from typing import Any

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.utils._python_dispatch import TorchDispatchMode

from cvcourse.augment import Compose, Cutout, RandAugment, crop_and_flip
from cvcourse.augment.randaugment import OPERATIONS

STRONG = Compose([crop_and_flip, RandAugment(2, m="random"), Cutout(0.5)])  # FixMatch's
CALLS = [RandAugment(0), RandAugment(1, 30), RandAugment(2, 9), STRONG]


class NoCopies(TorchDispatchMode):
    """Refuses to bring values from the host to the device, which waits too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._to_copy.default and args[0].device.type == "cpu":
            raise AssertionError(f"a copy of {tuple(args[0].shape)} from the host")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("augment", CALLS)
def test_nothing_waits_for_a_gpu(augment: Any, channels: int) -> None:
    with FakeTensorMode(), NoCopies():
        images = torch.empty(5, channels, 9, 8, dtype=torch.uint8, device="cuda")
        augmented = augment(images, torch.Generator())
    assert augmented.device.type == "cuda"
    assert augmented.shape == images.shape
    assert augmented.dtype == torch.uint8


def test_the_fake_gpu_notices_who_waits() -> None:
    with FakeTensorMode(), NoCopies():
        numbers = torch.arange(3, device="cuda")
        for wait in (numbers.tolist, numbers.sum().item, lambda: bool(numbers.any())):
            with pytest.raises(DataDependentOutputException):
                wait()
        with pytest.raises(DynamicOutputShapeException):
            numbers.nonzero()
        with pytest.raises(AssertionError, match="a copy of \\(2,\\) from the host"):
            numbers.new_tensor([1, 2])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_a_gpu_computes_is_what_a_cpu_computes(channels: int) -> None:
    generator = torch.Generator().manual_seed(channels)
    images = torch.randint(0, 256, (70, channels, 9, 8), dtype=torch.uint8, generator=generator)
    chosen = torch.randint(len(OPERATIONS), (2, 70), generator=generator)
    up = torch.rand(chosen.shape, generator=generator) < 0.5
    on_batch = RandAugment(2, 12).on_batch
    # Compiled, it takes the way of a GPU; whole, or not at all.
    compiled = torch.compile(on_batch, fullgraph=True, backend="eager", dynamic=False)
    assert torch.equal(compiled(images, chosen, up), on_batch(images, chosen, up))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")
def test_a_cuda_graph_takes_up_a_whole_call() -> None:
    images = torch.randint(0, 256, (70, 3, 32, 32), dtype=torch.uint8, device="cuda")
    generator = torch.Generator("cuda").manual_seed(0)

    wanted = [STRONG(images, generator) for _ in range(3)]
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        augmented = STRONG(images, generator)
    generator.manual_seed(0)
    for expected in wanted:
        graph.replay()
        assert torch.equal(augmented, expected)
