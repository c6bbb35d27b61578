"""`shapes`: ten classes of drawn objects, rendered instead of downloaded.

Every nuisance — where the object stands, how large, how turned, how lit, how noisy, how hidden, on
what — is a parameter with a random stream of its own. Change one and the other draws stay exactly
as they were, so an experiment can vary one thing and hold the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cvcourse.checks import (
    Checked,
    Count,
    Seed,
    Share,
    check,
    check_choice,
    check_integer,
    check_number,
    checked,
)
from cvcourse.data.image_set import ImageSet
from cvcourse.data.photographs import backdrops

CLASS_NAMES = (
    "circle",
    "square",
    "triangle",
    "star",
    "cross",
    "ring",
    "crescent",
    "heart",
    "left arrow",
    "right arrow",
)
"""The ten classes, in label order.

>>> from cvcourse.data import CLASS_NAMES
>>> CLASS_NAMES[0], CLASS_NAMES[-2:]
('circle', ('left arrow', 'right arrow'))
"""

Grey = Annotated[float, partial(check_number, low=0, high=1, meaning='grey, or "background"')]
Side = Annotated[int, partial(check_integer, low=8, high=512, meaning="the side in pixels")]
Range = float | tuple[float, float]  #: a fixed value, or (low, high) drawn uniformly for each image

RADIUS = 0.28  #: of an object at scale 1, as a fraction of the image's side
SUPERSAMPLE = 4  #: each pixel's coverage is counted on a grid of 4 × 4 points
CHUNK = 1024  #: images rendered at once, to bound memory
_FIXED_POINT = 4  # bits of sub-pixel position given to OpenCV

# What a nuisance may be. `scale` ends where the object would outgrow a centred image.
_LIMITS = {
    "shift": (0.0, 0.5),
    "scale": (0.1, 1.8),
    "rotation": (-180.0, 180.0),
    "brightness": (-1.0, 1.0),
    "contrast": (-1.0, 1.0),
    "noise": (0.0, 1.0),
    "occlusion": (0.0, 1.0),
}
_STREAMS = ("label", "direction", "side", "colour", "background", "pixels", *_LIMITS)


@dataclass(frozen=True, kw_only=True)
class Scene(Checked):
    """How a picture is taken: each nuisance a value, or a (low, high) range drawn for every image.

    >>> from cvcourse.data import Scene
    >>> Scene(shift=0.25).bounds("shift"), Scene().bounds("rotation")
    ((0.25, 0.25), (-10.0, 10.0))

    Attributes:
        shift: distance of the object from the centre, in a random direction, as a fraction of the
            image's side, 0 to 0.5.
        scale: size of the object, 0.1 to 1.8; 1 gives a radius of 0.28 of the side.
        rotation: degrees counter-clockwise, −180 to 180.
        brightness: added to every pixel, −1 to 1 on the scale where white is 1.
        contrast: how much brighter than its background the object is, −1 to 1.
        noise: standard deviation of the pixel noise, 0 to 1.
        occlusion: how much of the object's own box a bar hides, from a random side, 0 to 1.
        occluder: the bar's grey level, 0 (black) to 1 (white); or "background": the object is cut
            off and nothing is added.
        background: "plain", "noise" (soft blotches) or "photograph" (crops of real pictures).
        background_bias: the probability that the background's kind follows the class instead of
            chance, 0 to 1. At 1 the background alone gives the class away.
    """

    shift: Range = 0.0
    scale: Range = (0.9, 1.1)
    rotation: Range = (-10.0, 10.0)
    brightness: Range = (-0.05, 0.05)
    contrast: Range = (0.3, 0.6)
    noise: Range = 0.03
    occlusion: Range = 0.0
    occluder: Grey | Literal["background"] = 0.5
    background: Literal["plain", "noise", "photograph"] = "plain"
    background_bias: Share = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, (lowest, highest) in _LIMITS.items():
            low, high = self.bounds(name)
            if not lowest <= low <= high <= highest:
                raise ValueError(
                    f"Scene.{name} is {getattr(self, name)!r}; expected a number, or a (low, high) "
                    f"pair, from {lowest:g} to {highest:g}"
                )

    def bounds(self, name: str) -> tuple[float, float]:
        """The (low, high) of a nuisance; the same number twice where it is fixed."""
        value = getattr(self, check_choice("name", name, _LIMITS))
        return value if isinstance(value, tuple) else (value, value)


VARIED = Scene(shift=(0, 0.2), scale=(0.7, 1.3), rotation=(-30, 30), background="noise")
"""What the chapters draw where the object may stand, turn and grow as it likes, on soft blotches.

