import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from resuming import Killed, killed_after, same, state
from torch import Tensor, nn

from cvcourse.augment import crop_and_flip
from cvcourse.data import ImageSet, render, split_labels
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Batch, Recipe, Step, accuracy, fit, predict
from cvcourse.train.pseudo_label import (
    coverage,
    draw,
    linear_ramp,
    pseudo_labeling,
    pseudo_labels,
    purity,
    self_training,
    sure_cross_entropy,
    teacher_probabilities,
)

SPLIT = split_labels(render(400, seed=0, size=16), 4, validation_per_class=0, seed=0)
LABELED, UNLABELED = SPLIT.labeled, SPLIT.unlabeled[:240]


def new_model(width: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(nn.Sequential(SmallCNN(width=width), nn.Dropout(0.3)), UNLABELED)


# Labels by a teacher, once.

# Six images of three classes: what a teacher may say of them, and what is true.
SAID = torch.tensor(
    [
        [0.9, 0.1, 0.0],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.0, 0.0, 1.0],
        [0.3, 0.3, 0.4],
        [0.8, 0.2, 0],
    ]
)
TRUTH = torch.tensor([0, 1, 1, 2, 2, 0])
SIX = ImageSet(
    torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1), torch.full((6,), -1), ("a", "b", "c")
)


def which(chosen: ImageSet) -> list[int]:
    return chosen.images.flatten().tolist()


def test_the_teacher_is_asked_without_noise() -> None:
    teacher = new_model().eval()
    before = state(teacher)
    said = teacher_probabilities(teacher, UNLABELED.images)
    expected = predict(teacher, UNLABELED.images).softmax(dim=1)
    torch.testing.assert_close(said, expected)
    assert torch.equal(said, teacher_probabilities(teacher, UNLABELED.images))
    assert same(before, state(teacher))
    with pytest.raises(ValueError, match="teacher is in training mode"):
        teacher_probabilities(teacher.train(), UNLABELED.images)


def test_the_threshold_is_the_least_confidence_kept() -> None:
    train, soft = pseudo_labels(SIX, SAID, threshold=0.7)
    assert which(train) == [0, 2, 3, 5]
    assert train.labels.tolist() == [0, 1, 2, 0]
    assert torch.equal(soft, SAID[[0, 2, 3, 5]])
    assert which(pseudo_labels(SIX, SAID)[0]) == list(range(6))


def test_balance_takes_the_surest_and_repeats_the_few() -> None:
    train, soft = pseudo_labels(SIX, SAID, per_class=2)
    assert sorted(which(train)) == [0, 2, 2, 3, 4, 5]  # not 1, the least sure of three
    assert train.labels.bincount().tolist() == [2, 2, 2]
    assert torch.equal(soft, SAID[which(train)])
    with pytest.warns(UserWarning, match="no image is taken for b at threshold 0.75"):
        train, _ = pseudo_labels(SIX, SAID, threshold=0.75, per_class=2)
    assert sorted(which(train)) == [0, 3, 3, 5]


def test_coverage_and_purity() -> None:
    assert coverage(SAID, 0.0) == 1
    assert coverage(SAID, 0.7) == pytest.approx(4 / 6)
    assert purity(SAID, TRUTH, 0.0) == pytest.approx(5 / 6)
    assert purity(SAID, TRUTH, 0.7) == 1
    with pytest.raises(ValueError, match="nothing has no purity"):
        purity(SAID[:3], TRUTH[:3], 0.95)


def test_a_threshold_that_keeps_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no image reaches threshold 0.95 \(the surest is 0.9000"):
        pseudo_labels(SIX[:3], SAID[:3], threshold=0.95)
    with pytest.raises(ValueError, match="a row of probabilities is no distribution"):
        pseudo_labels(SIX, SAID * math.nan)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    for use in (
        lambda: pseudo_labels(SIX, SAID, threshold=threshold),
        lambda: coverage(SAID, threshold),
        lambda: purity(SAID, TRUTH, threshold),
        lambda: pseudo_labeling(LABELED, threshold=threshold),
    ):
        with pytest.raises(ValueError, match=r"threshold is .*0 to 1"):
            use()


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"\(6, 2\); expected \(6, 3\)"):
        pseudo_labels(SIX, SAID[:, :2].softmax(dim=1))
    with pytest.raises(ValueError, match="per_class is 0"):
        pseudo_labels(SIX, SAID, per_class=0)
    with pytest.raises(ValueError, match="no images without a label"):
        teacher_probabilities(new_model().eval(), UNLABELED.images[:0])
    with pytest.raises(ValueError, match="no image reaches"):
        pseudo_labels(SIX[:0], SAID[:0])


