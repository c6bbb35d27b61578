"""The networks in the page against PyTorch."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_images
from torch import Tensor, nn

from cvcourse.data import VARIED, Scene, render
from cvcourse.explore import export_for_page
from cvcourse.explore.base import module
from cvcourse.models import (
    MLP,
    FlattenCNN,
    LeNet5,
    SingleLayer,
    SmallCNN,
    SmallResNet,
    Standardize,
    standardized,
)
from cvcourse.train import Recipe, evaluating, fit

ANSWER = """async ([code, exported, text, length]) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const run = (await import(url)).default.network(exported);
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const starts = [...Array(bytes.length / length).keys()];
    return starts.map((i) => [...run(bytes.subarray(i * length, (i + 1) * length))]);
}"""


@pytest.fixture
def answer(blank: Any) -> Callable[[dict[str, Any], Tensor], Tensor]:
    """The logits that each browser computes from an exported network."""
    code = module("forward") + "export default { network };"

    def in_browser(exported: dict[str, Any], images: Tensor) -> Tensor:
        text = base64.b64encode(images.numpy().tobytes()).decode()
        length = images[0].numel()
        found = blank.evaluate(ANSWER, [code, exported, text, length])
        return torch.tensor(found)

    return in_browser


def with_halved_matrices(model: nn.Module, images: Tensor) -> Tensor:
    """The logits of the model, once its matrices are rounded (in place)."""
    with evaluating(model), torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half())
        return model(images)


def real_pictures() -> Tensor:
    """200 that nobody drew for us: 100 handwritten digits, 100 pieces of two photographs."""
    digits = torch.from_numpy(load_digits().images[:100] / 16 * 255).to(torch.uint8)
    digits = digits.repeat_interleave(4, 1).repeat_interleave(4, 2)  # (100, 32, 32)
    pieces = [
        photograph[y : y + 320 : 10, x : x + 320 : 10]
        for photograph in load_sample_images().images
        for y in range(0, 100, 10)
        for x in range(0, 300, 60)
    ]
    photographs = torch.from_numpy(np.stack(pieces)).permute(0, 3, 1, 2)
    return torch.cat([digits[:, None].expand(-1, 3, -1, -1), photographs]).contiguous()


NETWORKS = {
    "single layer": (SingleLayer, {}),
    "MLP": (MLP, {"hidden": (16, 12)}),
    "CNN": (SmallCNN, {}),
    "CNN without average": (FlattenCNN, {"width": 4}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_browser_answers_as_pytorch_does(name: str, answer) -> None:
    make, settings = NETWORKS[name]
    torch.manual_seed(0)
    train = render(1000, VARIED, seed=1)
    model = standardized(make, train, **settings)
    fit(model, train, Recipe(epochs=2))
    noise = torch.randint(0, 256, (500, 3, 32, 32), dtype=torch.uint8)
    drawn = render(500, Scene(shift=(0, 0.3), background="photograph"), seed=2).images
    images = torch.cat([noise, drawn, real_pictures()])
    assert len(images) == 1200
    exported = export_for_page(model, images[:2])
    found, expected = answer(exported, images), with_halved_matrices(model, images)
    assert (found - expected).abs().max() <= 1e-3
    ties = expected.topk(2).values.diff().flatten().abs() < 2e-3
    assert ((found.argmax(1) == expected.argmax(1)) | ties).all()
    assert ties.float().mean() < 0.05
    assert found.argmax(1).unique().numel() > 2
    golden = exported["golden"]
    assert base64.b64decode(golden["images"]) == images[:2].numpy().tobytes()
    torch.testing.assert_close(torch.tensor(golden["logits"]), expected[:2], atol=1e-4, rtol=0)


def test_a_wrong_weight_is_noticed(answer) -> None:
    """The negative control of the test above."""
    torch.manual_seed(0)
    images = render(100, VARIED).images
    model = standardized(SmallCNN, render(100, VARIED))
    exported = export_for_page(model, images[:1])
    layer = exported["layers"][1]
    weights = np.frombuffer(base64.b64decode(layer["weights"]), np.float16).copy()
    weights[100] += 0.1
    layer["weights"] = base64.b64encode(weights.tobytes()).decode()
    assert (answer(exported, images) - with_halved_matrices(model, images)).abs().max() > 1e-3


def test_every_layer_that_is_taken(answer) -> None:
    """Strides, sizes, paddings, a negative scale after a max-pool, and numbers near zero."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(6)
    norm.weight.data = torch.linspace(-1, 1, 6)
    norm.running_mean, norm.running_var = torch.randn(6), torch.rand(6) + 0.5
    model = nn.Sequential(
        Standardize(torch.tensor([0.5]), torch.tensor([0.25])),
        nn.Conv2d(1, 6, 5, stride=2, padding=1),
        nn.MaxPool2d(3, stride=2),
        norm,
        nn.ReLU(),
        nn.Dropout2d(),
        nn.Conv2d(6, 7, 3, padding="same", bias=False),
        nn.AvgPool2d(2),
        nn.Conv2d(7, 5, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 4),
        nn.BatchNorm1d(4, affine=False),
    )
    model[6].weight.data[0] *= 1e-5  # subnormal in half precision
    images = torch.randint(0, 256, (50, 1, 29, 37), dtype=torch.uint8)
    exported = export_for_page(model, images[:1])
    assert (answer(exported, images) - with_halved_matrices(model, images)).abs().max() <= 1e-4


