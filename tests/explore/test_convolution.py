import base64

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d
from traitlets import TraitError

from cvcourse.explore import ConvolutionSteps
from cvcourse.models import LocallyConnected2d

MODES = ("fully connected", "locally connected", "convolution")


def random_piece(rng: np.random.Generator, mode: str) -> ConvolutionSteps:
    picture = rng.integers(0, 256, (96, 96), dtype=np.uint8)
    unit = tuple(map(int, rng.integers(0, 6, 2)))
    return ConvolutionSteps(mode, rng.uniform(-3, 3, 9).tolist(), unit, picture=picture)


def test_browser_agrees_with_torch(compute) -> None:
    rng = np.random.default_rng(0)
    pieces = [random_piece(rng, mode) for mode in MODES for _ in range(4)]
    found = compute(ConvolutionSteps, [piece.state() for piece in pieces])
    for piece, one in zip(pieces, found, strict=True):
        assert one["input"] == piece.inputs.flatten().tolist()
        assert one["outputs"] == pytest.approx(piece.outputs.flatten().tolist(), abs=1e-6)
        assert one["filtered"] == pytest.approx(piece.filtered.flatten().tolist(), abs=1e-6)
        assert one["parameters"] == piece.parameters
        row = piece.matrix[piece.unit[0] * 6 + piece.unit[1]]
        assert [w or 0 for w in one["weights"]] == pytest.approx(row.tolist(), abs=1e-6)


def test_the_three_layers_are_those_of_torch_and_of_the_package() -> None:
    piece = random_piece(np.random.default_rng(1), "convolution")
    kernel = torch.tensor(piece.kernel, dtype=torch.float64).view(1, 1, 3, 3)
    expected = conv2d(piece.inputs[None, None], kernel)[0, 0]
    torch.testing.assert_close(piece.outputs, expected)
    piece.mode = "locally connected"
    layer = LocallyConnected2d(1, 1, 8, 3, bias=False).double()
    patches = piece.matrix.view(6, 6, 8, 8)
    with torch.no_grad():
        for y in range(6):
            for x in range(6):
                layer.weight[y, x, 0, 0] = patches[y, x, y : y + 3, x : x + 3]
        torch.testing.assert_close(piece.outputs, layer(piece.inputs[None, None])[0, 0])
    assert piece.parameters == layer.weight.numel() == 324
    piece.mode = "fully connected"
    assert piece.parameters == torch.nn.Linear(64, 36, bias=False).weight.numel()


def test_modes_units_and_kernel_change_what_is_seen(show, source: str) -> None:
    piece = ConvolutionSteps()
    tab = show(piece, source=source)
    summary = tab.locator(".cvx-summary")
    outputs = tab.get_by_role("application")
    outputs.press("ArrowDown")
    assert "Output (3, 2) of the convolution layer" in summary.inner_text()
    box = outputs.bounding_box()
    tab.mouse.move(box["x"] + 4, box["y"] + 4)
    assert "Output (0, 0)" in summary.inner_text()
    tab.get_by_role("button", name="locally connected").click()
    assert "The layer has 324 weights" in summary.inner_text()
    tab.get_by_role("button", name="fully connected").click()
    assert "uses 64 weights; no other" in summary.inner_text()
    assert "The layer has 2,304 weights" in summary.inner_text()
    tab.get_by_role("button", name="leave it").click()  # a kernel makes it a convolution again
    assert "The layer has 9 weights" in summary.inner_text()
    shown = (
        tab.locator("canvas")
        .nth(1)
        .evaluate(
            "c => [...c.getContext('2d').getImageData(0, 0, 94, 94).data]"
            ".filter((_, i) => i % 4 === 0)"
        )
    )
    assert shown == piece.picture[1:-1, 1:-1].flatten().tolist()
    middle = tab.get_by_label("Kernel, row 2, column 2")
    middle.fill("-2")
    piece.kernel = [0, 0, 0, 0, -2, 0, 0, 0, 0]
    assert f": −{abs(piece.outputs[0, 0]):.1f}." in summary.inner_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "conv"}, "mode is 'conv'; expected one of 'convolution'"),
        ({"kernel": [1, 2]}, "kernel has 2 entries; expected 9"),
        ({"kernel": [float("inf")] * 9}, r"kernel\[0\] is inf; expected -10 to 10"),
        ({"unit": (6, 0)}, r"unit\[0\] is 6; expected 0 to 5"),
        ({"picture": np.zeros((96, 96, 3), np.uint8)}, r"shape \(96, 96, 3\); expected \(96, 96\)"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        ConvolutionSteps(**settings)


def test_pixels_travel_unchanged() -> None:
    picture = np.arange(96 * 96).reshape(96, 96).astype(np.uint8)
    piece = ConvolutionSteps(picture=picture)
    assert np.array_equal(piece.picture, picture)
    assert base64.b64decode(piece.pixels) == picture.tobytes()