# Steps.


def step_of(kind: str) -> Step:
    if kind == "self-training":
        return self_training(LABELED, batch_size=16, augment=crop_and_flip)
    return pseudo_labeling(LABELED, batch_size=16, threshold=0.0, augment=crop_and_flip)


STEPS = ["self-training", "pseudo-labeling"]
# Stands for a teacher's labels, which self-training wants.
PSEUDO = replace(UNLABELED, labels=torch.arange(len(UNLABELED)) % 10)


def batch_of(images: ImageSet, progress: float = 1.0) -> Batch:
    generator = torch.Generator().manual_seed(3)
    return Batch(images.images, images.labels, torch.arange(len(images)), generator, progress)


def drawn(n: int) -> tuple[Tensor, Tensor]:
    return draw(LABELED, n, torch.Generator().manual_seed(3))


def test_labelled_images_are_drawn_with_their_labels() -> None:
    images, labels = drawn(500)
    for image, label in zip(images, labels, strict=True):
        owners = (LABELED.images == image).flatten(1).all(dim=1)
        assert owners.any()
        assert LABELED.labels[owners][0] == label
    assert len(labels.unique()) == 10


@pytest.mark.parametrize("soft", [False, True])
def test_self_training_is_two_means(soft: bool) -> None:
    model = new_model().eval()
    targets = torch.rand(len(PSEUDO), 10).log().softmax(dim=1)
    step = self_training(LABELED, targets if soft else None, batch_size=16, weight=0.5)
    batch = batch_of(PSEUDO)
    batch.indices = batch.indices.flip(0)  # targets are found by the indices
    loss, _ = step(model, batch)
    images, labels = drawn(16)
    pseudo = F.cross_entropy(model(PSEUDO.images), targets.flip(0) if soft else PSEUDO.labels)
    expected = F.cross_entropy(model(images), labels) + 0.5 * pseudo
    torch.testing.assert_close(loss, expected)


def test_pseudo_labeling_counts_the_sure_over_all() -> None:
    model, batch = new_model().eval(), batch_of(UNLABELED, progress=0.3)
    images, labels = drawn(16)
    logits = model(UNLABELED.images)
    confidence, pseudo = logits.softmax(dim=1).max(dim=1)
    middle = confidence.sort().values[119:121].mean().item()  # between two images
    step = pseudo_labeling(LABELED, batch_size=16, threshold=middle, weight=2, ramp_up=(0.2, 0.6))
    loss, metrics = step(model, batch)
    sure = confidence >= middle
    each = F.cross_entropy(logits, pseudo, reduction="none")
    alpha = 2.0 * 0.25  # a quarter of the way from 0.2 to 0.6
    expected = F.cross_entropy(model(images), labels) + alpha * (each * sure).mean()
    torch.testing.assert_close(loss, expected)
    assert 0 < metrics["coverage"] == sure.float().mean() < 1


