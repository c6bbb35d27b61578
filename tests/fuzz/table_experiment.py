"""cvcourse.experiment, parallel, plot: seeds, intervals, claims, figures."""

from __future__ import annotations

import math
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, get_args

import matplotlib.pyplot as plt
import numpy as np
import torch
from kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    choice,
    function,
    mapping,
    names,
    number,
    numbers,
    path,
    seed,
    text,
    thing,
    truth,
    whole,
)
from rows import Row, row
from things import pictures, random

from cvcourse import parallel, plot
from cvcourse.experiment import (
    Claim,
    Finding,
    Interval,
    Record,
    Results,
    Verdict,
    as_seeds,
    claim,
    hardware,
    interval,
    less,
    load_record,
    more,
    proportion,
    record_names,
    repeat,
    same,
    save_record,
    table,
    verdicts,
)
from cvcourse.experiment.claims import Quantity, Rule, show
from cvcourse.experiment.tables import Table

SHARES = (0.25, 0.5, 0.375, 0.75)


def results() -> Results:
    """Two arms over three seeds."""
    return Results((0, 1, 2), {"a": np.array([0.5, 0.25, 0.75]), "b": np.array([0.5, 0.5, 0.25])})


def effect() -> Interval:
    """Of one number."""
    return interval(SHARES)


def curve() -> Interval:
    """Of three numbers."""
    return interval(random(4, 3).numpy())


def made_claim() -> Claim:
    """A claim that holds."""
    return Claim("a-claim", "confirmed", {"it is so": Finding(True)}, {"gain": Quantity(0.5)}, "it is")


def values(low: float = -math.inf, high: float = math.inf) -> Kind:
    """(n_seeds, …) float."""
    return numbers(SHARES, low, high, length=False).but(
        Trial("tensor", lambda: torch.tensor(SHARES), SAME),
        Trial("a column each", lambda: np.array([SHARES, SHARES]).T, FINE),
        Trial("one seed", lambda: (0.5,), WRONG),
        Trial("rows of two lengths", lambda: [[0.5], [0.25, 0.75]], WRONG),
        Trial("complex array", lambda: np.array([1j, 0.5]), WRONG),
        Trial("an array of objects", lambda: np.array([0.5, None]), WRONG),
        Trial("on meta", lambda: torch.empty(4, device="meta"), WRONG),
        Trial("all alike", lambda: (0.5, 0.5, 0.5), FINE),
        
    ).named("values", "value", "effect", "seed", "seeds", "interval")


def effects() -> Kind:
    """An interval, or the values of the seeds."""
    broken = Interval(np.array(math.nan), np.array(0.0), np.array(1.0), 3)
    turned = Interval(np.array(0.5), np.array(0.75), np.array(0.25), 3)
    return values().but(
        Trial("interval", effect, SAME),
        Trial("interval of NaN", lambda: broken, WRONG),
        Trial("interval from high to low", lambda: turned, WRONG),
        Trial("interval of three", curve, FINE),
    )


def seeds(*, many: bool = True) -> Kind:
    """How many, or which."""
    kind = whole(3, 2 if many else 1)
    return kind.but(
        Trial("a list", lambda: [0, 1, 2], SAME),
        Trial("an array", lambda: np.arange(3), SAME),
        Trial("a tensor", lambda: torch.arange(3), ANY),
        Trial("a generator", lambda: (i for i in range(3)), SAME),
        Trial("a range", lambda: range(3), SAME),
        Trial("one twice", lambda: [0, 1, 1], WRONG),
        Trial("a negative one", lambda: [0, -1], WRONG),
        Trial("halves", lambda: [0, 0.5], WRONG),
        Trial("texts", lambda: ["0", "1"], WRONG),
        Trial("True in it", lambda: [0, True], WRONG),
        Trial("NaN in it", lambda: [0, math.nan], WRONG),
        drop=["two", "array of text"],
    ).named("seeds", "seed")


def experiment() -> Kind:
    """seed → {arm: value}."""
    return function(
        lambda: lambda seed: {"a": seed / 4, "b": 0.5},
        wrong=[
            lambda: {"a": 0.5},
            lambda seed: {},
            lambda seed: {"a": math.nan},
            lambda seed: {"a": "fuzz"},
            lambda seed: {"a": None},
            lambda seed: {"a": 1j},
            lambda seed: {str(seed): 0.5},
            lambda seed: {"a": [0.5] * (seed + 1)},
            lambda seed: {1: 0.5},
            lambda seed: [0.5],
        ],
    ).named("experiment", "arm", "seed", "outcome", "a")


