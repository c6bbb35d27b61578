"""How methods work, as diagrams: who sees what, and where the gradient goes.

>>> from cvcourse.explore import methods
>>> methods.fixmatch().title
'FixMatch: an easy view labels a hard one'
"""

from __future__ import annotations

from itertools import pairwise

from cvcourse.checks import Share, checked
from cvcourse.explore.diagram import PAPER, WIDTH, Box, Diagram, flow, line, words
from cvcourse.explore.still import tone


def freezing() -> Diagram:
    """Two ways to use a borrowed backbone.

    >>> from cvcourse.explore import methods
    >>> methods.freezing().title
    'Freezing, and two learning rates'
    """
    boxes: dict[str, Box] = {}
    for column, (way, rate) in enumerate({"freeze": "rate 0", "fine-tune": "rate η / 10"}.items()):
        tone_of_backbone = "grey" if way == "freeze" else "blue"
        boxes |= {
            f"{way}/way": Box(column, 0, way, "loss", span=0.75),
            f"{way}/backbone": Box(
                column, 1, f"backbone\n{rate}", "network", tone_of_backbone, 0.75
            ),
            f"{way}/head": Box(column, 2, "new head\nrate η", "network", "orange", 0.75),
            f"{way}/loss": Box(column, 3, "loss", "loss", "purple", 0.75),
        }
    order = ("way", "backbone", "head", "loss")
    arrows = [
        (f"{way}/{start}", f"{way}/{end}")
        for way in ("freeze", "fine-tune")
        for start, end in pairwise(order)
    ]
    arrows += [(f"{way}/loss", f"{way}/head") for way in ("freeze", "fine-tune")]
    arrows += [("fine-tune/loss", "fine-tune/backbone")]
    return flow(
        "Freezing, and two learning rates",
        "Left, freeze: a picture goes through a borrowed backbone with a learning rate of 0, then "
        "through a new head with rate η, to the loss. The gradient (dashed) goes back to the head "
        "only. Right, fine-tune: the same, but the gradient goes on into the backbone, which "
        "learns at a tenth of the rate.",
        boxes,
        arrows,
    )


def distillation() -> Diagram:
    """A teacher, its student, and the two losses.

    >>> from cvcourse.explore import methods
    >>> methods.distillation().title
    'A teacher and a student'
    """
    return flow(
        "A teacher and a student",
        "A picture goes to a large teacher, which is frozen, and to a small student. The teacher's "
        "soft answer and the student's, both at temperature T, meet in the first loss, T² times "
        "the KL divergence. The student's answer at temperature 1 and the label meet in the "
        "second, the cross-entropy. The weighted sum of both is the loss. Its gradient (dashed) "
        "goes back to the student only.",
        {
            "picture": Box(0.75, 0, "picture"),
            "teacher": Box(0, 1, "teacher\nlarge, frozen", "network", "blue"),
            "student": Box(1.5, 1, "student\nsmall", "network", "orange"),
            "p": Box(0, 2, "soft answer\nat T"),
            "q": Box(1, 2, "soft answer\nat T"),
            "q1": Box(2, 2, "answer\nat T = 1"),
            "kl": Box(0.5, 3, "T² × KL", "loss", "purple"),
            "ce": Box(2, 3, "cross-entropy\nwith label", "loss", "green"),
            "loss": Box(1.25, 4, "α × the first + (1 − α) × the second", "loss", "grey", 2.5),
        },
        [
            *(("picture", "teacher"), ("picture", "student"), ("teacher", "p")),
            *(("student", "q"), ("student", "q1"), ("p", "kl"), ("q", "kl"), ("q1", "ce")),
            *(("kl", "loss"), ("ce", "loss"), ("loss", "student")),
        ],
    )


