"""A teacher, its student, and a picture of the book or the reader's own."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import torch
from traitlets import TraitError

from cvcourse.data import VARIED, render
from cvcourse.explore import DistilledPicture
from cvcourse.explore.pictures import exact_uri
from cvcourse.losses import knowledge_distillation_loss
from cvcourse.models import MLP, SmallCNN, SmallResNet, standardized
from cvcourse.train import Recipe, fit

PICTURES = render(4, VARIED, size=16, seed=2)


def network(width: int) -> torch.nn.Module:
    """Trained a little, so that its logits differ; its matrices are half-precision numbers."""
    torch.manual_seed(width)
    train = render(400, VARIED, size=16, seed=1)
    model = standardized(SmallCNN, train, width=width)
    fit(model, train, Recipe(epochs=2, learning_rate=3e-2))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.half().float()
    return model.eval()


@pytest.fixture(scope="module")
def models() -> list[torch.nn.Module]:
    return [network(8), network(4)]


@pytest.fixture
def piece(models: list[torch.nn.Module]) -> DistilledPicture:
    return DistilledPicture(*models, PICTURES)


def says(models: list[torch.nn.Module], picture: torch.Tensor) -> list[list[float]]:
    with torch.no_grad():
        return [model(picture[None])[0].tolist() for model in models]


def test_browser_and_python_answer_as_pytorch_does(
    models, piece: DistilledPicture, compute
) -> None:
    noise = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8)
    images = torch.cat([PICTURES.images, noise])
    states = []
    for image in images:
        piece.pixels = base64.b64encode(image.numpy().tobytes()).decode()
        teacher, student = says(models, image)
        assert piece.teacher == pytest.approx(teacher, abs=1e-4)
        assert piece.student == pytest.approx(student, abs=1e-4)
        states.append(piece.state())
    for state, image, here in zip(states, images, compute(DistilledPicture, states), strict=True):
        teacher, student = says(models, image)
        assert here["answers"]["teacher"] == pytest.approx(teacher, abs=1e-3)
        assert here["answers"]["student"] == pytest.approx(student, abs=1e-3)
        logits = [torch.tensor([one], dtype=torch.float64) for one in (student, teacher)]
        loss = knowledge_distillation_loss(
            *logits, torch.tensor([state["label"]]), temperature=4.0, alpha=0.9
        )
        assert here["total"] == pytest.approx(loss.item(), abs=5e-3)
    assert np.ptp(states[0]["teacher"]) > 1


def told(tab: Any, words: str) -> str:
    """What the two say, once it holds these words."""
    said = tab.locator(".cvx-distilled > div")
    said.get_by_text(words).first.wait_for()
    return said.inner_text()


def test_pictures_and_temperature(models, piece: DistilledPicture, show, source: str) -> None:
    tab = show(piece, source=source)
    for i, image in enumerate(PICTURES.images):
        tab.locator(".cvx-choose button").nth(i).click()
        teacher, student = (torch.tensor(one) for one in says(models, image))
        lines = [
            f"The {who} says “{PICTURES.class_names[int(one.argmax())]}”: "
            f"{one.softmax(0).max():.2f} at T = 1, {(one / 4).softmax(0).max():.2f} at T = 4."
            for who, one in (("teacher", teacher), ("student", student))
        ]
        assert lines[1] in told(tab, lines[0])
        assert tab.locator("input[type=radio]").nth(int(PICTURES.labels[i])).is_checked()
    tab.get_by_label("Temperature T").press("End")
    assert "at T = 100." in told(tab, "at T = 100.")
    step = tab.get_by_role("button", name="copies the teacher")
    before = tab.locator(".cvx-summary").inner_text()
    step.click()
    assert "at T = 100 is 0.00000" in tab.locator(".cvx-summary").inner_text()
    tab.get_by_role("button", name="as it was taught").click()
    assert tab.locator(".cvx-summary").inner_text() == before
    assert not tab.evaluate("performance.getEntriesByType('resource').length")


def test_a_picture_of_ones_own(models, piece: DistilledPicture, show) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 30, 3), np.uint8)
    data = base64.b64decode(exact_uri(picture).split(",")[1])
    tab = show(piece)
    given = {"name": "mine.bmp", "mimeType": "image/bmp", "buffer": data}
    tab.get_by_label("A picture of yours").set_input_files(given)
    middle = torch.from_numpy(picture[:, 7:23].copy()).permute(2, 0, 1)
    teacher = torch.tensor(says(models, middle)[0])
    name = PICTURES.class_names[int(teacher.argmax())]
    told(tab, f"The teacher says “{name}”: {teacher.softmax(0).max():.2f} at T = 1")
    assert tab.locator("input[type=radio]").nth(int(PICTURES.labels[0])).is_checked()


def test_mistakes_are_named(models, piece: DistilledPicture) -> None:
    with pytest.raises(TraitError, match=r"pictures have shape \(11, 3, 32, 32\)"):
        DistilledPicture(*models, render(11))
    with pytest.raises(TraitError, match="the student answers 5 numbers for 10 classes"):
        DistilledPicture(models[0], standardized(MLP, PICTURES, n_classes=5), PICTURES)
    with pytest.raises(TraitError, match="a page can compute convolutions"):
        DistilledPicture(models[0], standardized(SmallResNet, PICTURES), PICTURES)
    with pytest.raises(TraitError, match="pixels are 3 bytes in base64; expected 768"):
        piece.pixels = "AAAA"