class MeanOver(nn.Module):
    """A mean over some of the dimensions."""

    def __init__(self, dim: int | tuple[int, ...], **settings: bool) -> None:
        super().__init__()
        self.settings = {"dim": dim, **settings}

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.mean(**self.settings)


def chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(Standardize(torch.full((3,), 0.5), torch.ones(3)), *layers)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (standardized(SmallResNet, render(10)), "branch.* does not take what the layer before it"),
        (standardized(LeNet5, render(10)), "no plain chain of layers"),
        (chain(nn.Conv2d(3, 4, 3, groups=1, dilation=2)), "'1' is no square, odd, undivided"),
        (chain(nn.Conv2d(3, 4, (3, 5))), "'1' is no square, odd, undivided"),
        (chain(nn.Conv2d(3, 3, 3), nn.Tanh()), "'2' is a Tanh; a page can compute .* CropLab"),
        (chain(nn.MaxPool2d(3, padding=1)), "'1' is no square pooling without padding"),
        (chain(nn.AdaptiveAvgPool2d(2), nn.Flatten()), "'1' pools to 2"),
        (chain(nn.BatchNorm2d(3, track_running_stats=False)), "without running statistics"),
        (chain(nn.Flatten(2)), "the model gives|flattens from 2"),
        (chain(MeanOver(2), nn.Flatten()), "'mean' is mean.*2"),
        (chain(MeanOver((2, 3), keepdim=True), nn.Flatten()), "'mean' is mean.*True"),
        (chain(nn.Conv2d(3, 4, 3)), r"the model gives \(2, 4, 30, 30\); expected logits"),
    ],
)
def test_what_a_page_cannot_compute_is_named(model: nn.Module, message: str) -> None:
    pictures = render(2).images
    if isinstance(model[-1], nn.BatchNorm2d | nn.Tanh | nn.MaxPool2d) or (
        isinstance(model[-1], nn.Conv2d) and "gives" not in message
    ):
        model.append(nn.AdaptiveAvgPool2d(1)).append(nn.Flatten())
    with pytest.raises(ValueError, match=message):
        export_for_page(model, pictures)


@pytest.mark.parametrize("value", [1e5, float("nan")])
def test_weights_that_half_precision_cannot_hold_are_named(value: float) -> None:
    model = standardized(SingleLayer, render(10))
    model[1].layer.weight.data[0, 0] = value
    with pytest.raises(ValueError, match=r"'1\.layer\.weight' hold NaN, infinity, or numbers"):
        export_for_page(model, render(2).images)


def test_the_model_is_left_as_it_was() -> None:
    model = standardized(SmallCNN, render(10)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    export_for_page(model, render(2).images)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_an_example_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"example is torch.float32 \(2, 3, 32, 32\)"):
        export_for_page(standardized(SingleLayer, render(10)), torch.rand(2, 3, 32, 32))
