"""The methods on few labels beside the papers' own algorithms, restated plainly, image by image.

Every random choice is taken from what the step was seen to do; all else is written from the papers
in float64, gradients by hand: softmax regression, whose gradient is (p − target) ⊗ x.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cvcourse.data import ImageSet
from cvcourse.train import Recipe, Step, fit
from cvcourse.train.contrast import contrastive
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.pseudo_label import pseudo_labeling, self_training

Array = NDArray[np.float64]
CLASSES, PIXELS, LABELED, OTHERS = 3, 4, 3, 5
RATE = 0.5
PLAIN = Recipe(
    epochs=2,
    batch_size=OTHERS,
    optimizer="sgd",
    learning_rate=RATE,
    schedule="cosine",
    weight_decay=0.0,
)


def image_set(n: int, seed: int, labels: bool) -> ImageSet:
    random = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 2, 2), generator=random, dtype=torch.uint8)
    classes = torch.arange(n) % CLASSES if labels else torch.full((n,), -1)
    return ImageSet(images, classes, ("a", "b", "c"))


FEW, MANY = image_set(6, 0, True), image_set(20, 1, False)


class Regression(nn.Module):
    """Softmax regression on pixels from 0 to 1; notes what goes in."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(PIXELS, CLASSES, bias=False)
        nn.init.normal_(self.layer.weight, std=2.0)
        self.seen: list[Array] = []

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1).float() / 255
        if torch.is_grad_enabled():
            self.seen.append(pixels.double().numpy())
        return self.layer(pixels)


def inverted(images: Tensor, generator: torch.Generator) -> Tensor:
    return 255 - images


def turned(images: Tensor, generator: torch.Generator) -> Tensor:
    return images.flip(-1)


def softmax(weights: Array, x: Array) -> Array:
    z = weights @ x
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def gradient(weights: Array, x: Array, target: Array) -> Array:
    return np.outer(softmax(weights, x) - target, x)


def class_of(x: Array, view: Callable[[Array], Array]) -> Array:
    """The label, one of CLASSES, of the labelled image of which x is a view."""
    for image, label in zip(FEW.images, FEW.labels, strict=True):
        if np.allclose(view(image.flatten().double().numpy() / 255), x, atol=1e-6):
            return np.eye(CLASSES)[int(label)]
    raise AssertionError("no labelled image looks like this")


