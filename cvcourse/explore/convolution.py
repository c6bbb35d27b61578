"""From fully connected over locally connected to convolution, and a kernel to edit."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import check_picture, grey_photograph
from cvcourse.explore.traits import trait_errors

IN, OUT, K = 8, 6, 3  # units down and across: 8 × 8 in, 6 × 6 out, 3 × 3 kernel
SIDE = 96


class ConvolutionSteps(Explorable):
    """See which weights an output uses, count them, and edit a kernel on a photograph.

    The input is the photograph reduced to 8 × 8 by averaging. The weights of the fully and the
    locally connected layer are made up by a formula, so that they are the same everywhere.

    >>> from cvcourse.explore import ConvolutionSteps
    >>> print(ConvolutionSteps("locally connected").caption())
    Locally connected: output (2, 2) uses 9 of 64 inputs; the layer has 324 weights.

    Args:
        mode: "fully connected", "locally connected" or "convolution".
        kernel: 3 × 3 weights from −10 to 10, row by row.
        unit: (row, column) of the output that is looked at, 0 to 5.
        picture: (96, 96) uint8 grey; a cat if not given.

    Raises:
        TraitError: something is not as above.
    """

    title = "From fully connected to convolution"
    _esm = module("convolution")

    mode = traits.choice("convolution", "locally connected", "fully connected")
    kernel = traits.numbers(-10, 10, length=K * K)
    unit = traits.integers(0, OUT - 1, "row and column", length=2)
    pixels = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        mode: str = "convolution",
        kernel: Sequence[float] = (-1, 0, 1, -2, 0, 2, -1, 0, 1),
        unit: tuple[int, int] = (2, 2),
        *,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        picture = grey_photograph("chelsea-grey") if picture is None else picture
        with trait_errors():
            check_picture("picture", picture, SIDE, SIDE)
        super().__init__(
            mode=mode,
            kernel=kernel,
            unit=unit,
            pixels=base64.b64encode(picture.tobytes()).decode(),
        )

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The photograph, (96, 96)."""
        return np.frombuffer(base64.b64decode(self.pixels), np.uint8).reshape(SIDE, SIDE)

    @property
    def inputs(self) -> Tensor:
        """The photograph reduced to (8, 8) by averaging, rounded to whole greys; float64."""
        block = SIDE // IN
        blocks = self.picture.reshape(IN, block, IN, block).astype(np.float64)
        return torch.from_numpy(np.floor(blocks.mean(axis=(1, 3)) + 0.5))

    @property
    def matrix(self) -> Tensor:
        """The layer as (36, 64) weights from inputs to outputs; zero where there is none."""
        o, i = torch.arange(OUT**2)[:, None], torch.arange(IN**2)
        own = ((o * 7919 + i * 104729) % 2017).double() / 1008 - 1  # (36, 64)
        if self.mode == "fully connected":
            return own
        y, x = i // IN - o // OUT, i % IN - o % OUT  # (36, 64) place in the kernel
        inside = (y >= 0) & (y < K) & (x >= 0) & (x < K)
        if self.mode == "convolution":
            kernel = torch.tensor(self.kernel, dtype=torch.float64)
            own = kernel[(y * K + x).clamp(0, K * K - 1)]
        return torch.where(inside, own, 0.0)

    @property
    def outputs(self) -> Tensor:
        """(6, 6) float64."""
        return (self.matrix @ self.inputs.flatten()).view(OUT, OUT)

    @property
    def parameters(self) -> int:
        """How many weights the layer has to learn."""
        return {
            "fully connected": IN**2 * OUT**2,
            "locally connected": K**2 * OUT**2,
            "convolution": K**2,
        }[self.mode]

    @property
    def filtered(self) -> Tensor:
        """The photograph after the convolution, (94, 94) float64."""
        picture = torch.tensor(self.picture, dtype=torch.float64)
        kernel = torch.tensor(self.kernel, dtype=torch.float64).view(1, 1, K, K)
        return F.conv2d(picture[None, None], kernel)[0, 0]

    def caption(self) -> str:
        """What the chosen output uses, and what the layer has."""
        used = IN**2 if self.mode == "fully connected" else K**2
        return (
            f"{self.mode.capitalize()}: output ({self.unit[0]}, {self.unit[1]}) uses {used} of "
            f"{IN**2} inputs; the layer has {self.parameters:,} weights."
        )

    def still(self) -> str:
        """Inputs at the left, those that the chosen output uses marked; outputs at the right."""
        used = self.matrix[self.unit[0] * OUT + self.unit[1]]
        all_used = self.mode == "fully connected"
        parts = [still.text(40, 14, "inputs, those used marked"), still.text(360, 14, "outputs")]
        row, column = self.unit
        for i, grey in enumerate(self.inputs.flatten().int().tolist()):
            y, x = divmod(i, IN)
            parts.append(still.cell(40 + 30 * x, 24 + 30 * y, 30, f"rgb({grey},{grey},{grey})"))
            if all_used or (0 <= y - row < K and 0 <= x - column < K):
                colour = still.tone("blue" if used[i] < 0 else "orange")
                parts.append(still.cell(48 + 30 * x, 32 + 30 * y, 14, colour))
        largest = float(self.outputs.abs().max()) or 1.0
        for o, value in enumerate(self.outputs.flatten().tolist()):
            y, x = divmod(o, OUT)
            colour = still.tone("blue" if value < 0 else "orange")
            parts.append(
                still.cell(360 + 30 * x, 24 + 30 * y, 30, colour, opacity=abs(value) / largest)
            )
        parts.append(still.frame(360 + 30 * column, 24 + 30 * row, 30, 30))
        return still.picture(600, 270, self.caption(), *parts)