def pseudo_label() -> Diagram:
    """The life of a pseudo-label.

    >>> from cvcourse.explore import methods
    >>> methods.pseudo_label().title
    'The life of a pseudo-label'
    """
    return flow(
        "The life of a pseudo-label",
        "A teacher, trained on the pictures with labels, looks at a clean picture without a label "
        "and gives probabilities. Is the largest at least the threshold τ? If not, the picture is "
        "left out. If so, its class becomes the pseudo-label. A new student learns from the "
        "pseudo-labelled pictures and the labelled ones together.",
        {
            "picture": Box(0, 0, "clean picture\nwithout a label", span=0.85),
            "labelled": Box(1, 1, "pictures\nwith labels", tone="green", span=0.85),
            "teacher": Box(0, 1, "teacher", "network", "blue", 0.85),
            "answer": Box(0, 2, "probabilities\nof the classes", span=0.85),
            "sure": Box(0, 3, "largest ≥ τ ?", "loss", "purple", 0.85),
            "out": Box(1, 3, "left out", span=0.85),
            "label": Box(0, 4, "pseudo-label", tone="purple", span=0.85),
            "again": Box(1, 4, "pictures\nwith labels", tone="green", span=0.85),
            "student": Box(0.5, 5, "student", "network", "orange", 0.85),
        },
        [
            *(("picture", "teacher"), ("labelled", "teacher"), ("teacher", "answer")),
            *(("answer", "sure"), ("sure", "out", "no"), ("sure", "label", "yes")),
            *(("label", "student"), ("again", "student")),
        ],
    )


def fixmatch() -> Diagram:
    """FixMatch: an easy view labels a hard one.

    >>> from cvcourse.explore import methods
    >>> methods.fixmatch().title
    'FixMatch: an easy view labels a hard one'
    """
    return flow(
        "FixMatch: an easy view labels a hard one",
        "A picture without a label is seen twice. Its weak view, moved a little, goes through the "
        "model, and if the largest probability is at least τ its class becomes the pseudo-label. "
        "Its strong view, bent and recoloured, goes through the same model, and cross-entropy asks "
        "it for that label. The gradient (dashed) goes back through the strong view's side only.",
        {
            "picture": Box(0.5, 0, "picture without\na label"),
            "weak": Box(0, 1, "weak view:\nmoved a little"),
            "strong": Box(1, 1, "strong view:\nRandAugment"),
            "left": Box(0, 2, "model", "network", "blue"),
            "right": Box(1, 2, "the same model", "network", "blue"),
            "q": Box(0, 3, "probabilities q"),
            "p": Box(1, 3, "probabilities p"),
            "label": Box(0, 4, "pseudo-label,\nif max q ≥ τ", tone="purple"),
            "loss": Box(0.5, 5, "cross-entropy", "loss", "purple"),
        },
        [
            *(("picture", "weak"), ("picture", "strong"), ("weak", "left"), ("strong", "right")),
            *(("left", "q"), ("right", "p"), ("q", "label"), ("label", "loss"), ("p", "loss")),
            ("loss", "right"),
        ],
    )


def noisy_student() -> Diagram:
    """Noisy Student's loop.

    >>> from cvcourse.explore import methods
    >>> methods.noisy_student().title
    "Noisy Student's loop"
    """
    return flow(
        "Noisy Student's loop",
        "A teacher without noise looks at clean pictures without labels and gives pseudo-labels. A "
        "new student, noised by dropout, learns from noised pictures: the labelled ones with their "
        "labels, the others with the pseudo-labels. Then (dashed) the student becomes the next "
        "teacher, and labels the same clean pictures again.",
        {
            "clean": Box(1, 0, "clean pictures\nwithout labels"),
            "labelled": Box(0, 0, "pictures\nwith labels", tone="green"),
            "teacher": Box(1, 1, "teacher\nno noise", "network", "blue"),
            "pseudo": Box(1, 2, "pseudo-labels", tone="purple"),
            "noised": Box(0, 3, "noised pictures,\nlabels", tone="green"),
            "others": Box(1, 3, "noised pictures,\npseudo-labels", tone="purple"),
            "student": Box(
                0.5, 4, "student, with dropout\nas wide or wider", "network", "orange", 1.2
            ),
        },
        [
            *(("clean", "teacher"), ("teacher", "pseudo"), ("pseudo", "others")),
            *(("labelled", "noised"), ("noised", "student"), ("others", "student")),
            ("student", "teacher"),
        ],
    )


