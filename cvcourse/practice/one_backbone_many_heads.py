"""Practice for chapter 7: overlap, a loss for boxes, what is detected, a frozen backbone.

>>> from cvcourse.practice import one_backbone_many_heads as practice
>>> _ = practice.moved_box.check(0.75)
✗ That is the shared area over one box. Divide by all that the two cover
together.
>>> _ = practice.saved.check(0.9)
✗ Nine backbones of ten are saved, but the heads must still be paid.
>>> _ = practice.giou_loss.check(...)
… giou_loss: no answer yet. Put yours in place of the dots.
>>> _ = practice.detected.check(lambda scores, overlap, labels: None)
… detected returns nothing yet. Write its body, and end it with return.
>>> _ = practice.borrow.check(...)
… borrow: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 5 questions
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="They share a strip of 15 × 20. Together they cover both areas, less what is counted "
    "twice.",
    why="A quarter of the width, and two fifths of the IoU are gone. Moved by half, it is 1/3.",
    tolerance=0.005,
    mistakes={
        "That is the shared area over one box. Divide by all that the two cover together.": 0.75,
        "The shared area lies in both boxes: subtract it once from the sum of the two.": 0.375,
        "That is one side of the story: the shared part over what only one of them covers.": 1.5,
        "That is the share that is not shared; expected the shared one.": 0.4,
        "That is the shared area in pixels. Divide by the area that the two cover together.": 300,
        "That was a box of 16 pixels moved by 3. Here it is one of 20 moved by 5.": 0.68,
    },
)
def moved_box() -> float:
    """IoU of a 20 × 20 box and the same box 5 pixels to the right."""
    shared = 15 * 20
    return shared / (20 * 20 + 20 * 20 - shared)


@Number.of(
    hint="Apart: ten backbones and ten heads. Together: one backbone and ten heads.",
    why="Heads are cheap, so the saving is 83 %; with heads for nothing it would be 90 %.",
    tolerance=0.005,
    mistakes={
        "Nine backbones of ten are saved, but the heads must still be paid.": 0.9,
        "That is what remains; expected what is saved.": 1 - 9 * 800 / (10 * 870),
        "That is the saving with two tasks. Here there are ten.": 800 / (2 * 870),
        "Ten backbones are not saved: one is still needed.": 800 / 870,
    },
)
def saved() -> float:
    """Share of multiply-adds saved by sharing: ten tasks, backbone 800 k, each head 70 k."""
    backbone, head, tasks = 800, 70, 10
    apart, together = tasks * (backbone + head), backbone + tasks * head
    return 1 - together / apart


def _boxes(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs of boxes that overlap, touch nothing, or lie inside each other; not square."""
    corner = 10 * torch.rand(12, 2, 2, generator=generator)
    side = 1 + 6 * torch.rand(12, 2, 2, generator=generator)
    boxes = torch.cat([corner, corner + side], dim=2)  # (12, 2, 4)
    boxes[0] = torch.tensor([[0.0, 0, 1, 1], [5, 6, 7, 9]])  # far apart, both ways
    return boxes[:, 0].clone(), boxes[:, 1].clone()


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)


def _loss(
    a: Tensor,
    b: Tensor,
    *,
    least: float = 0.0,
    more: float = 0.0,
    twice: bool = False,
    empty: float = 1.0,
    share_of: str = "around",
) -> Tensor:
    """1 − the generalised IoU, right or with one thing wrong."""
    shared = torch.minimum(a, b)[:, 2:] - torch.maximum(a, b)[:, :2] + more
    inside = shared.clamp(min=least).prod(dim=1)
    union = _area(a) + _area(b) - (0 if twice else inside)
    around = (torch.maximum(a, b)[:, 2:] - torch.minimum(a, b)[:, :2]).prod(dim=1)
    return (
        1 - inside / union + empty * (around - union) / (union if share_of == "union" else around)
    )


