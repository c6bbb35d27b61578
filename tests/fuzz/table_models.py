"""cvcourse.models, receptive_field: architectures, heads, tables, what a unit sees."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from arrays import bools, floats, images
from kinds import (
    ANY,
    EITHER,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Kind,
    Trial,
    choice,
    function,
    mapping,
    number,
    numbers,
    size,
    text,
    thing,
    truth,
    whole,
)
from objects import images_of
from rows import Row, row
from things import (
    CLASSES,
    N,
    boxes,
    conv_net,
    image_set,
    masks,
    normal,
    pictures,
    random,
)
from torch import nn

from cvcourse.models import (
    MLP,
    VGG,
    AlexNet,
    FlattenCNN,
    Layer,
    LeNet5,
    LocallyConnected2d,
    LocallyConnectedNet,
    PathwiseLRN,
    SingleLayer,
    SmallCNN,
    SmallResNet,
    Standardize,
    TwoPathAlexNet,
    format_table,
    layer_table,
    load_official_weights,
    multiply_adds,
    standardized,
)
from cvcourse.models.heads import (
    ClassificationHead,
    DetectionHead,
    MultiHead,
    SegmentationHead,
    classification_loss,
    detection_loss,
    mask_iou,
    segmentation_loss,
)
from cvcourse.receptive_field import (
    Field,
    ReceptiveFields,
    Region,
    effective_receptive_field,
    receptive_field,
)

COUNT = whole(3, 1)


def shown(*shape: int) -> Any:
    """What a model makes of a batch; one on meta shows its shape only."""

    def look(model: nn.Module) -> Any:
        answer = model.eval()(torch.zeros(shape, device=next(model.parameters()).device))
        return tuple(answer.shape) if answer.device.type == "meta" else answer

    return look


def on_meta(make: Any) -> Any:
    """Without weights: a large one takes no memory."""

    def build(**given: Any) -> nn.Module:
        with torch.device("meta"):
            return make(**given)

    return build


def maps(*shape: int, tied: tuple[int, ...] = (1,)) -> Kind:
    """Feature maps or images as floats, which may carry NaN on."""
    kind = floats(lambda: random(*shape), tied=tied, nan=SPREADS, infinite=SPREADS, empty=FINE)
    return kind.but(
        Trial("no channel", lambda: random(*shape)[:, :0], WRONG),
        Trial("no rows", lambda: random(*shape)[:, :, :0], WRONG),
        Trial("channels_last", lambda: random(*shape).to(memory_format=torch.channels_last), SAME),
        Trial("float64", lambda: random(*shape).double(), ANY),
        Trial("int64", lambda: random(*shape).long(), ANY),
        Trial("bool", lambda: random(*shape).bool(), ANY),
        Trial("uint8", lambda: random(*shape).byte(), ANY),
        Trial("half", lambda: random(*shape).half(), ANY),
    ).named("images", "maps", "channels", "pixels", "shape")


def model_rows() -> list[Row]:
    """The architectures: building them, and what they are given."""
    colours = {"n_classes": COUNT, "channels": whole(3, 1).but(drop=["lowest"])}
    side, width = whole(8, 1).but(drop=["lowest"]), whole(2, 1)
    hidden = numbers((4, 5), 1, length=False).but(
        Trial("()", tuple, FINE),
        Trial("halves", lambda: (4.5, 5), WRONG),
        Trial("floats", lambda: (4.0, 5.0), EITHER),
        Trial("zero", lambda: (0, 5), WRONG),
        Trial("[]", list, FINE),
        Trial("{}", dict, ANY),
        Trial("iterator", lambda: iter(()), ANY),
        
    )
    resnet = {"blocks": whole(1, 1), "dropout": number(0.25, 0, 1), "stochastic_depth": number(0.25, 0, 1)}
    two = {"stride": pair(1), "padding": pair(1, low=0), "bias": truth(True)}
    look = shown(2, 3, 8, 8)
    local = LocallyConnected2d(3, 2, size=4, kernel_size=3)
    conv = thing(lambda: nn.Conv2d(3, 2, 3), "Conv2d", "convolution", "conv").but(
        Trial("another kernel", lambda: nn.Conv2d(3, 2, 5), WRONG),
        Trial("without a bias", lambda: nn.Conv2d(3, 2, 3, bias=False), WRONG),
        Trial("grouped", lambda: nn.Conv2d(3, 2, 3, groups=1), FINE),
        Trial("with stride 2", lambda: nn.Conv2d(3, 2, 3, stride=2), WRONG),
        Trial("dilated", lambda: nn.Conv2d(3, 2, 3, dilation=2), WRONG),
        Trial("a linear layer", lambda: nn.Linear(3, 2), WRONG),
    )
    lrn = {"paths": whole(2, 1), "size": whole(3, 1).but(Trial("even", lambda: 4, WRONG)), "alpha": number(0.25, 0), "beta": number(0.75, 0), "k": number(2.0, 0, above=True)}
    built: list[tuple[Any, Any]] = [
        (SingleLayer(size=8), maps(2, 3, 8, 8, tied=(1, 2, 3))),
        (MLP(size=8, hidden=(4,)), maps(2, 3, 8, 8, tied=(1, 2, 3))),
        (SmallCNN(width=2), maps(2, 3, 8, 8)),
        (FlattenCNN(size=8, width=2), maps(2, 3, 8, 8)),
        (SmallResNet(width=2), maps(2, 3, 8, 8)),
        (LocallyConnectedNet(size=8, width=2), maps(2, 3, 8, 8, tied=(1, 2, 3))),
        (LeNet5(channels=3), maps(2, 3, 32, 32, tied=(1, 2, 3))),
        (local, maps(2, 3, 4, 4, tied=(1, 2, 3))),
        (PathwiseLRN(paths=2), maps(2, 4, 3, 3, tied=())),
    ]
    return [
        row("SingleLayer", SingleLayer, **colours, size=side, look=look),
        row("SingleLayer.templates", lambda: SingleLayer(size=4).templates().shape),
        row("MLP", MLP, **colours, size=side, hidden=hidden, look=look),
        row("SmallCNN", SmallCNN, **colours, width=width, look=look),
        row("FlattenCNN", FlattenCNN, **colours, width=width, size=whole(8, 8), look=look),
        row("LocallyConnectedNet", LocallyConnectedNet, **colours, width=width, size=whole(8, 8), look=look),
        row("SmallResNet", SmallResNet, **colours, width=width, **resnet, look=look),
        row("LeNet5", LeNet5, **colours, look=shown(2, 3, 32, 32)),
        row("AlexNet", on_meta(AlexNet), n_classes=COUNT, look=shown(2, 3, 64, 64)),
        row("TwoPathAlexNet", on_meta(TwoPathAlexNet), n_classes=COUNT, look=shown(2, 3, 64, 64)),
        row("VGG", on_meta(VGG), depth=whole(11, 11, 19).but(*(Trial(f"{d}", lambda d=d: d, FINE if d in (13, 16) else WRONG) for d in (12, 13, 15, 16))), batch_norm=truth(False), n_classes=COUNT, look=shown(2, 3, 32, 32)),
        row("LocallyConnected2d", LocallyConnected2d, in_channels=whole(3, 1).but(drop=["lowest"]), out_channels=COUNT, size=pair(8, exact=True), kernel_size=pair(3).but(Trial("too large", lambda: 11, WRONG)), **two, look=look),
        row("LocallyConnected2d.share", local.share, conv=conv),
        row("PathwiseLRN", PathwiseLRN, **lrn, look=lambda m: m(random(2, 4, 3, 3))),
        *(row(f"{type(m).__name__}()", m.eval(), **{"*images": kind}) for m, kind in built),
    ]


def pair(value: int, *, low: int = 1, exact: bool = False) -> Kind:
    """A number of pixels, or one each down and across."""
    two = (value, value)
    one = whole(value, low)
    return one.but(drop=["lowest"] if exact else []).but(
        Trial("a pair", lambda: two, SAME),
        Trial("a list of two", lambda: list(two), EITHER),
        Trial("one of three", lambda: (value, value, value), WRONG),
        Trial("a single one", lambda: (value,), WRONG),
        Trial("a pair of floats", lambda: (float(value), value), EITHER),
        Trial("a pair with a half", lambda: (value + 0.5, value), WRONG),
        Trial("a pair with −1", lambda: (-1, value), WRONG),
        Trial("a pair of texts", lambda: (str(value), str(value)), WRONG),
        Trial("a pair with None", lambda: (None, value), WRONG),
        drop=["two"],
    )


def head_rows() -> list[Row]:
    """Heads and their losses, `Standardize`, tables."""
    channels = whole(4, 1).but(drop=["lowest"])
    look = lambda head: head(random(2, 4, 3, 3))  # noqa: E731
    truth_ = images_of(no_labels=WRONG, empty=WRONG).but(
        Trial("more of them", lambda: image_set(9), WRONG), Trial("one picture", lambda: image_set(1), WRONG)
    )
    with_boxes = truth_.but(Trial("without boxes", lambda: _bare(), WRONG))
    scores = floats(lambda: normal(N, CLASSES), tied=(0,), nan=SPREADS, infinite=SPREADS).but(
        Trial("too few classes", lambda: normal(N, 2), WRONG)
    ).named("logits")
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
    logits = floats(lambda: normal(N, 8, 8), tied=(0, 1, 2), nan=SPREADS, infinite=SPREADS).named("logits", "masks")
    builders = thing(lambda: SmallCNN(width=2), "model", "constructor", "Module").but(
        Trial("its class", lambda: SmallCNN, FINE),
        Trial("a function", lambda: lambda n_classes, channels: SmallCNN(n_classes=n_classes, channels=channels, width=2), FINE),
        Trial("a function that builds nothing", lambda: lambda n_classes: None, WRONG),
        Trial("another class", lambda: nn.Linear, WRONG),
    )
    masks_of = bools(masks, tied=(0, 1, 2), empty=FINE)
    return [
        row("ClassificationHead", ClassificationHead, channels=channels, n_classes=COUNT, look=look),
        row("DetectionHead", DetectionHead, channels=channels, n_classes=COUNT, map_size=whole(3, 1).but(drop=["lowest"]), image_size=whole(8, 1), hidden=whole(2, 1), look=look),
        row("SegmentationHead", SegmentationHead, channels=channels, stride=whole(2, 1), hidden=whole(2, 1), look=look),
        row("MultiHead", MultiHead, backbone=backbone, heads=heads, look=lambda m: m(random(2, 3, 5, 5))),
        row("classification_loss", classification_loss, logits=scores, truth=truth_),
        row("detection_loss", detection_loss, prediction=both, truth=with_boxes),
        row("segmentation_loss", segmentation_loss, logits=logits, truth=with_boxes.but(Trial("without labels", lambda: image_set(), FINE), Trial("one without a label", lambda: image_set(), FINE))),
        row("mask_iou", mask_iou, predicted=masks_of, truth=masks_of),
        row("Standardize", Standardize, mean=statistics, std=spread, look=lambda m: m(pictures())),
        row("Standardize()", standard, **{"*images": images(pictures, floats=FINE, tied=(1,)).but(Trial("NaN floats", lambda: pictures() * float("nan"), SPREADS), Trial("two channels", lambda: pictures()[:, :2], WRONG), drop=["half"])}),
        row("standardized", standardized, model=builders, train=images_of(no_labels=FINE), look=lambda m: m.eval()(pictures()).shape),
    ]


def _bare() -> Any:
    from dataclasses import replace

    return replace(image_set(), boxes=None, masks=None)


def table_rows() -> list[Row]:
    """Layer tables, multiply-adds, receptive fields."""
    shape = numbers((3, 8, 8)).but(
        Trial("zero", lambda: (3, 0, 8), WRONG),
        Trial("negative", lambda: (3, -1, 8), WRONG),
        Trial("halves", lambda: (3, 8.5, 8), WRONG),
        Trial("a batch", lambda: (1, 3, 8, 8), WRONG),
        Trial("another number of channels", lambda: (1, 8, 8), WRONG),
        Trial("channels last", lambda: (8, 8, 3), WRONG),
        Trial("224", lambda: 224, WRONG),
        Trial("torch.Size", lambda: torch.Size((3, 8, 8)), SAME),
        
    ).named("input_size", "input_shape", "channels", "shape")
    nets = thing(conv_net, "model", "Module", "module").but(
        Trial("in training mode", lambda: conv_net().train(), FINE),
        Trial("with tied modules", lambda: _twice(), FINE),
        Trial("with a plain tensor", lambda: Shifted(), FINE),
        Trial("on meta", lambda: conv_net().to("meta"), SAME),
        Trial("with control flow", lambda: Branching(), ANY),
        Trial("float64", lambda: conv_net().double(), ANY),
        Trial("an empty model", lambda: nn.Sequential(), ANY),
    )
    layer = thing(lambda: [Layer("1", "Linear", (3,), 4, 5)], "Layer", "rows").but(Trial("[]", list, FINE), Trial("()", tuple, FINE), drop=["its class"])
    call = function(conv_net).but(drop=["→ None", "→ text", "→ object"])
    fields = receptive_field(conv_net(), (3, 8, 8))
    unit = {"y": whole(1, 0, 7), "x": whole(2, 0, 7)}
    node = choice("0", ["0", "1", "2"]).but(drop=["empty text"])
    seen = floats(lambda: random(2, 3, 8, 8), tied=(1,)).but(Trial("bytes", lambda: pictures(2, 3, 8, 8), FINE), Trial("float64", lambda: random(2, 3, 8, 8).double(), ANY), drop=["int64", "bool"])
    return [
        row("layer_table", layer_table, model=nets, input_shape=shape, look=lambda rows: [r.multiply_adds for r in rows]),
        row("format_table", format_table, rows=layer),
        row("Layer", Layer, name=text("1"), kind=text("Linear"), shape=numbers((3, 4), 1, length=False), parameters=whole(4, 0), multiply_adds=whole(5, 0), look=lambda one: format_table([one])),
        row("multiply_adds", multiply_adds, **{"*function": call, "*inputs": maps(2, 3, 8, 8)}),
        row("receptive_field", receptive_field, model=nets, input_size=shape, look=str),
        row("receptive_field()[…]", fields.__getitem__, **{"*name": node}, look=lambda field: field.size),
        row("ReceptiveFields.region", fields.region, node=node, **unit, clipped=truth(True)),
        row("Field.region", fields["0"].region, **unit, clipped=truth(False)),
        row("effective_receptive_field", effective_receptive_field, model=nets.but(Trial("on meta", lambda: conv_net().to("meta"), WRONG), Trial("an empty model", lambda: nn.Sequential(), WRONG), Trial("with a plain tensor", lambda: Shifted(), FINE)), images=seen, node=node, batch_size=whole(2, 1)),
    ]


class Shifted(nn.Module):
    """A tensor that is neither parameter nor buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.shift = nn.Conv2d(3, 4, 3, padding=1), torch.tensor([0.5])
        self.add_module("0", self.conv)

    def forward(self, images: Any) -> Any:
        return self.conv(images - self.shift)


class Branching(nn.Module):
    """Does something else when it sees something else."""

    def forward(self, images: Any) -> Any:
        return images if images.sum() > 0 else -images


def _twice() -> nn.Module:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    return nn.Sequential(conv, nn.ReLU(), conv)


def rows() -> list[Row]:
    official = choice("alexnet", ["alexnet"])
    return [
        *model_rows(),
        *head_rows(),
        *table_rows(),
        row("load_official_weights", _official, name=official.but(Trial("nothing", lambda: "no_such_net", WRONG)), model=thing(lambda: AlexNet, "model", "weights")),
    ]


def _official(model: Any, name: Any) -> str:
    """There is no network: the right end is a `DownloadError`."""
    from cvcourse.data import DownloadError

    try:
        with torch.device("meta"):
            load_official_weights(AlexNet() if model is AlexNet else model, name)
    except DownloadError as error:
        return type(error).__name__
    return "loaded"


_ = (Field, ReceptiveFields, Region, partial, size)
