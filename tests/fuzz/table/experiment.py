"""`experiment`, `parallel`: seeds, intervals, claims."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import torch

from cvcourse.experiment import (
    Claim,
    Finding,
    Interval,
    Results,
    Verdict,
    interval,
)
from cvcourse.experiment.claims import Quantity, Rule
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Kind,
    Trial,
    choice,
    function,
    number,
    numbers,
    text,
    thing,
    truth,
    whole,
)
from fuzz.objects import mapping
from fuzz.rows import Row, row
from fuzz.things import random

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
    return Claim(
        "a-claim", "confirmed", {"it is so": Finding(True)}, {"gain": Quantity(0.5)}, "it is"
    )


def values(low: float = -math.inf, high: float = math.inf) -> Kind:
    """(n_seeds, …) float."""
    return (
        numbers(SHARES, low, high, length=False)
        .but(
            Trial("tensor", lambda: torch.tensor(SHARES), SAME),
            Trial("a column each", lambda: np.array([SHARES, SHARES]).T, FINE),
            Trial("one seed", lambda: (0.5,), WRONG),
            Trial("rows of two lengths", lambda: [[0.5], [0.25, 0.75]], WRONG),
            Trial("complex array", lambda: np.array([1j, 0.5]), WRONG),
            Trial("an array of objects", lambda: np.array([0.5, None]), WRONG),
            Trial("on meta", lambda: torch.empty(4, device="meta"), WRONG),
            Trial("all alike", lambda: (0.5, 0.5, 0.5), FINE),
        )
        .named("values", "value", "effect", "seed", "seeds", "interval")
    )


def effects() -> Kind:
    """An interval, or the values of the seeds."""
    return values().but(
        Trial("interval", effect, SAME),
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
    return (
        function(
            lambda: lambda seed: {"a": seed / 4, "b": 0.5},
            wrong=[
                lambda: {"a": 0.5},
                lambda seed: {},
                lambda seed: {"a": "fuzz"},
                lambda seed: {"a": 1j},
                lambda seed: {str(seed): 0.5},
                lambda seed: {"a": [0.5] * (seed + 1)},
                lambda seed: {1: 0.5},
                lambda seed: [0.5],
            ],
        )
        .but(Trial("NaN", lambda: lambda seed: {"a": math.nan}, SPREADS))
        .named("experiment", "arm", "seed", "outcome", "a")
    )


def rows() -> list[Row]:
    """Intervals, seeds, claims."""
    level = number(0.5, 0, 1, above=True).but(drop=["highest"])
    bound = number(0.25)
    rules, said = list(get_args(Rule)), list(get_args(Verdict))
    holds = truth(True).but(Trial("None", lambda: None, FINE))
    found = (
        mapping(lambda: {"it is so": Finding(True)})
        .but(
            Trial("True", lambda: {"it is so": True}, SAME),
            Trial("NumPy's True", lambda: {"it is so": np.True_}, SAME),
            Trial("NaN", lambda: {"it is so": math.nan}, WRONG),
            Trial("1", lambda: {"it is so": 1}, WRONG),
            Trial("the text False", lambda: {"it is so": "False"}, WRONG),
            Trial("an interval", lambda: {"it is so": effect()}, WRONG),
        )
        .named("finding", "findings")
    )
    measured = (
        mapping(lambda: {"gain": effect()})
        .but(
            Trial("values", lambda: {"gain": np.array(SHARES)}, SAME),
            Trial("a number", lambda: {"gain": (0.5, ".2f")}, FINE),
            Trial("text as values", lambda: {"gain": "much"}, FINE),
            Trial("NaN", lambda: {"gain": (math.nan, ".2f")}, WRONG),
            Trial("inf", lambda: {"gain": math.inf}, WRONG),
            Trial("a bad format", lambda: {"gain": (0.5, "fuzz")}, WRONG),
            Trial("no format", lambda: {"gain": (0.5, None)}, WRONG),
            Trial("True", lambda: {"gain": True}, WRONG),
            Trial("complex", lambda: {"gain": 1j}, WRONG),
        )
        .named("effect", "gain", "format")
    )
    claim_fields = {
        "id": text("a-claim"),
        "verdict": choice("confirmed", said),
        "findings": found,
        "effect": measured,
        "short": text("it is").but(Trial("empty text", lambda: "", WRONG)),
    }
    array = thing(lambda: np.array(0.5), "mean", "low", "high").but(
        drop=["2.5", "0", "3", "NaN tensor", "True"]
    )
    quantity = number(0.5).but(Trial("interval", effect, FINE))
    formats = choice(".2f", [".2f", "+.3f"]).but(drop=["upper", "title", "cut", "empty text"])
    arm = choice("a", ["a", "b"])
    return [
        row("experiment.interval", values=values(), level=level),
        row("experiment.proportion", values=values(0, 1), level=level),
        row(
            "experiment.Interval",
            mean=array,
            low=array,
            high=array,
            seeds=whole(3, 0),
            look=lambda i: f"{i:.2f}",
        ),
        row("experiment.more", effect=effects(), than=bound),
        row("experiment.less", effect=effects(), than=bound),
        row("experiment.same", effect=effects(), within=number(0.25, 0, above=True)),
        row(
            "experiment.Finding",
            holds=holds,
            rule=choice("exact", rules),
            bound=bound.optional(),
            effect=thing(effect, "Interval").optional(),
            look=lambda f: f.as_data(),
        ),
        row("experiment.claims.Quantity", value=quantity, format=formats, look=str),
        row(
            "experiment.Claim",
            **{
                **claim_fields,
                "effect": mapping(lambda: {"gain": Quantity(0.5)}, empty=FINE).but(
                    Trial("text as values", lambda: {"gain": "much"}, FINE)
                ),
                "short": text("it is"),
                "findings": mapping(lambda: {"it is so": Finding(True)}),
            },
            look=lambda c: (str(c), c.as_data()),
        ),
        row("experiment.claim", **claim_fields, look=lambda c: c.as_data()),
        row(
            "experiment.claims.show",
            thing=thing(made_claim).but(drop=[t.label for t in thing(made_claim).trials]),
        ),
        row("experiment.Unknown", why=text("at chance"), look=lambda u: u.why),
        row("experiment.as_seeds", seeds=seeds(many=False)),
        row("experiment.repeat", experiment=experiment(), seeds=seeds()),
        row(
            "experiment.Results",
            seeds=numbers((0, 1, 2)),
            values=mapping(lambda: results().values),
            look=lambda r: r.interval("a"),
        ),
        row("experiment.Results.interval", lambda arm: results().interval(arm), arm=arm),
        row("experiment.Results.proportion", lambda arm: results().proportion(arm), arm=arm),
        row(
            "experiment.Results.difference",
            lambda **kw: results().difference(**kw),
            arm=arm,
            baseline=arm,
        ),
        row(
            "parallel.parallel_map",
            function=function(lambda: lambda seed: seed + 1).but(
                drop=["→ None", "→ text", "→ object"]
            ),
            seeds=numbers((0, 1, 2), length=False)
            .but(
                Trial("a negative one", lambda: [0, -1], WRONG),
                Trial("halves", lambda: [0, 0.5], WRONG),
                Trial("texts", lambda: ["0", "1"], WRONG),
                drop=["[]", "{}", "iterator"],
            )
            .named("seed"),
        ),
    ]
