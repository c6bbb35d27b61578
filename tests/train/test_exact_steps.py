"""Steps over images without labels, at exact numbers: thresholds, defaults, whose generator."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cvcourse.data import ImageSet
from cvcourse.train import Batch, Step
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.pseudo_label import (
    draw,
    linear_ramp,
    pseudo_labeling,
    pseudo_labels,
    purity,
    self_training,
)

LABELED = ImageSet(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 0]), ("a", "b"))


class Undecided(nn.Module):
    """As sure of one class as of the other: exactly 0.5. Counts what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(len(images))
        return torch.zeros(len(images), 2, requires_grad=True)


def batch_of_five() -> Batch:
    images = torch.ones(5, 1, 2, 2, dtype=torch.uint8)
    labels = torch.zeros(5, dtype=torch.int64)
    return Batch(images, labels, torch.arange(5), torch.Generator().manual_seed(0), progress=1.0)


def same(images: Tensor, generator: torch.Generator) -> Tensor:
    return images


def by_fixmatch(**settings: float) -> Step:
    return fixmatch(LABELED, weak=same, strong=same, **settings)  # type: ignore[arg-type]


def by_pseudo_labeling(**settings: float) -> Step:
    return pseudo_labeling(LABELED, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [by_fixmatch, by_pseudo_labeling])
@pytest.mark.parametrize(("threshold", "coverage"), [(0.5, 1.0), (0.5001, 0.0)])
def test_the_threshold_itself_is_sure_enough(
    kind: Callable[..., Step], threshold: float, coverage: float
) -> None:
    _, metrics = kind(threshold=threshold)(Undecided(), batch_of_five())
    assert metrics["coverage"] == coverage


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (by_fixmatch, [64 + 5 + 5]),
        (by_pseudo_labeling, [5, 64 + 5]),
        (lambda: self_training(LABELED), [64 + 5]),
    ],
)
def test_64_labelled_images_are_drawn(kind: Callable[..., Step], shown: list[int]) -> None:
    model = Undecided()
    kind()(model, batch_of_five())
    assert model.shown == shown


def test_left_to_itself_a_pseudo_label_must_be_surer_than_95_in_100_and_counts_once() -> None:
    class Sure(nn.Module):
        def __init__(self, probability: float) -> None:
            super().__init__()
            self.logit = torch.tensor(probability).logit().item()

        def forward(self, images: Tensor) -> Tensor:
            return torch.tensor([[self.logit, 0.0]]).expand(len(images), 2)

    for kind in (by_fixmatch, by_pseudo_labeling):
        for probability, coverage in ((0.949, 0.0), (0.951, 1.0)):
            _, metrics = kind()(Sure(probability), batch_of_five())
            assert metrics["coverage"] == coverage
        losses = [kind(weight=w)(Sure(0.96), batch_of_five())[0] for w in (0.0, 1.0)]
        once = -torch.tensor(0.96).log()
        torch.testing.assert_close(losses[1] - losses[0], once, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(kind()(Sure(0.96), batch_of_five())[0], losses[1])


def test_every_view_is_drawn_with_the_batchs_generator() -> None:
    batch, given = batch_of_five(), []

    def noted(images: Tensor, generator: torch.Generator) -> Tensor:
        given.append(generator)
        return images

    fixmatch(LABELED, weak=noted, strong=noted)(Undecided(), batch)
    pseudo_labeling(LABELED, augment=noted)(Undecided(), batch)
    self_training(LABELED, augment=noted)(Undecided(), batch)
    assert given == [batch.generator] * 5


class Answers(nn.Module):
    """Says class 1 of white images and class 0 of black ones."""

    def forward(self, images: Tensor) -> Tensor:
        white = images.float().mean(dim=(1, 2, 3)) / 255
        return torch.stack([1 - white, white], dim=1).requires_grad_()


@pytest.mark.parametrize("kind", [self_training, pseudo_labeling])
def test_accuracy_is_on_the_labelled_images(kind: Callable[..., Step]) -> None:
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    labeled = ImageSet(images, torch.ones(2, dtype=torch.int64), ("a", "b"))
    _, metrics = kind(labeled)(Answers(), batch_of_five())
    drawn, _ = draw(labeled, 64, batch_of_five().generator)
    white = (drawn[:, 0, 0, 0] == 255).float().mean()
    assert 0 < metrics["accuracy"] == white < 1


@pytest.mark.parametrize("training", [True, False])
def test_a_model_that_has_other_outputs_in_one_mode_is_refused(training: bool) -> None:
    class Moody(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.zeros(len(images), 3 if self.training is training else 2).requires_grad_()

    with pytest.raises(ValueError, match="the model has 3 outputs; expected 2"):
        by_pseudo_labeling()(Moody().train(), batch_of_five())


def test_pseudo_labels_count_once_in_self_training() -> None:
    for given in ({}, {"weight": 1.0}):
        loss, _ = self_training(LABELED, **given)(Undecided(), batch_of_five())
        assert loss.item() == pytest.approx(2 * math.log(2))


def test_equals_stay_in_their_order_and_one_of_each_is_enough() -> None:
    said = torch.tensor([[0.5, 0.5]]).repeat(200, 1)
    images = torch.arange(200).to(torch.uint8).view(200, 1, 1, 1)
    unlabeled = ImageSet(images, torch.full((200,), -1), ("a", "b"))
    with pytest.warns(UserWarning, match="no image is taken for b") as caught:
        kept, _ = pseudo_labels(unlabeled, said, per_class=1)
    assert kept.images.flatten().tolist() == [0]
    assert caught[0].filename == __file__, "the caller's line is shown"
    with pytest.warns(UserWarning, match="no image is taken for b"):
        kept, _ = pseudo_labels(unlabeled, said, per_class=150)
    assert kept.images.flatten().tolist() == list(range(150))
    with pytest.raises(ValueError, match=r"threshold 0.0 \(there are none\); lower"):
        pseudo_labels(unlabeled[:0], said[:0])


def test_purity_is_of_those_at_the_threshold_too() -> None:
    said = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    assert purity(said, torch.tensor([1, 0]), 0.5) == 0.5
    assert purity(said, torch.tensor([1, 0]), 0.6) == 1.0


def test_a_ramp_may_end_with_the_run_and_rises_from_its_start() -> None:
    assert linear_ramp(0.75, 0.5, 1.0) == 0.5
    assert linear_ramp(0.25, 0.5, 1.0) == linear_ramp(0.5, 0.5, 1.0) == 0.0
    assert linear_ramp(1.0, 1.0, 1.0) == 1.0


def test_how_many_have_no_label_is_told() -> None:
    labeled = ImageSet(LABELED.images, torch.tensor([0, -1, 1]), ("a", "b"))
    with pytest.raises(ValueError, match="1 of 3 images of `labeled` have no label"):
        self_training(labeled)


def test_draws_are_made_where_the_generator_is() -> None:
    with torch.device("meta"):  # where whatever names no device would be
        images, labels = draw(LABELED, 4, torch.Generator("cpu").manual_seed(0))
        said = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], device="cpu")
        kept, soft = pseudo_labels(LABELED, said, per_class=2)
    assert {x.device.type for x in (images, labels, kept.images, kept.labels, soft)} == {"cpu"}
