"""What all modules share: `files`, `checks`, `progress`."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from cvcourse import checks, progress
from fuzz.arrays import floats, images, indices, picture
from fuzz.kinds import (
    FINE,
    WRONG,
    Kind,
    Trial,
    choice,
    number,
    size,
    thing,
    truth,
    whole,
)
from fuzz.objects import path, targets
from fuzz.rows import Row, row
from fuzz.things import CLASSES, N, labels, normal, photograph, pictures, probabilities

EMPTY = Trial("empty", lambda: probabilities()[:0], FINE)
#: Where nothing else must have the same size.
TIED = [f"dimension {d} {longer}" for d in (0, 1) for longer in ("longer", "shorter")]


def rows() -> list[Row]:
    """`files`, `checks`, `progress`."""
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "file.bin"))
    batch = images(pictures)
    return [
        row(
            "files.write_file",
            path=file,
            content=thing(lambda: b"content", "bytes", "content", drop=["bytes"]),
        ),
        row("files.check_writable", path=file, look=lambda p: p.name),
        row(
            "progress.progress",
            lambda **kw: list(progress.progress(**kw)),
            iterable=thing(lambda: [1, 2], "iterable").but(
                drop=[
                    "text",
                    "bytes",
                    "list",
                    "[]",
                    "{}",
                    "iterator",
                    "array of text",
                    "()",
                    "a list of it",
                ]
            ),
            quiet=truth(True),
        ),
        row(
            "checks.check_integer",
            partial(checks.check_integer, "epochs", low=0, high=9, meaning="passes"),
            value=whole(3, 0, 9).named("epochs"),
        ),
        row(
            "checks.check_number",
            partial(checks.check_number, "rate", low=0, high=1),
            value=number(0.5, 0, 1).named("rate", "x"),
        ),
        row(
            "checks.check_choice",
            partial(checks.check_choice, "mode", choices=["fast", "exact"]),
            value=choice("fast", ["fast", "exact"]).named("mode"),
        ),
        row(
            "checks.check_range",
            partial(checks.check_range, "x", low=0, high=1, meaning="a share"),
            value=number(0.5, 0, 1).but(Trial("list", lambda: [0.5], WRONG)),
        ),
        row(
            "checks.recording",
            value=thing(labels, "tensor", "value", drop=["NaN tensor"]),
        ),
        row(
            "checks.check_labels",
            partial(checks.check_labels, "truth", n=N, n_classes=CLASSES),
            value=indices(labels, CLASSES - 1, tied=(0,)).named("truth"),
        ),
        row(
            "checks.check_probabilities",
            partial(checks.check_probabilities, "targets"),
            value=targets(N, CLASSES).but(EMPTY, drop=TIED).named("targets"),
        ),
        row(
            "checks.check_integers",
            partial(checks.check_integers, "size", n=2, meaning="pixels", low=1),
            value=size((5, 4)).named("size"),
        ),
        row(
            "checks.check_finite",
            lambda value: checks.check_finite("value", value, 2, 3),
            value=floats(lambda: normal(5, 2, 3), tied=(1, 2), empty=FINE).but(
                drop=["one dimension more", "one dimension less", "bool"]
            ),
        ),
        row("checks.check_image", partial(checks.check_image, "image"), value=picture(photograph)),
        row("checks.check_images", partial(checks.check_images, "images"), value=batch),
        row(
            "checks.check_same_length",
            lambda a: checks.check_same_length(a=a, b="xy"),
            a=Kind(lambda: [1, 2], (Trial("three", lambda: [1, 2, 3], WRONG),)),
        ),
    ]