class Watcher(nn.Module):
    """Remembers what it was shown, and in which mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 10)
        self.seen: list[tuple[bool, Tensor]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append((self.training, images))
        return self.layer(images.float().mean(dim=(1, 2, 3)).unsqueeze(1) / 255)


def test_pseudo_labels_come_from_clean_images_and_an_unnoised_model() -> None:
    def black(images: Tensor, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(images)

    model = Watcher().train()
    pseudo_labeling(LABELED, batch_size=16, augment=black)(model, batch_of(UNLABELED))
    (asked_in_training, asked), (taught_in_training, taught) = model.seen
    assert not asked_in_training
    assert torch.equal(asked, UNLABELED.images)
    assert taught_in_training
    assert len(taught) == 16 + len(UNLABELED)
    assert not taught.any()  # the labelled ones are augmented as well


def test_where_nothing_is_sure_only_labels_teach() -> None:
    model, batch = new_model().eval(), batch_of(UNLABELED)
    loss, metrics = pseudo_labeling(LABELED, batch_size=16, threshold=1.0)(model, batch)
    images, labels = drawn(16)
    torch.testing.assert_close(loss, F.cross_entropy(model(images), labels))
    assert metrics["coverage"] == 0


def test_the_hidden_labels_are_not_looked_at() -> None:
    models = new_model(), new_model()
    hidden = replace(UNLABELED, labels=torch.randint(0, 10, (len(UNLABELED),)))
    for model, images in zip(models, (UNLABELED, hidden), strict=True):
        fit(model, images, Recipe(epochs=2, batch_size=60), step=step_of("pseudo-labeling"))
    assert same(state(models[0]), state(models[1]))


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("stop", [1, 3, 4, 7])
def test_a_killed_run_resumes_bit_for_bit(kind: str, stop: int, tmp_path: Path) -> None:
    recipe = Recipe(epochs=2, batch_size=60, ema_decay=0.9)

    def run(path: Path | None, stop: int | None = None) -> dict[str, Tensor]:
        model, step = new_model(), step_of(kind)
        with killed_after(stop):
            fit(model, PSEUDO, recipe, step=step, checkpoint=path, checkpoint_every=1)
        return state(model)

    with pytest.raises(Killed):
        run(tmp_path / "run.ckpt", stop)
    assert same(run(tmp_path / "run.ckpt"), run(None))


def test_the_ramp_is_lees() -> None:
    assert [linear_ramp(t, 0.2, 0.6) for t in (0.0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx(
        [0, 0, 0.5, 1, 1]
    )
    assert [linear_ramp(t, 0.0, 0.0) for t in (0.0, 1.0)] == [1, 1]
    for ramp in ((0.6, 0.2), (-0.1, 0.5), (0.0, 1.1), (math.nan, 0.5)):
        with pytest.raises(ValueError, match="ramp"):
            pseudo_labeling(LABELED, ramp_up=ramp)


@pytest.mark.parametrize("kind", [self_training, pseudo_labeling])
def test_labelled_images_must_be_there_and_have_labels(kind: type) -> None:
    with pytest.raises(ValueError, match="no labelled images"):
        kind(LABELED[:0])
    with pytest.raises(ValueError, match="240 of 240 images of `labeled` have no label"):
        kind(UNLABELED)


@pytest.mark.parametrize("kind", STEPS)
def test_a_model_of_other_classes_is_refused(kind: str) -> None:
    model = standardized(SmallCNN(n_classes=12), UNLABELED)
    with pytest.raises(ValueError, match="the model has 12 outputs; expected 10"):
        step_of(kind)(model, batch_of(PSEUDO))


def test_no_images_without_labels_is_an_error() -> None:
    with pytest.raises(ValueError, match="training set is empty"):
        fit(new_model(), UNLABELED[:0], step=pseudo_labeling(LABELED))


# Do they learn?


def test_pseudo_labels_beat_the_few_labels_alone() -> None:
    split = split_labels(render(1000, seed=0, size=16), 5, validation_per_class=0, seed=0)
    test, shift = render(500, seed=1000, size=16), partial(crop_and_flip, padding=1)

    def new_student() -> nn.Sequential:
        torch.manual_seed(0)
        return standardized(SmallCNN(width=8), split.unlabeled)

    teacher = new_student()
    recipe = Recipe(epochs=60, batch_size=50, learning_rate=1e-2)
    fit(teacher, split.labeled, recipe, augment=shift)
    alone = accuracy(teacher, test)

    said = teacher_probabilities(teacher, split.unlabeled.images)
    assert purity(said, split.unlabeled_truth, 0.8) > purity(said, split.unlabeled_truth, 0.0)
    sure, soft = pseudo_labels(split.unlabeled, said, threshold=0.7, per_class=80)
    recipe = Recipe(epochs=10, batch_size=64, learning_rate=1e-2)
    scores = []
    for images, step in (
        (sure, self_training(split.labeled, soft, augment=shift)),
        (split.unlabeled, pseudo_labeling(split.labeled, augment=shift)),
    ):
        student = new_student()
        fit(student, images, recipe, step=step)
        scores.append(accuracy(student, test))
    assert min(scores) > alone + 0.04 > 0.5


def test_truth_and_sureness_fit_the_images() -> None:
    with pytest.raises(ValueError, match=r"truth are \(5,\); expected \(6,\)"):
        purity(SAID, TRUTH[:5], 0.5)
    with pytest.raises(ValueError, match="truth runs from 0 to 3"):
        purity(SAID, TRUTH + (TRUTH == 2), 0.5)
    for sure in (torch.ones(5, dtype=torch.bool), torch.ones(6)):
        with pytest.raises(ValueError, match=r"expected \(B, n_classes\), \(B,\) and \(B,\) bool"):
            sure_cross_entropy(SAID, TRUTH, sure)
