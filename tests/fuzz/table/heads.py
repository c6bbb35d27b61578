"""Heads and their losses, `Standardize`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from cvcourse.models import (
    SmallCNN,
    Standardize,
)
from cvcourse.models.heads import (
    ClassificationHead,
)
from fuzz.arrays import bools, floats, images
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Trial,
    thing,
    whole,
)
from fuzz.objects import images_of, mapping
from fuzz.rows import Row, row
from fuzz.table.models import COUNT
from fuzz.things import (
    CLASSES,
    N,
    boxes,
    image_set,
    masks,
    normal,
    pictures,
    random,
)


def rows() -> list[Row]:
    """Heads and their losses, `Standardize`, tables."""
    channels = whole(4, 1).but(drop=["lowest"])
    look = lambda head: head(random(2, 4, 3, 3))  # noqa: E731
    truth_ = images_of(no_labels=FINE, other_classes=ANY).but(
        Trial("more of them", lambda: image_set(9), WRONG),
        Trial("one picture", lambda: image_set(1), WRONG),
    )
    with_boxes = truth_.but(
        Trial("without boxes", lambda: _bare(), WRONG),
        Trial("without labels", lambda: replace(image_set(), labels=torch.full((N,), -1)), FINE),
    )
    scores = (
        floats(lambda: normal(N, CLASSES), tied=(0,), nan=SPREADS, infinite=SPREADS)
        .but(Trial("too few classes", lambda: normal(N, 2), WRONG))
        .named("logits")
    )
    both = thing(lambda: (normal(N, CLASSES), boxes() + 0.5), "prediction", "logits", "boxes").but(
        Trial("logits alone", lambda: normal(N, CLASSES), WRONG),
        Trial("boxes first", lambda: (boxes(), normal(N, CLASSES)), WRONG),
        Trial("a list", lambda: [normal(N, CLASSES), boxes() + 0.5], SAME),
        Trial("boxes of three", lambda: (normal(N, CLASSES), boxes()[:, :3]), WRONG),
        Trial("fewer boxes", lambda: (normal(N, CLASSES), boxes()[:1]), WRONG),
        Trial("fewer logits", lambda: (normal(1, CLASSES), boxes()), WRONG),
        Trial("boxes upside down", lambda: (normal(N, CLASSES), boxes().flip(1)), ANY),
        Trial("boxes of NaN", lambda: (normal(N, CLASSES), boxes() * float("nan")), SPREADS),
    )
    backbone = thing(lambda: nn.Conv2d(3, 4, 3), "backbone", "Module", "module")
    heads = mapping(lambda: {"class": ClassificationHead(4, CLASSES)}).named("heads", "head")
    statistics = floats(lambda: torch.tensor([0.25, 0.5, 0.75]), tied=(0,)).but(
        Trial("half", lambda: torch.tensor([0.25, 0.5, 0.75]).half(), ANY),
        drop=["one dimension less"],
    )
    spread = statistics.but(
        Trial("zero", lambda: torch.tensor([0.0, 0.5, 0.75]), WRONG),
        Trial("negative", lambda: torch.tensor([-0.25, 0.5, 0.75]), WRONG),
        Trial("int64", lambda: torch.tensor([0, 1, 1]), WRONG),
        Trial("bool", lambda: torch.tensor([False, True, True]), WRONG),
    )
    standard = Standardize(torch.tensor([0.25, 0.5, 0.75]), torch.tensor([0.25, 0.5, 0.75]))
    logits = floats(lambda: normal(N, 8, 8), tied=(0, 1, 2), nan=SPREADS, infinite=SPREADS).named(
        "logits", "masks"
    )
    builders = thing(lambda: SmallCNN(width=2), "model", "constructor", "Module").but(
        Trial("its class", lambda: SmallCNN, FINE),
        Trial(
            "a function",
            lambda: (
                lambda n_classes, channels: SmallCNN(
                    n_classes=n_classes, channels=channels, width=2
                )
            ),
            FINE,
        ),
        Trial("a function that builds nothing", lambda: lambda n_classes: None, WRONG),
        Trial("another class", lambda: nn.Linear, WRONG),
    )
    masks_of = bools(masks, tied=(0, 1, 2))
    return [
        row("models.heads.ClassificationHead", channels=channels, n_classes=COUNT, look=look),
        row(
            "models.heads.DetectionHead",
            channels=channels,
            n_classes=COUNT,
            map_size=whole(3, 1).but(drop=["lowest"]),
            image_size=whole(8, 1),
            look=look,
        ),
        row(
            "models.heads.SegmentationHead",
            channels=channels,
            stride=whole(2, 1),
            look=look,
        ),
        row(
            "models.heads.MultiHead",
            backbone=backbone,
            heads=heads,
            look=lambda m: m(random(2, 3, 5, 5)),
        ),
        row("models.heads.classification_loss", logits=scores, truth=truth_),
        row("models.heads.detection_loss", prediction=both, truth=with_boxes),
        row(
            "models.heads.segmentation_loss",
            logits=logits,
            truth=with_boxes.but(
                Trial("without labels", lambda: image_set(), FINE),
                Trial("one without a label", lambda: image_set(), FINE),
            ),
        ),
        row("models.heads.mask_iou", predicted=masks_of, truth=masks_of),
        row("models.Standardize", mean=statistics, std=spread, look=lambda m: m(pictures())),
        row(
            "models.Standardize()",
            standard,
            **{
                "*images": images(pictures, floats=FINE, tied=(1,)).but(
                    Trial("NaN floats", lambda: pictures() * float("nan"), SPREADS),
                    Trial("two channels", lambda: pictures()[:, :2], WRONG),
                    drop=["half", "on meta", "no rows", "no columns"],
                )
            },
        ),
        row(
            "models.standardized",
            model=builders,
            train=images_of(no_labels=FINE),
            look=lambda m: m.eval()(pictures()).shape,
        ),
    ]


def _bare() -> Any:
    return replace(image_set(), boxes=None, masks=None)
