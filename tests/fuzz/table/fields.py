"""Layer tables, multiply-adds, receptive fields."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cvcourse.models import (
    Layer,
    format_table,
)
from cvcourse.receptive_field import (
    receptive_field,
)
from fuzz.arrays import floats
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Trial,
    choice,
    function,
    numbers,
    text,
    thing,
    truth,
    whole,
)
from fuzz.rows import Row, row
from fuzz.table.models import maps
from fuzz.things import (
    conv_net,
    pictures,
    random,
)


def rows() -> list[Row]:
    """Layer tables, multiply-adds, receptive fields."""
    shape = (
        numbers((3, 8, 8))
        .but(
            Trial("zero", lambda: (3, 0, 8), WRONG),
            Trial("negative", lambda: (3, -1, 8), WRONG),
            Trial("halves", lambda: (3, 8.5, 8), WRONG),
            Trial("a batch", lambda: (1, 3, 8, 8), WRONG),
            Trial("another number of channels", lambda: (1, 8, 8), WRONG),
            Trial("channels last", lambda: (8, 8, 3), WRONG),
            Trial("224", lambda: 224, WRONG),
            Trial("torch.Size", lambda: torch.Size((3, 8, 8)), SAME),
        )
        .named("input_size", "input_shape", "channels", "shape")
    )
    nets = thing(conv_net, "model", "Module", "module").but(
        Trial("in training mode", lambda: conv_net().train(), FINE),
        Trial("with tied modules", lambda: _twice(), FINE),
        Trial("with a plain tensor", lambda: Shifted(), FINE),
        Trial("on meta", lambda: conv_net().to("meta"), SAME),
        Trial("with control flow", lambda: Branching(), ANY),
        Trial("float64", lambda: conv_net().double(), ANY),
        Trial("an empty model", lambda: nn.Sequential(), ANY),
    )
    layer = thing(lambda: [Layer("1", "Linear", (3,), 4, 5)], "Layer", "rows").but(
        Trial("[]", list, FINE), Trial("()", tuple, ANY), drop=["its class"]
    )
    call = function(conv_net).but(drop=["→ None", "→ text", "→ object"])
    fields = receptive_field(conv_net(), (3, 8, 8))
    unit = {"y": whole(1, 0, 7), "x": whole(2, 0, 7)}
    node = choice("0", ["0", "1", "2"]).but(drop=["empty text"])
    seen = floats(lambda: random(2, 3, 8, 8), tied=(1,)).but(
        Trial("bytes", lambda: pictures(2, 3, 8, 8), FINE),
        Trial("float64", lambda: random(2, 3, 8, 8).double(), ANY),
        drop=["int64", "bool"],
    )
    return [
        row(
            "models.layer_table",
            model=nets,
            input_shape=shape,
            look=lambda rows: [r.multiply_adds for r in rows],
        ),
        row("models.format_table", rows=layer),
        row(
            "models.Layer",
            name=text("1"),
            kind=text("Linear"),
            shape=numbers((3, 4), 1, length=False).but(drop=["[]"]),
            parameters=whole(4, 0),
            multiply_adds=whole(5, 0),
            look=lambda one: format_table([one]),
        ),
        row(
            "models.multiply_adds",
            **{
                "*function": call,
                "*inputs": maps(2, 3, 8, 8).but(drop=["with NaN", "with inf", "with −inf"]),
            },
        ),
        row("receptive_field.receptive_field", model=nets, input_size=shape, look=str),
        row(
            "receptive_field.ReceptiveFields.__getitem__",
            fields.__getitem__,
            **{"*name": node},
            look=lambda field: field.size,
        ),
        row(
            "receptive_field.ReceptiveFields.region",
            fields.region,
            node=node,
            **unit,
            clipped=truth(True),
        ),
        row("receptive_field.Field.region", fields["0"].region, **unit, clipped=truth(False)),
        row(
            "receptive_field.effective_receptive_field",
            model=nets.but(
                Trial("on meta", lambda: conv_net().to("meta"), WRONG),
                Trial("an empty model", lambda: nn.Sequential(), WRONG),
                Trial("with a plain tensor", lambda: Shifted(), FINE),
                Trial("with tied modules", lambda: _twice(), FINE),
            ),
            images=seen,
            node=node,
            batch_size=whole(2, 1),
        ),
    ]


class Shifted(nn.Module):
    """A tensor that is neither parameter nor buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.tensor([0.5])
        self.add_module("0", nn.Conv2d(3, 4, 3, padding=1))

    def forward(self, images: Any) -> Any:
        return self.get_submodule("0")(images - self.shift)


class Branching(nn.Module):
    """Does something else when it sees something else."""

    def forward(self, images: Any) -> Any:
        return images if images.sum() > 0 else -images


def _twice() -> nn.Module:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    return nn.Sequential(conv, nn.ReLU(), conv)