def trained(step: Step, n_steps: int = 8) -> tuple[Array, list[Array], Array]:
    """The weights before, what each step showed the model, and the weights after."""
    model = Regression()
    before = model.layer.weight.detach().double().numpy().copy()
    fit(model, MANY, replace(PLAIN, epochs=n_steps // 4), step=step)
    return before, model.seen, model.layer.weight.detach().double().numpy()


@dataclass
class Nesterov:
    """SGD as in `Recipe`: momentum 0.9 (Sutskever et al. 2013), cosine (Loshchilov 2017, eq. 5)."""

    weights: Array
    total: int
    done: int = 0
    speed: Array = field(default_factory=lambda: np.zeros((CLASSES, PIXELS)))

    def take(self, slope: Array) -> None:
        rate = RATE * (1 + math.cos(math.pi * self.done / self.total)) / 2
        self.speed = 0.9 * self.speed + slope
        self.weights = self.weights - rate * (slope + 0.9 * self.speed)
        self.done += 1


def flip(x: Array) -> Array:
    return x.reshape(2, 2)[:, ::-1].flatten()


@pytest.mark.parametrize("align", [False, True])
def test_fixmatch_is_algorithm_1_of_sohn_et_al(align: bool) -> None:
    tau, weight = 0.6, 0.7
    step = fixmatch(
        FEW,
        weak=turned,
        strong=inverted,
        batch_size=LABELED,
        threshold=tau,
        weight=weight,
        align=align,
    )
    before, seen, after = trained(step)
    run, labelled_anything = Nesterov(before, len(seen)), 0
    for shown in seen:
        labelled, weak, strong = np.split(shown, [LABELED, LABELED + OTHERS])
        slope = np.zeros_like(before)
        for x in labelled:  # lines 2: cross-entropy on weakly augmented labelled images
            slope += gradient(run.weights, x, class_of(x, flip)) / LABELED
        said = [softmax(run.weights, a) for a in weak]
        for a, b, q in zip(weak, strong, said, strict=True):  # lines 3–6
            np.testing.assert_allclose(b, 1 - flip(a), atol=1e-6)  # two views of one image
            if align:  # q̃ = Normalize(q · p(y) / p̃(y)) with p(y) = 1 / K (Berthelot et al. 2020)
                q = q / (CLASSES * np.mean(said, axis=0))
                q = q / q.sum()
            if q.max() >= tau:
                labelled_anything += 1
                slope += weight * gradient(run.weights, b, np.eye(CLASSES)[q.argmax()]) / OTHERS
        run.take(slope)
    assert 0 < labelled_anything < len(seen) * OTHERS
    np.testing.assert_allclose(after, run.weights, atol=1e-4)


def test_pseudo_labeling_is_equations_15_and_16_of_lee() -> None:
    alpha, start, end = 3.0, 0.25, 0.75
    step = pseudo_labeling(
        FEW, batch_size=LABELED, threshold=0.0, weight=alpha, ramp_up=(start, end), augment=inverted
    )
    before, seen, after = trained(step)
    run = Nesterov(before, len(seen))
    for t, shown in enumerate(seen):
        labelled, others = shown[:LABELED], shown[LABELED:]
        share = t / len(seen)  # α(t): 0 before T₁, a straight line to α_f at T₂
        risen = min(max((share - start) / (end - start), 0.0), 1.0)
        slope = np.zeros_like(before)
        for x in labelled:
            slope += gradient(run.weights, x, class_of(x, lambda v: 1 - v)) / LABELED
        for x in others:  # its clean self names the class
            q = softmax(run.weights, 1 - x)
            slope += alpha * risen * gradient(run.weights, x, np.eye(CLASSES)[q.argmax()]) / OTHERS
        run.take(slope)
    np.testing.assert_allclose(after, run.weights, atol=1e-4)


@pytest.mark.parametrize("soft", [True, False])
def test_self_training_is_algorithm_1_of_xie_et_al(soft: bool) -> None:
    random = np.random.default_rng(0)
    said = random.dirichlet(np.ones(CLASSES), len(MANY))  # a teacher's answers
    hard = torch.from_numpy(said.argmax(axis=1))
    step = self_training(
        FEW, torch.from_numpy(said).float() if soft else None, batch_size=LABELED, augment=inverted
    )
    model = Regression()
    before = model.layer.weight.detach().double().numpy().copy()
    many = ImageSet(MANY.images, hard, MANY.class_names)
    fit(model, many, PLAIN, step=step)
    run = Nesterov(before, len(model.seen))
    rows = {tuple(x.flatten().tolist()): row for x, row in zip(MANY.images, said, strict=True)}
    for shown in model.seen:
        slope = np.zeros_like(before)
        for x in shown[:LABELED]:
            slope += gradient(run.weights, x, class_of(x, lambda v: 1 - v)) / LABELED
        for x in shown[LABELED:]:
            q = rows[tuple(np.rint(255 * (1 - x)).astype(int).tolist())]
            target = q if soft else np.eye(CLASSES)[q.argmax()]
            slope += gradient(run.weights, x, target) / OTHERS
        run.take(slope)
    np.testing.assert_allclose(model.layer.weight.detach().numpy(), run.weights, atol=1e-4)


def test_the_contrastive_loss_is_algorithm_1_of_chen_et_al() -> None:
    temperature = 0.5
    before, seen, after = trained(contrastive(inverted, temperature=temperature), n_steps=4)
    model = Regression()
    model.load_state_dict({"layer.weight": torch.from_numpy(before).float()})
    run = Nesterov(before, len(seen))
    for shown in seen:
        weights = torch.from_numpy(run.weights).requires_grad_()
        z = [weights @ torch.from_numpy(x) for x in shown]
        n, total = OTHERS, torch.zeros((), dtype=torch.float64)
        s = [[torch.dot(a, b) / (a.norm() * b.norm()) for b in z] for a in z]
        for i in range(2 * n):
            j = (i + n) % (2 * n)  # the other view of the same image
            others = sum(torch.exp(s[i][k] / temperature) for k in range(2 * n) if k != i)
            total = total - torch.log(torch.exp(s[i][j] / temperature) / others)
        (slope,) = torch.autograd.grad(total / (2 * n), weights)
        run.take(slope.numpy())
    np.testing.assert_allclose(after, run.weights, atol=1e-4)


def test_the_average_is_that_of_mean_teacher() -> None:
    """θ′ₜ = α θ′ₜ₋₁ + (1 − α) θₜ (Tarvainen & Valpola 2017, eq. 1; α rises as in TensorFlow's)."""
    weights: list[Tensor] = []

    def noting(model: nn.Module, batch: object) -> tuple[Tensor, dict[str, Tensor]]:
        weights.append(model.module.layer.weight.detach().clone())  # type: ignore[union-attr]
        return model.module.layer.weight.pow(2).sum(), {}  # type: ignore[union-attr]

    model = Regression()
    start = model.layer.weight.detach().clone()
    recipe = replace(PLAIN, epochs=10, learning_rate=0.1, ema_decay=0.8)
    fit(model, MANY, recipe, step=noting)
    assert weights[0].equal(start)
    # The last step's weights are not seen by a step: take it once more.
    averaged, momentum, w = start.double(), torch.zeros(CLASSES, PIXELS).double(), start.double()
    for t in range(len(weights)):
        torch.testing.assert_close(w, weights[t].double(), atol=1e-5, rtol=0)
        rate = 0.1 * (1 + math.cos(math.pi * t / len(weights))) / 2
        momentum = 0.9 * momentum + 2 * w
        w = w - rate * (2 * w + 0.9 * momentum)
        alpha = min(0.8, (1 + t) / (10 + t))
        averaged = alpha * averaged + (1 - alpha) * w
    torch.testing.assert_close(model.layer.weight.detach().double(), averaged, atol=1e-5, rtol=0)


def test_one_cycle_is_smith_and_topins_with_cosines() -> None:
    total, peak = 20, 0.3
    model = nn.Linear(2, 2)
    recipe = Recipe(learning_rate=peak, optimizer="sgd")
    optimizer = recipe.build_optimizer([{"params": list(model.parameters())}])
    scheduler = recipe.build_scheduler(optimizer, total)
    first, last = peak / 25, peak / 25 / 1e4
    turn = 0.3 * total - 1
    for t in range(total):
        if t <= turn:
            low, high, share = first, peak, t / turn
        else:
            low, high, share = peak, last, (t - turn) / (total - 1 - turn)
        expected = low + (high - low) * (1 - math.cos(math.pi * share)) / 2
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-6)
        optimizer.step()
        if t < total - 1:
            scheduler.step()
