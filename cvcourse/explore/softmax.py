"""Softmax with a temperature: logits in, soft predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import traitlets

from cvcourse.checks import check_integer, check_same_length
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.traits import check_list, check_names, check_numbers, trait_errors
from cvcourse.losses import softmax


class SoftmaxTemperature(Explorable):
    """Drag the logits and the temperature, see the soft prediction.

    Softmax with a temperature is that of Hinton, Vinyals & Dean (2015), "Distilling the Knowledge
    in a Neural Network", section 2.

    >>> from cvcourse.explore import SoftmaxTemperature
    >>> print(SoftmaxTemperature([0, 5], temperature=5).caption())
    Softmax at T = 5: class 0 0.2689, class 1 0.7311; 0.84 bits.

    Args:
        logits: one a class, −10 to 10, for 2 to 8 classes.
        temperature: 0.01 to 1000.
        names: of the classes; "class 0", … if not given.

    Raises:
        TraitError: a logit or the temperature is out of range; names and logits differ in number.
    """

    title = "Softmax with a temperature"
    _esm = module("softmax")

    names = traits.names()
    logits = traits.numbers(-10, 10)
    temperature = traits.number(0.01, 1000, "the temperature T")

    def __init__(
        self,
        logits: Sequence[float] = (0.0, 5.0),
        temperature: float = 100.0,
        names: Sequence[str] = (),
    ) -> None:
        with trait_errors():
            names = check_names("names", names)
            if not names:
                names = [f"class {i}" for i in range(len(check_list("logits", logits)))]
        super().__init__(logits=logits, temperature=temperature, names=names)

    @traitlets.validate("names", "logits")
    @trait_errors()
    def _check_classes(self, proposal: dict[str, Any]) -> list[Any]:
        name, values = proposal["trait"].name, proposal["value"]
        check_same_length(**{"names": self.names, "logits": self.logits, name: values})
        check_integer(f"the length of {name}", len(values), 2, 8, "classes")
        return values

    @property
    def probabilities(self) -> list[float]:
        """The soft prediction; set it, and the logits become those that give it."""
        return self._softmax(self.temperature)

    @probabilities.setter
    @trait_errors()
    def probabilities(self, values: Sequence[float]) -> None:
        wanted = torch.tensor(
            check_numbers("probabilities", values, 1e-300, 1), dtype=torch.float64
        )
        if abs(wanted.sum() - 1) > 1e-6:
            raise traitlets.TraitError(
                f"probabilities add up to {wanted.sum():.6g}; expected 1 — divide by their sum"
            )
        logits = self.temperature * wanted.log()
        self.logits = (logits - logits.mean()).tolist()

    @property
    def entropy(self) -> float:
        """Of the soft prediction, in bits."""
        p = torch.tensor(self.probabilities, dtype=torch.float64)
        return float(-torch.special.xlogy(p, p).sum() / torch.log(torch.tensor(2.0).double()))

    def _softmax(self, temperature: float) -> list[float]:
        logits = torch.tensor(self.logits, dtype=torch.float64)
        return softmax(logits, temperature).tolist()

    def caption(self) -> str:
        """The soft prediction in numbers."""
        pairs = zip(self.names, self.probabilities, strict=True)
        told = ", ".join(f"{name} {p:.4f}" for name, p in pairs)
        return f"Softmax at T = {self.temperature:g}: {told}; {self.entropy:.2f} bits."

    def still(self) -> str:
        """A pair of bars a class: grey at T = 1, blue at this temperature."""
        shares = zip(self._softmax(1), self.probabilities, strict=True)
        names = (f"{n}, logit {z:.1f}" for n, z in zip(self.names, self.logits, strict=True))
        title = f"softmax; grey: T = 1, blue: T = {self.temperature:g}"
        rows = dict(zip(names, shares, strict=True))
        return still.paired_bars(title, rows, ("grey", "blue"), self.caption())
