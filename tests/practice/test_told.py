"""Answers of a reader who was told the wrong thing, or nothing, and what they are told now."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from chapters import chapter
from torch import Tensor


def box_by_width(mask: Tensor) -> Tensor:
    ys, xs = mask.nonzero().unbind(dim=1)
    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    return torch.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]) / mask.shape[1]


def surer_than(logits: Tensor, threshold: float) -> Tensor:
    confidence, classes = logits.softmax(dim=1).max(dim=1)
    return torch.where(confidence > threshold, classes, -1)


def without_class_0(logits: Tensor, labels: Tensor) -> Tensor:
    some = labels > 0
    if not some.any():
        return logits.sum() * 0
    return torch.nn.functional.cross_entropy(logits[some], labels[some])


@pytest.mark.parametrize(
    ("name", "exercise", "answer", "told"),
    [
        ("first_network", "numbers", (3, 32, 32), "Those are 3 numbers; expected a number."),
        ("first_network", "step", lambda w, g, r: w * (1 - r * g), "That scales the weight."),
        ("inverse_rendering", "box_of", box_by_width, "You divide by the width throughout"),
        ("search", "break_even", 912, "3,072 numbers a picture; these vectors have 64"),
        ("one_layer", "lead_kept", 36.5, "That is per cent"),
        ("one_backbone_many_heads", "saved", 82.8, "That is per cent"),
        ("augmentation", "all_classes", 0.88, "the question is for the best possible"),
        ("distillation", "shrinks", 59, "where the law is not exact yet"),
        ("pseudo_labels", "label_if_sure", surer_than, "just the threshold is enough"),
        ("pseudo_labels", "pseudo_label_loss", without_class_0, "You leave out class 0"),
    ],
)
def test_the_mistake_is_told(
    name: str, exercise: str, answer: Any, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(chapter(name), exercise).check(answer)
    said = " ".join(capsys.readouterr().out.split())
    assert told in said
    assert "Two things" not in said