@Function.of(
    hint="First the IoU. Then subtract the share of the smallest box around both that neither "
    "covers. The loss is 1 minus all that.",
    why="Where boxes do not touch, the IoU is 0 and its gradient too. This loss still says in "
    "which direction to go (Rezatofighi et al. 2019).",
    inputs=_boxes,
    mistakes={
        "That is the plain IoU loss. Where boxes do not touch, it is 1 however far they are: the "
        "box around both is missing.": partial(_loss, empty=0),
        "That is the generalised IoU itself, large when the boxes agree. A loss is 1 minus "
        "it.": lambda a, b: 1 - _loss(a, b),
        "Two negative overlaps make a positive area: clamp width and height at 0.": partial(
            _loss, least=-1e9
        ),
        "The term with the box around both has the wrong sign: empty space costs.": partial(
            _loss, empty=-1
        ),
        "The empty space is divided by the union; expected by the box around both.": partial(
            _loss, share_of="union"
        ),
        "The union counts the shared area twice.": partial(_loss, twice=True),
        "Edges are no pixels: width is x1 − x0, without a 1 on top.": partial(_loss, more=1),
        "One number for each pair, please; you took the mean.": lambda a, b: _loss(a, b).mean(),
    },
)
def giou_loss(a: Tensor, b: Tensor) -> Tensor:
    """Boxes (N, 4) and (N, 4), x0, y0, x1, y1 → 1 − generalised IoU of each pair, (N,)."""
    shared = torch.minimum(a, b)[:, 2:] - torch.maximum(a, b)[:, :2]  # (N, 2)
    intersection = shared.clamp(min=0).prod(dim=1)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(dim=1) for box in (a, b))
    union = area_a + area_b - intersection
    around = (torch.maximum(a, b)[:, 2:] - torch.minimum(a, b)[:, :2]).prod(dim=1)
    return 1 - intersection / union + (around - union) / around


