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
from cvcourse.train import Batch, Recipe, accuracy, fit
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.pseudo_label import draw

SPLIT = split_labels(render(300, seed=0, size=16), 4, validation_per_class=0, seed=0)
LABELED, UNLABELED = SPLIT.labeled, SPLIT.unlabeled[:120]


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(SmallCNN(width=4), UNLABELED)


def darker(images: Tensor, generator: torch.Generator) -> Tensor:
    return images // 2


def brighter(images: Tensor, generator: torch.Generator) -> Tensor:
    return 255 - (255 - images) // 2


def batch_of(images: ImageSet) -> Batch:
    generator = torch.Generator().manual_seed(3)
    return Batch(images.images, images.labels, torch.arange(len(images)), generator)


def test_the_weak_view_labels_the_strong_one() -> None:
    model, batch = new_model().eval(), batch_of(UNLABELED)
    confidence, pseudo = model(darker(UNLABELED.images, batch.generator)).softmax(1).max(1)
    threshold = confidence.sort().values[59:61].mean().item()  # between two images
    step = fixmatch(
        LABELED, weak=darker, strong=brighter, batch_size=16, threshold=threshold, weight=0.5
    )
    loss, metrics = step(model, batch)
    images, labels = draw(LABELED, 16, torch.Generator().manual_seed(3))
    known = F.cross_entropy(model(darker(images, batch.generator)), labels)
    strong = model(brighter(UNLABELED.images, batch.generator))
    each = F.cross_entropy(strong, pseudo, reduction="none")
    sure = confidence >= threshold
    torch.testing.assert_close(loss, known + 0.5 * (each * sure).mean())
    assert 0 < metrics["coverage"] == sure.float().mean() < 1
    accuracy_there = (model(darker(images, batch.generator)).argmax(1) == labels).float().mean()
    assert metrics["accuracy"] == accuracy_there


def test_no_gradient_goes_through_the_weak_view() -> None:
    """The gradient is that of the same loss with the pseudo-labels written down beforehand."""
    model, batch = new_model().eval(), batch_of(UNLABELED)
    step = fixmatch(LABELED, weak=darker, strong=brighter, batch_size=16, threshold=0.0)
    step(model, batch)[0].backward()
    mine = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    pseudo = model(darker(UNLABELED.images, batch.generator)).argmax(dim=1)
    images, labels = draw(LABELED, 16, torch.Generator().manual_seed(3))
    known = F.cross_entropy(model(darker(images, batch.generator)), labels)
    (known + F.cross_entropy(model(brighter(UNLABELED.images, batch.generator)), pseudo)).backward()
    for gradient, parameter in zip(mine, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-3, atol=1e-5)


def test_all_views_share_one_batch_norm() -> None:
    shown: list[int] = []
    model = new_model().train()
    model.register_forward_pre_hook(lambda _, inputs: shown.append(len(inputs[0])))
    fixmatch(LABELED, weak=darker, strong=brighter, batch_size=16)(model, batch_of(UNLABELED))
    assert shown == [16 + 2 * len(UNLABELED)]


def test_where_nothing_is_sure_only_labels_teach() -> None:
    model, batch = new_model().eval(), batch_of(UNLABELED)
    step = fixmatch(LABELED, weak=darker, strong=brighter, batch_size=16, threshold=1.0)
    loss, metrics = step(model, batch)
    images, labels = draw(LABELED, 16, torch.Generator().manual_seed(3))
    torch.testing.assert_close(
        loss, F.cross_entropy(model(darker(images, batch.generator)), labels)
    )
    assert metrics["coverage"] == 0


def test_a_killed_run_resumes_bit_for_bit(tmp_path: Path) -> None:
    recipe = Recipe(epochs=2, batch_size=40, ema_decay=0.9)

    def run(path: Path | None, stop: int | None = None) -> dict[str, Tensor]:
        step = fixmatch(LABELED, weak=crop_and_flip, strong=crop_and_flip, threshold=0.0)
        model = new_model()
        with killed_after(stop):
            fit(model, UNLABELED, recipe, step=step, checkpoint=path, checkpoint_every=1)
        return state(model)

    with pytest.raises(Killed):
        run(tmp_path / "run.ckpt", stop=4)
    assert same(run(tmp_path / "run.ckpt"), run(None))


def test_bad_input_is_named() -> None:
    views = {"weak": darker, "strong": brighter}
    with pytest.raises(ValueError, match="no labelled images"):
        fixmatch(LABELED[:0], **views)
    with pytest.raises(ValueError, match="have no label"):
        fixmatch(UNLABELED, **views)
    with pytest.raises(ValueError, match="threshold is 2"):
        fixmatch(LABELED, **views, threshold=2)
    with pytest.raises(ValueError, match="the model has 12 outputs; expected 10"):
        fixmatch(LABELED, **views)(
            standardized(SmallCNN(n_classes=12), UNLABELED), batch_of(UNLABELED)
        )


def test_it_beats_the_few_labels_alone() -> None:
    split = split_labels(render(1000, seed=0, size=16), 5, validation_per_class=0, seed=0)
    test, weak = render(500, seed=1000, size=16), partial(crop_and_flip, padding=1)

    def strong(images: Tensor, generator: torch.Generator) -> Tensor:
        gain = 0.5 + torch.rand(len(images), 1, 1, 1, generator=generator)
        moved = crop_and_flip(images, generator, padding=2)
        return (moved * gain).clamp(0, 255).to(torch.uint8)

    scores = []
    for images, recipe, step in (
        (split.labeled, Recipe(epochs=60, batch_size=50, learning_rate=1e-2), None),
        (
            split.unlabeled,
            Recipe(epochs=10, batch_size=64, learning_rate=1e-2),
            fixmatch(split.labeled, weak=weak, strong=strong, threshold=0.8),
        ),
    ):
        torch.manual_seed(0)
        model = standardized(SmallCNN(width=8), split.unlabeled)
        if step is None:
            fit(model, images, recipe, augment=weak)
        else:
            fit(model, images, recipe, step=step)
        scores.append(accuracy(model, test))
    assert scores[1] > scores[0] + 0.1 > 0.5
