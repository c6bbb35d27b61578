"""Chapters 1, 6, 7, 10 and 14, from the assignment to marks: good, half good, and broken."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
import torch
from test_grading import ROOT, assignment, grade, handed_in

SECONDS = 5.0
Answers = dict[str, tuple[str, str | None]]
#: What a good student puts before the line that checks, and into its brackets.
GOOD: dict[str, Answers] = {
    "01_inverse_rendering": {
        "joint_error": ("", "1 / math.sqrt(1 + 1 / 4)"),
        "mix": (
            "def mix(share, colour, background):\n"
            "    below = background.reshape(3, 1, 1)\n"
            "    return below + share * (colour.reshape(3, 1, 1) - below)",
            "mix",
        ),
        "orientation": (
            "def orientation(dy, dx):\n    return np.degrees(np.arctan2(dy, dx)) % 180",
            "orientation",
        ),
        "box_of": (
            "def box_of(mask):\n"
            "    h, w = mask.shape\n"
            "    ys, xs = torch.where(mask)\n"
            "    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1\n"
            "    return [(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h]",
            "box_of",
        ),
        "improve": (
            "def improve(start, error):\n"
            "    best, low, step = start.clone(), error(start), 0.08\n"
            "    while step > 1e-3:\n"
            "        better = False\n"
            "        for i in range(4):\n"
            "            for change in (step, -step):\n"
            "                tried = best.clone()\n"
            "                tried[i] += change\n"
            "                if (now := error(tried)) < low:\n"
            "                    best, low, better = tried, now, True\n"
            "        step = step if better else step / 2\n"
            "    return best",
            "improve",
        ),
    },
    "06_receptive_fields": {
        "pool_after_stride": ("", "5 + 3 * 3"),
        "by_hand": ("", "(14, 2, 6.5)"),
        "pixels_of": (
            "def pixels_of(layers, unit):\n"
            "    first = last = unit\n"
            "    for k, s, p, d in reversed(layers):\n"
            "        first, last = first * s - p, last * s - p + (k - 1) * d\n"
            "    return first, last",
            "pixels_of",
        ),
        "effective_share": (
            "def effective_share(gradient, level):\n"
            "    mass = np.sort(np.abs(gradient.numpy()).ravel())[::-1].astype(float)\n"
            "    return (np.searchsorted(mass.cumsum(), level * mass.sum()) + 1) / mass.size",
            "effective_share",
        ),
        "made_to_measure": (
            "def made_to_measure():\n"
            "    return nn.Sequential(\n"
            "        nn.Conv2d(3, 4, 4, stride=4), nn.ReLU(), nn.Conv2d(4, 4, 6, padding=2)\n"
            "    )",
            "made_to_measure",
        ),
    },
    "07_one_backbone_many_heads": {
        "moved_box": ("", "300 / 500"),
        "saved": ("", "72 / 87"),
        "giou_loss": (
            "def area(low, high):\n"
            "    return (high - low).clamp(min=0).prod(dim=1)\n\n"
            "def giou_loss(a, b):\n"
            "    (p, q), (r, s) = a.split(2, dim=1), b.split(2, dim=1)\n"
            "    shared = area(torch.maximum(p, r), torch.minimum(q, s))\n"
            "    around = area(torch.minimum(p, r), torch.maximum(q, s))\n"
            "    both = area(p, q) + area(r, s) - shared\n"
            "    return 1 - shared / both + 1 - both / around",
            "giou_loss",
        ),
        "detected": (
            "def detected(scores, overlap, labels):\n"
            "    found = (scores.argmax(1) == labels) & (overlap >= 0.5)\n"
            "    return found.sum() / len(labels)",
            "detected",
        ),
        "borrow": (
            "def borrow(backbone, images):\n"
            "    modes = [(m, m.training) for m in backbone.modules()]\n"
            "    with torch.no_grad():\n"
            "        maps = backbone.eval()(images)\n"
            "    for m, mode in modes:\n"
            "        m.training = mode\n"
            "    return maps",
            "borrow",
        ),
    },
    "10_transfer": {
        "new_head": ("", "4096 * 20 + 20"),
        "stored_once": ("", "80 * 700.7 / (700 + 80 * 0.7)"),
        "running_mean": (
            "def running_mean(running, maps, momentum):\n"
            "    return torch.lerp(running, maps.mean((0, 2, 3)), momentum)",
            "running_mean",
        ),
        "two_groups": (
            "def two_groups(model, head, rate):\n"
            "    of_head = set(head.parameters())\n"
            "    below = [p for p in model.parameters() if p not in of_head]\n"
            '    top = {"params": head.parameters(), "lr": rate}\n'
            '    return [{"params": below, "lr": 0.1 * rate}, top]',
            "two_groups",
        ),
    },
    "14_label_budget": {
        "the_whole_chain": ("", "(6000 + 1000 + 15_600) * 0.3e6 / 1e9"),
        "labels_needed": (
            "def labels_needed(counts, curve, goal):\n"
            "    if curve[0] >= goal:\n"
            "        return counts[0]\n"
            "    for i in range(1, len(curve)):\n"
            "        if curve[i] >= goal:\n"
            "            share = (goal - curve[i - 1]) / (curve[i] - curve[i - 1])\n"
            "            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share\n"
            "    return math.inf",
            "labels_needed",
        ),
        "fair_gap": (
            "from cvcourse.experiment import interval\n\n"
            "def fair_gap(method, baseline):\n"
            "    gain = interval(method - baseline)\n"
            "    return gain.low, gain.high",
            "fair_gap",
        ),
        "spend": (
            "def spend(budget, backbone, work, estimate):\n"
            "    reached = {}\n"
            "    for name in work:\n"
            '        left = budget - (backbone if name.startswith("transfer") else 0)\n'
            "        try:  # who has no label left is told so by an error\n"
            "            reached[name] = estimate(name, left // 5), left // 5\n"
            "        except ValueError:\n"
            "            pass\n"
            "    enough = max(reached.values())[0] - 0.02\n"
            "    good = [name for name in reached if reached[name][0] >= enough]\n"
            "    name = min(good, key=work.get)\n"
            "    return name, reached[name][1]",
            "spend",
        ),
    },
}
SYNTAX, LOOP = ("print((", None), ("while True:\n    pass", None)
PRINTS = ("print(0.894)", "...")
#: Where another student differs, the points that are left, and of what the table tells.
OTHER: dict[str, tuple[Answers, list[float | None], str]] = {
    "01_inverse_rendering": (
        {
            "joint_error": LOOP,
            "mix": PRINTS,
            "improve": ("def improve(start, error):\n    return error(object())", "improve"),
        },
        [0, 0, 2, 2, None],
        "took over 5 s",
    ),
    "06_receptive_fields": (
        {
            "pool_after_stride": SYNTAX,
            "by_hand": ("", "(14, 2, 0)"),
            "made_to_measure": (
                "class Net(nn.Conv2d):\n    pass",
                "lambda: Net(3, 2, 4, stride=4)",
            ),
        },
        [0, 0, 2, 2, None],
        r"Cells that stopped: 5 \(SyntaxError\)",
    ),
    "07_one_backbone_many_heads": (
        {
            "moved_box": SYNTAX,
            "detected": ("def detected(*_):\n    print('0.5')", "detected"),
            "borrow": ("", "lambda backbone, images: backbone.eval()(images).detach()"),
        },
        [0, 1, 2, 0, 0],
        r"Cells that stopped: 5 \(SyntaxError\)",
    ),
    "10_transfer": (
        {"new_head": SYNTAX, "running_mean": PRINTS},
        [0, 1, 0, 3],
        r"Cells that stopped: 5 \(SyntaxError\)",
    ),
    "14_label_budget": (
        {
            "the_whole_chain": SYNTAX,
            "labels_needed": ("", "lambda counts, curve, goal: counts[0]"),
            "fair_gap": PRINTS,
        },
        [0, 0, 0, 3],
        r"Cells that stopped: 5 \(SyntaxError\)",
    ),
}


def marks(folder: Path, chapter: str, answers: Answers) -> list[grade.Mark]:
    """What one student gets."""
    assignment.write(ROOT, chapter, folder)
    book = nbformat.read(folder / "student" / f"{chapter}.ipynb", as_version=4)
    (folder / "in").mkdir()
    nbformat.write(handed_in(book, answers), folder / "in" / "student.ipynb")
    return [*grade.grade(folder / "teacher" / "held_out.json", folder / "in", SECONDS)]


@pytest.mark.parametrize("chapter", GOOD)
def test_a_good_student_has_all_points(chapter: str, tmp_path: Path) -> None:
    given = marks(tmp_path, chapter, GOOD[chapter])
    assert [mark for mark in given if mark.points != mark.of] == []
    assert [mark.task for mark in given] == list(GOOD[chapter])


@pytest.mark.parametrize("chapter", OTHER)
def test_what_is_broken_is_lost_and_nothing_else(chapter: str, tmp_path: Path) -> None:
    differs, points, why = OTHER[chapter]
    given = marks(tmp_path, chapter, GOOD[chapter] | differs)
    assert [mark.points for mark in given] == points, given
    assert any(re.search(why, mark.why) for mark in given), given


def test_an_answer_that_cannot_be_read_does_not_spoil_the_next(tmp_path: Path) -> None:
    asks = ("def improve(start, error):\n    return error(object())", "improve")
    chapter = "01_inverse_rendering"
    assignment.write(ROOT, chapter, tmp_path)
    book = nbformat.read(tmp_path / "student" / f"{chapter}.ipynb", as_version=4)
    path = tmp_path / "student.ipynb"
    nbformat.write(handed_in(book, GOOD[chapter] | {"improve": asks}), path)
    with grade.Student(path, SECONDS) as student:
        with pytest.raises(grade.UnreadableError):
            student.ask("improve", [torch.zeros(4), lambda description: 0.0])
        assert student.ask("joint_error")["value"] == pytest.approx(0.8**0.5)