def _said(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    scores = torch.randn(60, 3, generator=generator)
    overlap = torch.randint(0, 11, (60,), generator=generator) / 10  # 0.5 occurs
    return scores, overlap, torch.randint(3, (60,), generator=generator)


def _named(scores: Tensor, labels: Tensor) -> Tensor:
    return scores.argmax(dim=1) == labels


@Function.of(
    hint="Two conditions for each picture, joined by & before you take the mean.",
    why="A right name on the wrong place is not found, nor a right place with the wrong name.",
    inputs=_said,
    mistakes={
        "You multiply two averages. The same picture must be right in both: join first, then take "
        "the mean.": lambda scores, overlap, labels: (
            _named(scores, labels).double().mean() * (overlap >= 0.5).double().mean()
        ),
        "Either is not enough: name and place must both be "
        "right.": lambda scores, overlap, labels: (
            (_named(scores, labels) | (overlap >= 0.5)).double().mean()
        ),
        "You left out the name.": lambda scores, overlap, labels: (overlap >= 0.5).double().mean(),
        "You left out the place.": lambda scores, overlap, labels: (
            _named(scores, labels).double().mean()
        ),
        "An IoU of exactly 0.5 counts: at least, not more than.": lambda scores, overlap, labels: (
            (_named(scores, labels) & (overlap > 0.5)).double().mean()
        ),
        "You take the mean over the rightly named alone; expected over all pictures.": (
            lambda scores, overlap, labels: (overlap[_named(scores, labels)] >= 0.5).double().mean()
        ),
    },
)
def detected(scores: Tensor, overlap: Tensor, labels: Tensor) -> Tensor:
    """Logits (N, classes), IoU of each box (N,), labels (N,) → share of objects detected."""
    named = scores.argmax(dim=1) == labels
    placed = overlap >= 0.5
    return (named & placed).double().mean()


def _lend(learner: Callable[..., Any]) -> dict[str, Any]:
    """Hand over a backbone in training mode, and look at what is left of it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(4)
        norm.running_mean = torch.full((4,), 0.5)
        backbone = nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.ReLU(), nn.Dropout(0.5))
        images = torch.randn(8, 3, 6, 6)
        before = deepcopy(backbone.state_dict())
        frozen = deepcopy(backbone).eval()
        maps = learner(backbone, images.clone())
    after = backbone.state_dict()
    return {
        "maps": maps,
        "right": frozen(images).detach(),
        "weights": all(torch.equal(before[key], after[key]) for key in ("0.weight", "1.weight")),
        "averages": torch.equal(before["1.running_mean"], after["1.running_mean"]),
        "training": backbone.training and norm.training,
        "learns": all(parameter.requires_grad for parameter in backbone.parameters()),
    }


@Project.of(
    hint="Three things: eval() for batch norm and dropout, no_grad() for the gradient, and the "
    "mode that it was in afterwards.",
    why="requires_grad=False would have frozen the weights and left batch norm's averages moving. "
    "Those are no parameters; the mode decides.",
    run=_lend,
    called_with="a backbone in training mode and images (8, 3, 6, 6) float32",
    requirements={
        "Return the backbone's maps, one set for each picture.": lambda out: (
            out["maps"].shape == out["right"].shape
        ),
        "Afterwards the weights have changed. Looking must not teach.": lambda out: out["weights"],
        "Batch norm's running averages have moved: in training mode each look changes them, with "
        "or without gradients. Use eval().": lambda out: out["averages"],
        "The averages stand still, but the maps are not those of the frozen network. Are batch "
        "norm and dropout in eval mode while you look?": lambda out: torch.allclose(
            out["maps"], out["right"], atol=1e-6
        ),
        "The maps still carry a gradient: training the head would reach into the backbone.": (
            lambda out: not out["maps"].requires_grad
        ),
        "It was in training mode before and is in eval mode now. Put back what you found.": (
            lambda out: out["training"]
        ),
        "Its weights had requires_grad=True before and have not now. Put back what you found; "
        "no_grad() needs no change.": lambda out: out["learns"],
    },
)
def borrow(backbone: nn.Module, images: Tensor) -> Tensor:
    """What a frozen backbone says of images. It is left as it was found, its mode included."""
    mode = backbone.training
    backbone.eval()
    with torch.no_grad():
        maps = backbone(images)
    backbone.train(mode)
    return maps


quiz = Quiz(
    Question(
        "A head for boxes gets averaged maps of a backbone that learned to name. What happens?",
        Right(
            "It places boxes hardly better than a blind guess.",
            "Averages tell a place only if the backbone learned to write it into its maps.",
        ),
        Wrong(
            "Nothing: the class survived the average, too.",
            "A class does not depend on where the object is. A box is where the object is.",
        ),
        Wrong("It names the objects wrongly.", "Names were never the problem of an average."),
    ),
    Question(
        "Which of the three tasks paid for sharing a backbone?",
        Wrong(
            "The class.", "The short run left this open; in longer runs it lost a point at most."
        ),
        Wrong("The box.", "Even a backbone trained for names alone placed it nearly as well."),
        Right(
            "The mask.",
            "To name an object one may throw away where its edge runs; to cut it out one may not.",
        ),
    ),
    Question(
        "You set `requires_grad=False` on a backbone, and its features still change in "
        "training. Why?",
        Wrong("The optimiser has momentum.", "Without gradients it has nothing to move."),
        Right(
            "Batch norm's running averages still move.",
            "They are buffers, not parameters. Only eval mode holds them, and train() undoes it.",
        ),
        Wrong("The head changes them.", "It works on what the backbone gives, not on its weights."),
    ),
    Question(
        "Classes that the network never saw, 20 labels each: which layer's features were best?",
        Wrong("The first block's: they are the most general.", "General, but only edges so far."),
        Wrong("The last layer's.", "On average it was behind. It has an eighth of the numbers."),
        Right(
            "The last convolution block's, on average.",
            "Far ahead of the first block's. With 5 labels, the layer above it did about as well.",
        ),
    ),
    Question(
        "A backbone learned from drawn objects. With what do you compare it on X-rays?",
        Wrong(
            "Nothing: learned features are general.",
            "On new drawn classes they gained 35 points, on handwriting nothing that we saw.",
        ),
        Wrong(
            "Its accuracy on drawn objects.",
            "It hardly ever erred there, and elsewhere it was hardly better than random weights.",
        ),
        Right(
            "The same network with random weights, and the raw pixels, on X-rays.",
            "What was learned is worth as much as it is ahead of these, on these pictures.",
        ),
    ),
)
"""The questions that end the chapter."""
