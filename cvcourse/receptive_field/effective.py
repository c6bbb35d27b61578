"""The effective receptive field: how much each pixel matters, by gradients."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from cvcourse.checks import Count, checked
from cvcourse.models.outline import evaluating
from cvcourse.receptive_field.fields import trace
from cvcourse.train.look import answer


@checked
def effective_receptive_field(
    model: nn.Module, images: Tensor, node: str, *, batch_size: Count = 32
) -> Tensor:
    """Mean absolute gradient of a node's central unit with respect to the pixels.

    After Luo, Li, Urtasun & Zemel (2016), "Understanding the Effective Receptive Field in Deep
    Convolutional Neural Networks", NeurIPS 29, section 3. The unit's value is the sum over the
    node's channels at the central position, (H // 2, W // 2) of its map. The model is in evaluation
    mode; its own gradients are left alone.

    >>> import torch
    >>> from cvcourse.receptive_field import effective_receptive_field
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1))
    >>> seen = effective_receptive_field(model, torch.zeros(1, 1, 8, 8), "0")
    >>> (seen > 0).sum().item()
    9

    Args:
        model: any module that torch.fx can trace.
        images: (N, C, H, W) float, or uint8, which is divided by 255; on the model's device.
        node: a name as in `receptive_field`; its value must be (B, channels, h, w).
        batch_size: images at a time.

    Returns:
        (H, W) float, on the images' device: the mean over images and image channels, ≥ 0.

    Raises:
        KeyError: there is no such node.
        ValueError: no images, or such as the model cannot take; or the node has no map of units.
    """
    if images.ndim != 4 or not len(images):
        raise ValueError(
            f"images have the shape {tuple(images.shape)}; expected (N, C, H, W), N ≥ 1"
        )
    pixels = images if images.is_floating_point() else images.float() / 255
    if not bool(pixels.isfinite().all()):
        raise ValueError("images hold NaN or infinity; expected finite pixels")
    elsewhere = {p.device for p in model.parameters()} - {images.device}
    if elsewhere:
        raise ValueError(f"the model is on {elsewhere.pop()}, the images on {images.device}")
    first_part = up_to(model, node)
    total = torch.zeros(pixels.shape[2:], dtype=pixels.dtype, device=pixels.device)
    with evaluating(model), torch.enable_grad():
        for some in pixels.split(batch_size):
            leaves = some.detach().clone().requires_grad_()  # (B, C, H, W)
            maps = answer(first_part, leaves)
            if maps.ndim != 4:
                raise ValueError(
                    f"{node!r} gives {tuple(maps.shape[1:])} an image; expected (channels, h, w)"
                )
            centre = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].sum()
            (gradient,) = torch.autograd.grad(centre, leaves)  # (B, C, H, W)
            total += gradient.abs().mean(dim=1).sum(dim=0)
    return total / len(images)


def up_to(model: nn.Module, node: str) -> fx.GraphModule:
    """The model's first part, which returns that node's value.

    It stops there, so that no later operation in place can overwrite the value.
    """
    model, whole, names = trace(model)
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for one in whole.nodes:
        copies[one] = graph.node_copy(one, copies.__getitem__)
        if names[one] == node:
            graph.output(copies[one])
            return fx.GraphModule(model, graph)
    raise KeyError(f"no node {node!r}; receptive_field(model, …) lists them")
