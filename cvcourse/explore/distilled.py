"""What a trained teacher and its student say of a picture, and what the student would learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from cvcourse.checks import checked
from cvcourse.data import ImageSet
from cvcourse.explore import traits
from cvcourse.explore.base import module, style
from cvcourse.explore.distillation import DistillationLoss
from cvcourse.explore.export import (
    export_for_page,
    halved,
    in_base64,
    picture_from,
)
from cvcourse.explore.pictures import check_small_pictures
from cvcourse.explore.traits import check_integers, trait_errors


class DistilledPicture(DistillationLoss):
    """Choose a picture, or bring your own: a teacher's and a student's logits, softened by T.

    Both networks are in the page. What they say can be moved afterwards, as in `DistillationLoss`,
    whose terms and gradient are those of this one picture.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import DistilledPicture
    >>> from cvcourse.models import SmallCNN, standardized
    >>> pictures = render(4)
    >>> models = (standardized(SmallCNN, pictures, width=width) for width in (8, 4))
    >>> len(DistilledPicture(*models, pictures).teacher)
    10

    Args:
        teacher: (B, 3, S, S) uint8 to logits, within ±50; what `export_for_page` can express.
        student: likewise.
        pictures: 1 to 10 to begin with, (3, S, S), S from 8 to 64, of 2 to 10 classes.
        temperature: 1 to 100.
        alpha: weight of the soft term, 0 to 1.

    Raises:
        TraitError: something is not as above, or a model has another number of classes.
    """

    title = "What a teacher says of a picture"
    _esm = module("distillation", "forward", "bring", "choose")
    _css = style("distilled", "bring")

    networks = traitlets.Dict().tag(sync=True)
    pictures = traits.names()
    captions = traits.names()
    labels = traits.integers(0, 9, "the true class")
    pixels = traitlets.Unicode().tag(sync=True)
    teacher = traits.numbers(-50, 50)
    student = traits.numbers(-50, 50)

    @trait_errors()
    @checked
    def __init__(
        self,
        teacher: nn.Module,
        student: nn.Module,
        pictures: ImageSet,
        *,
        temperature: float = 4.0,
        alpha: float = 0.9,
    ) -> None:
        self._shape, names = check_small_pictures(pictures), list(pictures.class_names)
        labels = check_integers("labels", pictures.labels, 0, len(names) - 1, "the true class")
        self._models = {"teacher": halved(teacher).eval(), "student": halved(student).eval()}
        networks = {who: export_for_page(m, pictures.images[:1]) for who, m in self._models.items()}
        for network in networks.values():
            del network["golden"]
        says = self._says(pictures.images[:1].cpu())
        for who, logits in says.items():
            if len(logits) != len(names):
                raise ValueError(
                    f"the {who} answers {len(logits)} numbers for {len(names)} classes; expected "
                    "a number for each class"
                )
        super().__init__(
            says["teacher"],
            says["student"],
            labels[0],
            temperature=temperature,
            alpha=alpha,
            names=names,
        )
        coded = [in_base64(image) for image in pictures.images.cpu()]
        self.networks, self.pictures, self.labels = networks, coded, labels
        self.captions = [names[label] for label in labels]
        self.pixels = coded[0]

    def _says(self, image: Tensor) -> dict[str, list[float]]:
        """The logits of both for one picture, (1, 3, S, S) uint8, to four digits."""
        with torch.no_grad():
            answers = {who: model(image)[0].tolist() for who, model in self._models.items()}
        return {who: [round(z, 4) for z in logits] for who, logits in answers.items()}

    @traitlets.validate("pixels")
    @trait_errors()
    def _check_pixels(self, proposal: dict[str, Any]) -> str:
        pixels: str = proposal["value"]
        picture_from(pixels, self._shape)
        return pixels

    @traitlets.observe("pixels")
    def _ask(self, change: dict[str, Any]) -> None:
        says = self._says(picture_from(self.pixels, self._shape))
        with self.hold_trait_notifications():
            self.teacher, self.student = says["teacher"], says["student"]

    def caption(self) -> str:
        """What both say, and the terms of the loss."""
        says = "; ".join(
            f"the {who} says {self.names[int(np.argmax(logits))]}"
            for who, logits in (("teacher", self.teacher), ("student", self.student))
        )
        return f"Of this picture {says}. {super().caption()}"