>>> from cvcourse.data import VARIED
>>> VARIED.bounds("scale"), VARIED.background
((0.7, 1.3), 'noise')
"""


@checked
def render(n: Count, scene: Scene | None = None, *, seed: Seed = 0, size: Side = 32) -> ImageSet:
    """Render `n` labelled pictures, with boxes and masks.

    The same arguments give the same bytes, and the first k of n pictures are the k pictures that
    `render(k, …)` gives. Classes are balanced: every block of ten holds each class once.

    >>> from cvcourse.data import Scene, render
    >>> pictures = render(10, Scene(background="noise"), seed=1, size=16)
    >>> pictures.images.shape, pictures.boxes.shape, pictures.masks.shape
    (torch.Size([10, 3, 16, 16]), torch.Size([10, 4]), torch.Size([10, 16, 16]))

    Args:
        n: how many pictures, at least 1.
        scene: the nuisances; `Scene()` when left out.
        seed: any integer ≥ 0. Sets with different seeds share no random draw.
        size: height and width in pixels, 8 to 512.

    Returns:
        An ImageSet with images (n, 3, size, size) uint8, the tight box of each object's visible
        pixels, and their mask.

    Raises:
        TypeError: n, seed or size is no integer.
        ValueError: one of them is out of range.
    """
    draws = _Draws(n, scene or Scene(), seed)
    images = np.empty((n, size, size, 3), np.uint8)
    masks = np.empty((n, size, size), bool)
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        images[part], masks[part] = _paint(draws, part, size)
    return ImageSet(
        images=torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        labels=torch.from_numpy(draws.labels),
        class_names=CLASS_NAMES,
        boxes=torch.from_numpy(tight_boxes(masks)),
        masks=torch.from_numpy(masks),
    )


def tight_boxes(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The smallest box around each mask.

    >>> import numpy as np
    >>> from cvcourse.data.shapes import tight_boxes
    >>> mask = np.zeros((4, 4), bool)
    >>> mask[1, 1:3] = True
    >>> tight_boxes(mask[None]).tolist()
    [[1.0, 1.0, 3.0, 2.0]]

    Args:
        masks: (N, H, W) bool.

    Returns:
        (N, 4) float32: x0, y0, x1, y1 in pixels, ends exclusive; zeros for an empty mask.
    """
    if check("masks", masks, np.ndarray).dtype != bool or masks.ndim != 3:
        raise TypeError(f"masks are {masks.dtype} {masks.shape}; expected bool (N, H, W)")
    height, width = masks.shape[1:]
    columns, rows = np.asarray(masks.any(axis=1)), np.asarray(masks.any(axis=2))  # (N, W), (N, H)
    boxes = np.stack(
        [
            columns.argmax(axis=1),
            rows.argmax(axis=1),
            width - columns[:, ::-1].argmax(axis=1),
            height - rows[:, ::-1].argmax(axis=1),
        ],
        axis=1,
    ).astype(np.float32)
    boxes[~columns.any(axis=1)] = 0
    return boxes