def experiment_rows() -> list[Row]:
    """Intervals, seeds, claims."""
    level = number(0.5, 0, 1, above=True).but(drop=["highest"])
    bound = number(0.25)
    rules, said = list(get_args(Rule)), list(get_args(Verdict))
    holds = truth(True).but(Trial("None", lambda: None, FINE))
    found = mapping(lambda: {"it is so": Finding(True)}).but(
        Trial("True", lambda: {"it is so": True}, SAME),
        Trial("NumPy's True", lambda: {"it is so": np.True_}, SAME),
        Trial("NaN", lambda: {"it is so": math.nan}, WRONG),
        Trial("1", lambda: {"it is so": 1}, WRONG),
        Trial("the text False", lambda: {"it is so": "False"}, WRONG),
        Trial("an interval", lambda: {"it is so": effect()}, WRONG),
    ).named("finding", "findings")
    measured = mapping(lambda: {"gain": effect()}).but(
        Trial("values", lambda: {"gain": np.array(SHARES)}, SAME),
        Trial("a number", lambda: {"gain": (0.5, ".2f")}, FINE),
        Trial("text as values", lambda: {"gain": "much"}, FINE),
        Trial("NaN", lambda: {"gain": (math.nan, ".2f")}, WRONG),
        Trial("inf", lambda: {"gain": math.inf}, WRONG),
        Trial("a bad format", lambda: {"gain": (0.5, "fuzz")}, WRONG),
        Trial("no format", lambda: {"gain": (0.5, None)}, WRONG),
        Trial("True", lambda: {"gain": True}, WRONG),
        Trial("complex", lambda: {"gain": 1j}, WRONG),
    ).named("effect", "gain", "format")
    claim_fields = {"id": text("a-claim"), "verdict": choice("confirmed", said), "findings": found, "effect": measured, "short": text("it is").but(Trial("empty text", lambda: "", WRONG))}
    array = thing(lambda: np.array(0.5), "mean", "low", "high").but(drop=["2.5", "0", "3", "NaN tensor", "True"])
    quantity = number(0.5).but(Trial("interval", effect, FINE))
    formats = choice(".2f", [".2f", "+.3f"]).but(drop=["upper", "title", "cut", "empty text"])
    arm = choice("a", ["a", "b"])
    return [
        row("interval", interval, values=values(), level=level),
        row("proportion", proportion, values=values(0, 1), level=level),
        row("Interval", Interval, mean=array, low=array, high=array, seeds=whole(3, 0), look=lambda i: f"{i:.2f}"),
        row("more", more, effect=effects(), than=bound),
        row("less", less, effect=effects(), than=bound),
        row("same", same, effect=effects(), within=number(0.25, 0, above=True)),
        row("Finding", Finding, holds=holds, rule=choice("exact", rules), bound=bound.optional(), effect=thing(effect, "Interval").optional(), look=lambda f: f.as_data()),
        row("Quantity", Quantity, value=quantity, format=formats, look=str),
        row("Claim", Claim, **{**claim_fields, "effect": mapping(lambda: {"gain": Quantity(0.5)}, empty=FINE).but(Trial("text as values", lambda: {"gain": "much"}, FINE)), "short": text("it is"), "findings": mapping(lambda: {"it is so": Finding(True)})}, look=lambda c: (str(c), c.as_data())),
        row("claim", claim, **claim_fields, look=lambda c: c.as_data()),
        row("show", show, thing=thing(made_claim).but(drop=[t.label for t in thing(made_claim).trials])),
        row("as_seeds", as_seeds, seeds=seeds(many=False)),
        row("repeat", repeat, experiment=experiment(), seeds=seeds()),
        row("Results", Results, seeds=numbers((0, 1, 2)), values=mapping(lambda: results().values), look=lambda r: r.interval("a")),
        row("Results.interval", lambda arm: results().interval(arm), arm=arm),
        row("Results.proportion", lambda arm: results().proportion(arm), arm=arm),
        row("Results.difference", lambda **kw: results().difference(**kw), arm=arm, baseline=arm),
        row("parallel_map", parallel.parallel_map, function=function(lambda: lambda seed: seed + 1).but(drop=["→ None", "→ text", "→ object"]), seeds=numbers((0, 1, 2), length=False).but(Trial("a negative one", lambda: [0, -1], WRONG), Trial("halves", lambda: [0, 0.5], WRONG), Trial("texts", lambda: ["0", "1"], WRONG), drop=["[]", "{}", "iterator"]).named("seed")),
    ]


