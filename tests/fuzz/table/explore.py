"""`explore`: the interactive figures."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import nn

from cvcourse.models import SingleLayer, SmallCNN, standardized
from fuzz.arrays import picture, plane
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Trial,
    choice,
    names,
    number,
    numbers,
    seed,
    text,
    thing,
    whole,
)
from fuzz.objects import images_of, mapping
from fuzz.rows import Row, row
from fuzz.table.explore_kinds import (
    draws,
    guesses,
    labels_of,
    layers,
    operations,
    photo,
    points,
    shares,
    small,
    unit,
)
from fuzz.things import image_set, photograph, pictures


def page(piece: Any) -> Any:
    """Its state and its words; the whole page and the picture are made, too."""
    piece.html()
    assert not re.search(r"\b(nan|inf)\b", piece.still().lower())
    return piece.state(), piece.caption()


def classifier() -> Any:
    """(B, 3, 32, 32) uint8 → logits (B, 3)."""
    torch.manual_seed(0)
    return standardized(SingleLayer, small()).eval()


def backbone() -> Any:
    """(B, 3, 32, 32) uint8 → features (B, 8)."""
    torch.manual_seed(0)
    model = standardized(SmallCNN, small(), width=2).eval()
    model[1].classifier = nn.Identity()
    return model


def collected() -> Any:
    """At least 30 pictures of each of three classes."""
    return image_set(96, side=32)


def spoiled() -> Any:
    """It has diverged."""
    return (
        classifier()
        .requires_grad_(False)
        .apply(lambda m: [p.fill_(np.nan) for p in m.parameters()])
    )


def rows() -> list[Row]:
    ten = numbers((0.5, 2.0, -1.0), -10, 10).but(
        Trial("tensor", lambda: torch.tensor([0.5, 2.0, -1.0]), SAME)
    )
    three, two = names("cow", "dog", "cat"), names("cat", "cup")
    kernel = numbers((0, 1, 0, 1, -4, 1, 0, 1, 0.5), -10, 10)
    grey = plane(lambda: pictures(96, 96).numpy()).optional()

    models = mapping(lambda: {"one": classifier(), "two": classifier()}).but(
        Trial("one model", lambda: {"one": classifier()}, WRONG),
        Trial("a model that answers NaN", lambda: {"one": spoiled(), "two": classifier()}, WRONG),
        Trial("three models", lambda: dict.fromkeys("abc", classifier()), WRONG),
    )
    seen = images_of(small).but(
        Trial("another size", image_set, WRONG),
        Trial("without boxes", small, FINE),
        Trial("too many", lambda: small(7), WRONG),
        Trial("more classes", lambda: image_set(4, 4, 32), ANY),
        Trial("fewer classes", lambda: image_set(2, 2, 32), ANY),
        Trial("one picture", lambda: small()[:1], ANY),
    )
    few_models = models.but(
        Trial("one model", lambda: {"one": classifier()}, FINE),
        Trial("three models", lambda: dict.fromkeys("abc", classifier()), FINE),
        Trial("four models", lambda: dict.fromkeys("abcd", classifier()), WRONG),
    )
    few_pictures = seen.but(
        Trial("too many", lambda: small(11), WRONG), Trial("seven", lambda: small(7), FINE)
    )
    square = ((20.0, 15.0), (110.0, 15.0), (80.0, 85.0), (-10.0, 85.0))
    corners = thing(lambda: square, "corners").but(
        Trial("a list", lambda: [list(c) for c in square], SAME),
        Trial("array", lambda: np.array(square), SAME),
        Trial("three", lambda: square[:3], WRONG),
        Trial("five", lambda: (*square, (0.0, 0.0)), WRONG),
        Trial("crossed", lambda: (square[0], square[2], square[1], square[3]), WRONG),
        Trial("on a line", lambda: ((0.0, 0.0), (50.0, 50.0), (100.0, 100.0), (0.0, 100.0)), WRONG),
        Trial("NaN", lambda: ((float("nan"), 0.0), *square[1:]), WRONG),
        Trial("far", lambda: ((-151.0, 15.0), *square[1:]), WRONG),
        Trial("no parallelogram", lambda: ((0.0, 0.0), *square[1:]), WRONG),
        Trial("of three numbers", lambda: ((0.0, 0.0, 0.0), *square[1:]), WRONG),
        drop=["its class"],
    )
    two_pictures = thing(lambda: (photograph(), photograph()), "picture", "pictures").but(
        Trial("()", tuple, FINE),
        Trial("[]", list, FINE),
        Trial("one", lambda: (photograph(),), WRONG),
        Trial("three", lambda: (photograph(),) * 3, WRONG),
        Trial("floats", lambda: (photograph() / 255,) * 2, WRONG),
        Trial("grey", lambda: (photograph()[..., 0],) * 2, WRONG),
        Trial("tensors", lambda: (pictures()[0], pictures()[1]), WRONG),
        drop=["its class", "{}", "iterator"],
    )
    drawn = {
        "original": picture(lambda: photograph(8, 8, 3), grey=WRONG).but(drop=["tensor"]),
        "pictures": draws(),
        "operations": operations(),
        "strengths": numbers((3.0, 9.0)),
        "n": whole(1, 0, 2),
    }
    of = {"look": page}
    return [
        row(
            "explore.SoftmaxTemperature",
            logits=ten,
            temperature=number(4.0, 0.01, 1000),
            names=three.but(Trial("[]", list, FINE)),
            **of,
        ),
        row(
            "explore.DistillationLoss",
            teacher=ten,
            student=ten,
            label=whole(1, 0, 2),
            temperature=number(4.0, 1, 100),
            alpha=number(0.5, 0, 1),
            names=three,
            **of,
        ),
        row(
            "explore.ConvolutionSteps",
            mode=choice("convolution", ["convolution", "locally connected", "fully connected"]),
            kernel=kernel,
            unit=unit(5),
            picture=grey,
            **of,
        ),
        row(
            "explore.CutMixBox",
            lam=number(0.5, 0, 1),
            centre=unit(224),
            pictures=two_pictures,
            names=two,
            **of,
        ),
        row("explore.CropLab", models=models, pictures=seen, **of),
        row(
            "explore.OwnPicture",
            models=few_models,
            pictures=few_pictures,
            **of,
        ),
        row(
            "explore.TeachItYourself",
            backbone=thing(backbone, "model", "weights", "features").but(
                Trial("one that answers NaN", spoiled, WRONG),
                Trial("with a head", classifier, FINE),
            ),
            pictures=images_of(collected).but(
                Trial("another size", lambda: image_set(90), WRONG),
                Trial("too few of a class", lambda: collected()[:70], WRONG),
                Trial("more classes", lambda: image_set(140, 4, 32), FINE),
                Trial("fewer classes", lambda: image_set(90, 2, 32), FINE),
                Trial("one class", lambda: image_set(90, 1, 32), WRONG),
                Trial("one picture", lambda: collected()[:1], WRONG),
                Trial("too many", lambda: image_set(420, 3, 32), WRONG),
            ),
            start=choice("fair", ["fair", "lopsided", "wrong"]),
            threshold=number(0.8, 0.5, 1),
            rounds=whole(1, 0, 10),
            **of,
        ),
        row(
            "explore.UnitLens",
            models=few_models,
            pictures=few_pictures,
            layer=whole(1, 1, 2).optional(),
            unit=numbers((1, 0, 0), 0, 2)
            .but(Trial("halves", lambda: (0.5, 0, 0), WRONG))
            .optional(),
            side=whole(5, 1, 16),
            **of,
        ),
        row(
            "explore.DistilledPicture",
            teacher=thing(classifier, "model", "weights").but(
                Trial("one that answers NaN", spoiled, WRONG)
            ),
            student=thing(classifier, "model", "weights").but(
                Trial("one that answers NaN", spoiled, WRONG)
            ),
            pictures=few_pictures,
            temperature=number(4.0, 1, 100),
            alpha=number(0.5, 0, 1),
            **of,
        ),
        row(
            "explore.export_for_page",
            model=thing(classifier, "model", "weights").but(
                Trial("one that answers NaN", spoiled, WRONG)
            ),
            example=thing(lambda: small().images, "example").but(
                Trial("floats", lambda: small().images / 255, WRONG),
                Trial("one picture", lambda: small().images[0], WRONG),
                Trial("another size", lambda: image_set().images, WRONG),
                Trial("none", lambda: small().images[:0], WRONG),
            ),
        ),
        row(
            "explore.networks.network",
            model=thing(lambda: SmallCNN(width=2), "model"),
            input_shape=thing(lambda: (3, 16, 16), "input_shape", "images", drop=["()"]),
            title=text(),
        ),
        row(
            "explore.networks.block",
            branches=mapping(lambda: {"1×1": nn.Conv2d(4, 2, 1), "": nn.Identity()}),
            input_shape=thing(lambda: (4, 8, 8), "input_shape", "images", drop=["()"]),
            join=choice("concatenate", []),
            title=text(),
        ),
        row(
            "explore.methods.cutmix",
            planned=number(0.64, 0, 1),
            x=number(0.9, 0, 1),
            y=number(0.4, 0, 1),
        ),
        row(
            "explore.NeighbourVote",
            features=points(),
            labels=labels_of(1),
            names=two.but(
                Trial("one more", lambda: ("cat", "cup", "more"), FINE), drop=["one more"]
            ),
            query=numbers((0.5, 1.0)).optional(),
            k=whole(2, 1, 4),
            n=whole(4, 2, 4).optional(),
            **of,
        ),
        row(
            "explore.NoisyStudentRounds",
            rounds=guesses(),
            pictures=seen.but(Trial("one picture", lambda: small()[:1], WRONG)),
            shown=whole(2, 1, 3),
            round=whole(1, 0, 1),
            **of,
        ),
        row(
            "explore.PseudoLabelThreshold",
            probabilities=shares(),
            labels=labels_of(1),
            names=two,
            threshold=number(0.5, 0, 1),
            **of,
        ),
        row("explore.RandAugmentSteps", **drawn, **of),
        row(
            "explore.ReceptiveFieldStack",
            layers=layers(),
            size=whole(16, 8, 512),
            layer=whole(2, 1, 2).optional(),
            unit=unit(7).optional(),
            picture=photo(),
            **of,
        ),
        row(
            "explore.CornerMap",
            corners=corners,
            mode=choice("affine", ["affine", "perspective"]),
            picture=photo(),
            **of,
        ),
        row(
            "explore.TwoMoons",
            per_class=whole(5, 1, 10),
            draw=whole(0, 0, 7),
            labels=choice("outside", ["anywhere", "outside"]),
            width=number(0.1, 0, 0.4),
            way=choice("two views", ["pseudo-labels", "two views"]),
            threshold=number(0.9, 0.5, 1),
            seed=seed(),
            **of,
        ),
        row("explore.base.module", name=choice("softmax", ["softmax", "crop"])),
        row("explore.base.style", name=choice("unit", ["unit", "bring"])),
    ]
