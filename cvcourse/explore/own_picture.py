"""Your own picture: what trained networks say of it, computed in the page while you draw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets
from torch import nn, tensor

from cvcourse.checks import checked
from cvcourse.data import ImageSet
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module, style
from cvcourse.explore.export import export_for_page
from cvcourse.explore.pictures import exact_uri, photograph
from cvcourse.explore.traits import check_integers, trait_errors

SIDE = 32
STRANGER = "a cat"  #: the picture at the end of the row, of no class


class OwnPicture(Explorable):
    """Draw, choose, paste or drop a picture: the networks themselves are in the page, and answer.

    The picture can be moved, scaled, turned and partly hidden; a map shows at which shifts of it
    each network's answer stays the same.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import OwnPicture
    >>> from cvcourse.models import SingleLayer, SmallCNN, standardized
    >>> pictures = render(10)
    >>> models = {make.__name__: standardized(make, pictures) for make in (SingleLayer, SmallCNN)}
    >>> OwnPicture(models, pictures).captions[-1]
    'a cat'

    Args:
        models: name → trained model, 1 to 3 of them, of (B, 3, 32, 32) uint8 to logits; what
            `export_for_page` can express.
        pictures: 1 to 10 to begin with, (3, 32, 32), of at most 10 classes. A photograph of a cat
            is put behind them.

    Raises:
        TraitError: pictures or models are not as above.
    """

    title = "Your own picture"
    _esm = module("own_picture", "forward", "bring", "sheet")
    _css = style("own_picture", "bring")

    networks = traitlets.Dict().tag(sync=True)
    names = traits.names()
    pictures = traits.names()
    captions = traits.names()
    labels = traits.integers(-1, 9, "a class, or −1: none of them")
    picture = traits.integer(-1, 10, "one of the pictures, or −1: one's own")
    tool = traits.choice("draw", "move", "hide")
    shift = traits.numbers(-16, 16, length=2)
    scale = traits.number(0.4, 2, "the size of the picture; 1 is as it is")
    turn = traits.number(-180, 180, "degrees, counter-clockwise")
    hidden = traits.number(0, 0.8, "the side of the square that hides, a share of the picture's")
    hidden_at = traits.numbers(0, 1, length=2)
    truth = traits.integer(-1, 9, "the class that is meant, or −1: it is not told")

    @trait_errors()
    @checked
    def __init__(self, models: Mapping[str, nn.Module], pictures: ImageSet) -> None:
        shape, classes = tuple(pictures.images.shape), pictures.n_classes
        if not 1 <= shape[0] <= 10 or shape[1:] != (3, SIDE, SIDE):
            raise ValueError(f"pictures have shape {shape}; expected (1 to 10, 3, {SIDE}, {SIDE})")
        if not (1 <= len(models) <= 3 and classes <= 10):
            raise ValueError(
                f"there are {len(models)} models and {classes} classes; expected 1 to 3, and at "
                "most 10, or the page would become too crowded"
            )
        networks = {
            name: export_for_page(model, pictures.images[:2]) for name, model in models.items()
        }
        for name, network in networks.items():
            answers = len(network["golden"]["logits"][0])
            if answers != classes:
                raise ValueError(
                    f"the model {name!r} answers {answers} numbers for {classes} classes; expected "
                    "a number for each class"
                )
        labels = check_integers("labels", pictures.labels, 0, classes - 1, "the true class")
        arrays = pictures.images.permute(0, 2, 3, 1).cpu().numpy()  # (P, 32, 32, 3)
        self._shown = arrays[0]
        self._answers = {
            name: tensor(network["golden"]["logits"][0]).softmax(0).numpy()
            for name, network in networks.items()
        }
        names = list(pictures.class_names)
        super().__init__(
            networks=networks,
            names=names,
            pictures=[*map(exact_uri, arrays), photograph("chelsea")],
            captions=[*(names[label] for label in labels), STRANGER],
            labels=[*labels, -1],
            picture=0,
            shift=[0, 0],
            scale=1,
            turn=0,
            hidden=0,
            hidden_at=[0.5, 0.5],
            truth=labels[0],
        )

    def caption(self) -> str:
        """What the networks say of the first picture, as it is."""
        says = still.says(self._answers, self.names)
        return (
            f"A picture of the book, a {self.captions[0]}, and what the networks say of it. "
            f"{says}. With scripts, this is a sheet to draw on, and they answer as you draw."
        )

    def still(self) -> str:
        """The first picture, and each network's three likeliest classes."""
        parts = [
            f'<image href="{exact_uri(self._shown)}" width="240" height="240" '
            'style="image-rendering: pixelated"/>'
        ]
        for i, (arm, p) in enumerate(self._answers.items()):
            y = 16 + 80 * i
            parts.append(still.text(270, y, arm))
            for j, label in enumerate(np.argsort(-p)[:3]):
                parts += [
                    still.text(270, y + 20 + 18 * j, self.names[label]),
                    still.bar(360, y + 9 + 18 * j, 180, 12, float(p[label]), "blue"),
                    still.text(600, y + 20 + 18 * j, f"{p[label]:.2f}", anchor="end"),
                ]
        return still.picture(600, 250, self.caption(), *parts)