def record_rows() -> list[Row]:
    """Records and tables."""
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "run.json"))
    columns = names("arm", "steps", "accuracy")
    cells = mapping(lambda: {"plain": (100, 0.5)}, empty=ANY).but(
        Trial("a cell less", lambda: {"plain": (100,)}, WRONG),
        Trial("a cell more", lambda: {"plain": (100, 0.5, 1)}, WRONG),
        Trial("NaN", lambda: {"plain": (100, math.nan)}, ANY),
        Trial("numbers as keys", lambda: {0: (100, 0.5)}, FINE),
    ).named("row", "rows", "cells")
    formats = choice(".2f", [".3f"]).but(drop=["upper", "title", "cut", "empty text"])
    record = {
        "notebook": text(), "purpose": text(), "date": text("2026-01-01"), "hardware": text(),
        "versions": mapping(lambda: {"torch": "2.10"}, empty=FINE).but(drop=["text as values", "numbers as keys", "None as values"]),
        "settings": mapping(lambda: {"steps": 100}, empty=FINE).but(drop=["text as values", "numbers as keys", "None as values"]),
        "results": mapping(lambda: {"main": results()}, empty=FINE),
    }
    return [
        row("save_record", partial(save_record, steps=3), path=file.but(Trial("", lambda: "", FINE)), results=mapping(lambda: {"main": results()}, empty=ANY)),
        row("load_record", load_record, name=choice(record_names()[0], record_names()[:2]).but(Trial("a path", lambda: "no/such.json", WRONG), Trial("no JSON", lambda: _bad_json(), WRONG)), look=lambda r: r.notebook),
        row("Record", Record, **record, look=str),
        row("record_names", record_names),
        row("hardware", hardware),
        row("table", table, columns=columns, rows=cells, format=formats),
        row("Table", Table, columns=columns, rows=thing(lambda: (("a", "1", "2"),)).but(Trial("()", tuple, FINE), Trial("[]", list, FINE), drop=["its class", "{}", "a list of it"]), kind=text("measured"), look=str),
        row("verdicts", verdicts, **{"*claim": thing(made_claim, "Claim")}),
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
    estimate = thing(curve, "Interval", "interval", "estimate", "estimates").but(Trial("of two", lambda: curve()[:2], WRONG), Trial("of NaN", lambda: Interval(*[np.full(3, math.nan)] * 3), ANY))
    x = numbers((0.0, 0.5, 1.0)).but(Trial("int64", lambda: np.arange(3), FINE))
    image = plain_image()
    return [
        row("use_style", plot.use_style),
        row("band", drawn(plot.band), ax=ax, x=x, estimate=estimate, label=text(), arm=arm, dashed=truth(False)),
        row("whiskers", drawn(plot.whiskers), ax=ax, places=x, estimates=estimate.but(Trial("a list of it", lambda: [curve()], SAME)), label=text(), arm=arm, across=truth(False), hollow=truth(False)),
        row("log_ticks", drawn(plot.log_ticks), ax=ax, values=numbers((1.0, 2.0, 4.0), length=False).but(Trial("zero", lambda: (0.0, 1.0), WRONG), Trial("negative", lambda: (-1.0, 1.0), WRONG))),
        row("chance", drawn(plot.chance), ax=ax, n_classes=whole(10, 2)),
        row("picture", drawn(plot.picture), ax=ax, image=image, title=text()),
        row("signed", plot.signed, values=signed_values()),
        row("grid", figure(plot.grid), rows=rows_of_images(), row_titles=names("first", "second"), titles=names("a", "b", "c"), width=number(4.0, 0, above=True)),
        row("panels", figure(plot.panels), results=thing(sweep, "Results"), sweeps=mapping(lambda: {"shift": (0.0, 0.5, 1.0)}), arms=names("cnn", "mlp", other=WRONG).but(drop=["one less"]), n_classes=whole(10, 2)),
    ]


def sweep() -> Results:
    """Of two arms, along one axis."""
    return Results((0, 1), {f"{arm}/shift": random(2, 3).numpy() for arm in ("cnn", "mlp")})


def plain_image() -> Kind:
    """(C, H, W) uint8, or float of any range."""
    from arrays import images

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
    from arrays import floats

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
    return [*experiment_rows(), *record_rows(), *plot_rows()]


_ = seed
