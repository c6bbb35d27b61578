"""`models`: the architectures."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cvcourse.models import (
    VGG,
    AlexNet,
    LocallyConnected2d,
    SingleLayer,
    TwoPathAlexNet,
    load_official_weights,
)
from fuzz.arrays import floats
from fuzz.kinds import (
    ANY,
    EITHER,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Kind,
    Trial,
    choice,
    number,
    numbers,
    thing,
    truth,
    whole,
)
from fuzz.rows import Row, row
from fuzz.things import (
    random,
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
        Trial("no rows", lambda: random(*shape)[:, :, :0], ANY),
        Trial("channels_last", lambda: random(*shape).to(memory_format=torch.channels_last), SAME),
        Trial("float64", lambda: random(*shape).double(), ANY),
        Trial("int64", lambda: random(*shape).long(), ANY),
        Trial("bool", lambda: random(*shape).bool(), ANY),
        Trial("uint8", lambda: random(*shape).byte(), ANY),
        Trial("half", lambda: random(*shape).half(), ANY),
    ).named("images", "maps", "channels", "pixels", "shape")


def rows() -> list[Row]:
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
    resnet = {
        "blocks": whole(1, 1),
        "dropout": number(0.25, 0, 1),
        "stochastic_depth": number(0.25, 0, 1),
    }
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
    lrn = {"paths": whole(2, 1), "alpha": number(0.25, 0)}
    official = choice("alexnet", ["alexnet"]).but(
        Trial("nothing", lambda: "no_such_net", WRONG), drop=["upper", "title"]
    )
    weights = thing(lambda: AlexNet, "model", "weights")
    return [
        row("models.load_official_weights", _official, name=official, model=weights),
        row("models.SingleLayer", **colours, size=side, look=look),
        row("models.SingleLayer.templates", lambda: SingleLayer(size=4).templates().shape),
        row("models.MLP", **colours, size=side, hidden=hidden, look=look),
        row("models.SmallCNN", **colours, width=width, look=look),
        row("models.FlattenCNN", **colours, width=width, size=whole(8, 8), look=look),
        row("models.LocallyConnectedNet", **colours, width=width, size=whole(8, 8), look=look),
        row("models.SmallResNet", **colours, width=width, **resnet, look=look),
        row("models.fast_cnn.FastCNN", **colours, width=width, look=shown(2, 3, 16, 16)),
        row("models.LeNet5", **colours, look=shown(2, 3, 32, 32)),
        row("models.AlexNet", on_meta(AlexNet), n_classes=COUNT, look=shown(2, 3, 64, 64)),
        row(
            "models.TwoPathAlexNet",
            on_meta(TwoPathAlexNet),
            n_classes=COUNT,
            look=shown(2, 3, 64, 64),
        ),
        row(
            "models.VGG",
            on_meta(VGG),
            depth=whole(11, 11, 19).but(
                *(
                    Trial(f"{d}", lambda d=d: d, FINE if d in (13, 16) else WRONG)
                    for d in (12, 13, 15, 16)
                )
            ),
            batch_norm=truth(False),
            n_classes=COUNT,
            look=shown(2, 3, 32, 32),
        ),
        row(
            "models.LocallyConnected2d",
            in_channels=whole(3, 1).but(drop=["lowest"]),
            out_channels=COUNT,
            size=pair(8, exact=True),
            kernel_size=pair(3).but(Trial("too large", lambda: 11, WRONG)),
            **two,
            look=look,
        ),
        row("models.LocallyConnected2d.share", local.share, conv=conv),
        row("models.PathwiseLRN", **lrn, look=lambda m: m(random(2, 4, 3, 3))),
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


def _official(model: Any, name: Any) -> str:
    """There is no network: the right end is a `DownloadError`."""
    from cvcourse.data import DownloadError

    try:
        with torch.device("meta"):
            load_official_weights(AlexNet() if model is AlexNet else model, name)
    except DownloadError as error:
        return type(error).__name__
    return "loaded"