class _Draws:
    """Every random number of a set, each nuisance from its own stream."""

    def __init__(self, n: int, scene: Scene, seed: int) -> None:
        def stream(name: str) -> np.random.Generator:
            return np.random.default_rng([seed, _STREAMS.index(name)])

        self.scene, self.seed = scene, seed
        blocks = np.tile(np.arange(len(CLASS_NAMES)), (-(-n // len(CLASS_NAMES)), 1))
        self.labels = stream("label").permuted(blocks, axis=1).reshape(-1)[:n]  # (n,) int64
        self.value = {}
        for name in _LIMITS:
            low, high = scene.bounds(name)
            self.value[name] = low + (high - low) * stream(name).random(n)
        self.direction = stream("direction").random(n) * 2 * np.pi
        self.side = stream("side").integers(4, size=n)
        self.colour = stream("colour").random((n, 3))
        background = stream("background").random((n, 6))
        by_chance = (background[:, 0] * len(CLASS_NAMES)).astype(np.int64)
        follows = background[:, 1] < scene.background_bias
        self.kind = np.where(follows, self.labels, by_chance)  # (n,) which kind of background
        self.background = background[:, 2:]  # (n, 4) how bright, and where in the photograph

    def pixels(self, part: slice, name: str = "pixels") -> np.random.Generator:
        """The stream of a chunk's pixel-sized draws, which would be too large to keep."""
        return np.random.default_rng([self.seed, _STREAMS.index(name), part.start + 1])


def _paint(draws: _Draws, part: slice, size: int) -> tuple[NDArray, NDArray]:
    """Pictures (B, size, size, 3) uint8 and visible-object masks (B, size, size) bool."""
    value = {name: numbers[part].astype(np.float32) for name, numbers in draws.value.items()}
    coverage, extents = _objects(draws, part, size)  # (B, H, W) in [0, 1], (B, 4)
    background = _backgrounds(draws, part, size)  # (B, H, W, 3) in [0, 1]

    # A tint of random hue around a grey level that is `contrast` above the background's.
    level = background.mean(axis=(1, 2, 3)) + value["contrast"]
    tint = (draws.colour[part].astype(np.float32) - 0.5) * 0.4
    colour = np.clip(level[:, None] + tint - tint.mean(axis=1, keepdims=True), 0, 1)  # (B, 3)
    picture = background + coverage[..., None] * (colour[:, None, None] - background)

    hidden = _hidden(extents, value["occlusion"], draws.side[part], size)  # (B, H, W) bool
    bar = draws.scene.occluder
    picture[hidden] = background[hidden] if isinstance(bar, str) else bar

    picture += value["brightness"][:, None, None, None]
    if value["noise"].any():
        noise = draws.pixels(part).standard_normal(picture.shape, np.float32)
        picture += value["noise"][:, None, None, None] * noise
    np.clip(picture, 0, 1, out=picture)
    return (picture * 255 + 0.5).astype(np.uint8), (coverage >= 0.5) & ~hidden


def _objects(draws: _Draws, part: slice, size: int) -> tuple[NDArray, NDArray]:
    """Each object's share of every pixel (B, size, size) and its box, unclipped (B, 4), float32."""
    labels, value = draws.labels[part], {k: v[part] for k, v in draws.value.items()}
    angle, direction = np.radians(value["rotation"]), draws.direction[part]
    centre = 0.5 + value["shift"][:, None] * np.stack([np.cos(direction), np.sin(direction)], 1)
    grown = RADIUS * value["scale"][:, None, None]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # y is down
    canvas = np.zeros((len(labels), size * SUPERSAMPLE, size * SUPERSAMPLE), np.uint8)
    extents = np.empty((len(labels), 4), np.float32)
    for label in range(len(CLASS_NAMES)):
        members = np.flatnonzero(labels == label)
        contours = [
            grown[members] * np.einsum("pj,ijm->mpi", outline, turn[..., members])
            + centre[members, None]
            for outline in OUTLINES[label]
        ]  # each (members, points, 2), in sides of the image
        corners = np.concatenate(contours, axis=1) * size
        extents[members] = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        # OpenCV puts a pixel's centre, not its corner, at the whole number.
        points = [
            np.rint((c * size * SUPERSAMPLE - 0.5) * 2**_FIXED_POINT).astype(np.int32)
            for c in contours
        ]
        for row, member in enumerate(members):
            cv2.fillPoly(canvas[member], [p[row] for p in points], 255, shift=_FIXED_POINT)
    # All pictures stand in one tall column, so that one call averages every block of 4 × 4.
    column = canvas.reshape(-1, size * SUPERSAMPLE)
    small = cv2.resize(column, (size, len(labels) * size), interpolation=cv2.INTER_AREA)
    return small.reshape(-1, size, size).astype(np.float32) / 255, extents


def _backgrounds(draws: _Draws, part: slice, size: int) -> NDArray:
    """Backgrounds (B, size, size, 3) in [0, 1], of the kind that was drawn for each picture."""
    kind, level = draws.kind[part], 0.15 + 0.25 * draws.background[part, 0]
    if draws.scene.background == "photograph":
        pool = backdrops(3 * size)
        x, y = (draws.background[part, 1:3] * (2 * size + 1)).astype(int).T
        crops = [pool[k, j : j + size, i : i + size] for k, i, j in zip(kind, x, y, strict=True)]
        return np.stack(crops).astype(np.float32) / 255 * 0.6  # leave room for a brighter object
    hue = 2 * np.pi * (kind[:, None] / len(CLASS_NAMES) + np.arange(3) / 3)  # (B, 3)
    colour = (level[:, None] + 0.1 * np.cos(hue)).astype(np.float32)
    plain = np.broadcast_to(colour[:, None, None], (len(kind), size, size, 3))
    if draws.scene.background == "plain":
        return plain.copy()
    coarse = draws.pixels(part, "background").random((len(kind), 6, 6), np.float32) - 0.5
    blotches = np.stack(
        [cv2.resize(c, (size, size), interpolation=cv2.INTER_CUBIC) for c in coarse]
    )
    return np.clip(plain + 0.4 * blotches[..., None], 0, 1).astype(np.float32)


def _hidden(extents: NDArray, occlusion: NDArray, side: NDArray, size: int) -> NDArray[np.bool_]:
    """Pixels behind the bar (B, size, size): a part of each box, from side 0–3 (l, t, r, b)."""
    box = extents + np.array([-0.5, -0.5, 0.5, 0.5], np.float32)  # its soft edge, too
    width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    covered = occlusion * np.where(side % 2 == 0, width, height)
    every = np.arange(len(box))  # each box ends so far from the side that its bar begins at
    box[every, (side + 2) % 4] = box[every, side] + covered * np.where(side < 2, 1, -1)
    x0, y0, x1, y1 = box.T[..., None]  # each (B, 1)
    middle = np.arange(size) + 0.5
    columns, rows = (x0 <= middle) & (middle < x1), (y0 <= middle) & (middle < y1)  # (B, size)
    return rows[:, :, None] & columns[:, None, :]


def _polar(radius: float | NDArray, angle: NDArray) -> NDArray[np.float64]:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _polygon(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, dtype=np.float64)


def _heart(t: NDArray) -> NDArray[np.float64]:
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([np.sin(t) ** 3, -(y + 2.5) / 16], axis=1)


_TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)
_CRESCENT = (
    _polar(1.0, np.linspace(0.25, 1.75, 30) * np.pi),
    np.array([0.38, 0]) + _polar(0.76, np.linspace(1.62, 0.38, 30) * np.pi),  # the bite
)
_ARROW = _polygon((-1, 0), (0, -0.9), (0, -0.38), (1, -0.38), (1, 0.38), (0, 0.38), (0, 0.9))

OUTLINES: tuple[tuple[NDArray[np.float64], ...], ...] = (
    (_polar(1.0, _TURN),),
    (_polygon((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),),
    (_polygon((0, -1.05), (1.0, 0.8), (-1.0, 0.8)),),
    (_polar(np.tile([1.1, 0.45], 5), np.arange(10) * np.pi / 5 - np.pi / 2),),
    (
        _polygon(
            *((-0.33, -1), (0.33, -1), (0.33, -0.33), (1, -0.33), (1, 0.33), (0.33, 0.33)),
            *((0.33, 1), (-0.33, 1), (-0.33, 0.33), (-1, 0.33), (-1, -0.33), (-0.33, -0.33)),
        ),
    ),
    (_polar(1.0, _TURN), _polar(0.55, _TURN)),
    (np.concatenate(_CRESCENT),),
    (_heart(_TURN),),
    (_ARROW,),
    (_ARROW * (-1, 1),),
)
"""Each class's contours, (points, 2) float64: x and y within about 1 of (0, 0), y downwards.

A second contour is a hole.

>>> from cvcourse.data.shapes import CLASS_NAMES, OUTLINES
>>> [contour.shape for contour in OUTLINES[CLASS_NAMES.index("ring")]]
[(40, 2), (40, 2)]
"""
