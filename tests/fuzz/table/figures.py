"""Records, tables and figures: `experiment`, `plot`."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from cvcourse import plot
from cvcourse.experiment import (
    Results,
    interval,
    load_records,
    record_names,
    save_record,
)
from cvcourse.experiment.claims import Quantity
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Kind,
    Trial,
    choice,
    names,
    number,
    numbers,
    text,
    thing,
    truth,
    whole,
)
from fuzz.objects import mapping, path
from fuzz.rows import Row, row
from fuzz.table.experiment import curve, made_claim, results
from fuzz.things import pictures, random

GAIN = {"gain": Quantity(interval([0.1, 0.2]))}


def record_rows() -> list[Row]:
    """Records and tables."""
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "run.json"))
    columns = names("arm", "steps", "accuracy")
    cells = (
        mapping(lambda: {"plain": (100, 0.5)}, empty=ANY)
        .but(
            Trial("a cell less", lambda: {"plain": (100,)}, WRONG),
            Trial("a cell more", lambda: {"plain": (100, 0.5, 1)}, WRONG),
            Trial("NaN", lambda: {"plain": (100, math.nan)}, ANY),
            Trial("numbers as keys", lambda: {0: (100, 0.5)}, FINE),
        )
        .named("row", "rows", "cells")
    )
    formats = choice(".2f", [".3f"]).but(drop=["upper", "title", "cut", "empty text"])
    record = {
        "notebook": text(),
        "purpose": text(),
        "date": text("2026-01-01"),
        "hardware": text(),
        "versions": mapping(lambda: {"torch": "2.10"}, empty=FINE).but(
            drop=["text as values", "numbers as keys", "None as values"]
        ),
        "settings": mapping(lambda: {"steps": 100}, empty=FINE).but(
            drop=["text as values", "numbers as keys", "None as values"]
        ),
        "results": mapping(lambda: {"main": results()}, empty=FINE),
    }
    return [
        row(
            "experiment.save_record",
            partial(save_record, steps=3),
            path=file.but(Trial("", lambda: "", FINE)),
            results=mapping(lambda: {"main": results()}, empty=ANY),
        ),
        row("experiment.check_record_path", path=file.but(Trial("", lambda: "", FINE))),
        row(
            "experiment.load_records",
            notebook=choice("13_noisy_student", ["06_receptive_fields"]),
            dataset=choice("shapes", []).named("record"),
            look=len,
        ),
        row(
            "experiment.load_record",
            name=choice(record_names()[0], record_names()[:2]).but(
                Trial("a path", lambda: "no/such.json", WRONG),
                Trial("no JSON", lambda: _bad_json(), WRONG),
            ),
            look=lambda r: r.notebook,
        ),
        row("experiment.Record", **record, look=str),
        row("experiment.record_names"),
        row("experiment.hardware"),
        row("experiment.table", columns=columns, rows=cells, format=formats),
        row(
            "experiment.tables.Table",
            columns=columns,
            rows=thing(lambda: (("a", "1", "2"),)).but(
                Trial("()", tuple, FINE),
                Trial("[]", list, FINE),
                drop=["its class", "{}", "a list of it"],
            ),
            kind=text("measured"),
            look=str,
        ),
        row("experiment.verdicts", **{"*claim": thing(made_claim, "Claim")}),
    ]


def _bad_json() -> str:
    file = Path(tempfile.mkdtemp()) / "bad.json"
    file.write_text('{"results": 3}')
    return str(file)


def plot_rows() -> list[Row]:
    """Figures, on axes of their own."""

    def drawn(function: Any) -> Any:
        def draw(**given: Any) -> Any:
            ax = given.pop("ax")
            axes = plt.subplots()[1] if ax == "axes" else ax
            try:
                function(axes, **given)
                axes.figure.draw_without_rendering()
            finally:
                plt.close("all")
            return [line.get_xydata() for line in axes.get_lines()]

        return draw

    def figure(function: Any) -> Any:
        def draw(**given: Any) -> Any:
            try:
                made = function(**given)
                made.draw_without_rendering()
                return len(made.axes)
            finally:
                plt.close("all")

        return draw

    ax = thing(lambda: "axes", "axes", "ax", "Axes", drop=["its class", "a list of it"])
    arm = whole(1, 0, 5)
    estimate = thing(curve, "Interval", "interval", "estimate", "estimates").but(
        Trial("of two", lambda: curve()[:2], WRONG),
    )
    x = numbers((0.0, 0.5, 1.0)).but(
        Trial("int64", lambda: np.arange(3), FINE),
        Trial("texts", lambda: ("a", "b", "c"), ANY),
        Trial("a NaN", lambda: (math.nan, 0.5, 1.0), SPREADS),
        Trial("an inf", lambda: (math.inf, 0.5, 1.0), SPREADS),
        drop=["a True", "a None", "a text"],
    )
    image = plain_image()
    return [
        row("plot.use_style"),
        row(
            "plot.band",
            drawn(plot.band),
            ax=ax,
            x=x,
            estimate=estimate,
            label=text(),
            arm=arm,
            dashed=truth(False),
        ),
        row(
            "plot.whiskers",
            drawn(plot.whiskers),
            ax=ax,
            places=x,
            estimates=estimate.but(Trial("a list of it", lambda: [curve()], SAME)),
            label=text(),
            arm=arm,
            across=truth(False),
            hollow=truth(False),
        ),
        row(
            "plot.log_ticks",
            drawn(plot.log_ticks),
            ax=ax,
            values=numbers((1.0, 2.0, 4.0), length=False).but(
                Trial("zero", lambda: (0.0, 1.0), WRONG),
                Trial("[]", list, ANY),
                Trial("negative", lambda: (-1.0, 1.0), WRONG),
            ),
        ),
        row("plot.chance", drawn(plot.chance), ax=ax, n_classes=whole(10, 1)),
        row("plot.picture", drawn(plot.picture), ax=ax, image=image, title=text()),
        row("plot.literal", text=text("a $5 note")),
        row("plot.signed", values=signed_values()),
        row(
            "plot.grid",
            figure(plot.grid),
            rows=rows_of_images(),
            row_titles=names("first", "second").but(Trial("[]", list, FINE)),
            titles=names("a", "b", "c").but(Trial("[]", list, FINE)),
            width=number(4.0, 0, above=True),
        ),
        row(
            "plot.panels",
            figure(plot.panels),
            results=thing(sweep, "Results"),
            sweeps=mapping(lambda: {"shift": (0.0, 0.5, 1.0)}),
            arms=names("cnn", "mlp", other=WRONG).but(drop=["one less"]),
            n_classes=whole(10, 1),
        ),
        row(
            "plot.by_budget",
            figure(plot.by_budget),
            claims=mapping(lambda: {"A gain": replace(made_claim(), effect=GAIN)}).but(
                Trial("counted", lambda: {"A count": made_claim()}, WRONG)
            ),
            records=thing(lambda: load_records("13_noisy_student"), "records", drop=["[]", "()"]),
        ),
    ]


def sweep() -> Results:
    """Of two arms, along one axis."""
    return Results((0, 1), {f"{arm}/shift": random(2, 3).numpy() for arm in ("cnn", "mlp")})


def plain_image() -> Kind:
    """(C, H, W) uint8, or float of any range."""
    from fuzz.arrays import images

    make = lambda: pictures()[0]  # noqa: E731
    return images(make).but(
        Trial("floats", lambda: make().float(), FINE),
        Trial("half", lambda: make().half(), ANY),
        Trial("int64", lambda: make().long(), ANY),
        Trial("bool", lambda: make() > 100, ANY),
        Trial("int8", lambda: make().to(torch.int8), ANY),
        Trial("empty", lambda: make()[:, :0], WRONG),
        Trial("flat", lambda: make().flatten(), WRONG),
        Trial("one dimension less", lambda: make()[0], ANY),
        Trial("two channels", lambda: make()[:2], WRONG),
        Trial("five channels", lambda: make()[[0, 1, 2, 0, 1]], WRONG),
        Trial("no channel", lambda: make()[:0], WRONG),
        Trial("channels last", lambda: make().permute(1, 2, 0), WRONG),
        drop=["no rows", "no columns", "channels_last"],
    )


def signed_values() -> Kind:
    """(H, W) float."""
    from fuzz.arrays import floats

    return floats(lambda: random(5, 4) - 0.5).but(Trial("zeros", lambda: torch.zeros(5, 4), FINE))


def rows_of_images() -> Kind:
    """Rows of pictures."""
    make = lambda: [list(pictures()[:3]), list(pictures()[3:])]  # noqa: E731
    return thing(make, "rows", "images", "image", "picture").but(
        Trial("two lengths", lambda: [make()[0], make()[1][:2]], WRONG),
        Trial("an empty row", lambda: [[], []], WRONG),
        Trial("one picture", lambda: pictures()[0], ANY),
        Trial("a batch a row", lambda: [pictures()[:3], pictures()[3:]], SAME),
        drop=["its class"],
    )


def rows() -> list[Row]:
    return [*record_rows(), *plot_rows()]