@checked
def cutmix(planned: Share = 0.64, x: Share = 0.9, y: Share = 0.4) -> Diagram:
    """CutMix's label, counted after clipping.

    >>> from cvcourse.explore import methods
    >>> "0.76 of the first" in methods.cutmix().description
    True

    Args:
        planned: λ as drawn, the share of the first picture that is to stay.
        x: the middle of the piece, from 0 (left) to 1.
        y: the middle of the piece, from 0 (top) to 1.
    """
    half = (1 - planned) ** 0.5 / 2
    left, right = max(x - half, 0), min(x + half, 1)
    top, bottom = max(y - half, 0), min(y + half, 1)
    share = 1 - (right - left) * (bottom - top)
    side, mixed = 92.0, 200.0  # of the two pictures, and of what becomes of them
    at, down = (WIDTH - mixed) / 2, 190.0
    first, second = _picture(40, 30, side, "blue"), _picture(208, 30, side, "orange")
    piece = (at + mixed * left, down + mixed * top, mixed * (right - left), mixed * (bottom - top))
    planned_piece = (
        f'<rect x="{at + mixed * (x - half):g}" y="{down + mixed * (y - half):g}" '
        f'width="{2 * half * mixed:g}" height="{2 * half * mixed:g}" fill="none" '
        f'stroke="{tone("orange")}" stroke-width="2" stroke-dasharray="5 4"/>'
    )
    bar = 300 * share
    parts = [
        *(words(40 + side / 2, 20, "first picture", 150), first),
        *(words(208 + side / 2, 20, "second picture", 150), second),
        line([(40 + side / 2, 126), (40 + side / 2, 154), (WIDTH / 2, 154), (WIDTH / 2, 186)]),
        line([(208 + side / 2, 126), (208 + side / 2, 154), (WIDTH / 2, 154)], tip=False),
        _picture(at, down, mixed, "blue"),
        _patch(*piece, "orange"),
        planned_piece,
        _patch(20, down + mixed + 50, bar, 26, "blue"),
        _patch(20 + bar, down + mixed + 50, 300 - bar, 26, "orange"),
        words(WIDTH / 2, down + mixed + 38, "its label, by area:", WIDTH),
        words(20 + bar / 2, down + mixed + 94, f"{share:.2f} of the first", WIDTH),
        words(20 + bar + (300 - bar) / 2 - 10, down + mixed + 94, f"{1 - share:.2f}", WIDTH),
    ]
    return Diagram(
        "CutMix's label",
        f"A piece of the second picture is pasted into the first. As planned (dashed) it has "
        f"{1 - planned:.2f} of the area, but it sticks out of the picture, and what sticks out is "
        f"cut off. The label is counted from what is left: {share:.2f} of the first picture's "
        f"class and {1 - share:.2f} of the second's, not {planned:.2f} and {1 - planned:.2f}.",
        down + mixed + 104,
        tuple(parts),
    )


def _picture(x: float, y: float, side: float, name: str) -> str:
    return _patch(x, y, side, side, name)


def _patch(x: float, y: float, width: float, height: float, name: str) -> str:
    """A filled rectangle; orange ones are striped, so that no colour is needed to tell them."""
    colour = tone(name)
    frame = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{PAPER}"/>'
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}" '
        f'fill-opacity="0.25" stroke="{colour}" stroke-width="1.5"/>'
    )
    if name == "blue":
        return frame
    count = int(width / 12)
    stripes = "".join(
        f"M{x + 6 + 12 * i:g} {y:g}v{height:g}" for i in range(count) if 6 + 12 * i < width
    )
    return f'{frame}<path d="{stripes}" stroke="{colour}" stroke-width="2.5" fill="none"/>'
