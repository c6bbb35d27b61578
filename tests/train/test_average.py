"""The moving average of the weights: of what it is made, and where it is used."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Batch, Recipe, evaluate, fit, supervised

TRAIN, VALIDATION = render(96, seed=0, size=8), render(60, seed=1, size=8)
RECIPE = Recipe(epochs=6, batch_size=32, learning_rate=1e-2, ema_decay=0.95)
PLAIN = replace(RECIPE, ema_decay=None)


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(SmallCNN(width=4), TRAIN)


def running(model: nn.Module) -> Tensor:
    """The running means of the first batch norm."""
    norm = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    assert norm.running_mean is not None
    return norm.running_mean.detach().clone()


def test_validation_measures_the_average() -> None:
    model = new_model()
    history = fit(model, TRAIN, RECIPE, validation=VALIDATION)
    measured = evaluate(model, VALIDATION)  # the model holds the average now
    assert history[-1]["validation_loss"] == pytest.approx(measured["loss"], rel=1e-6)
    last = new_model()
    fit(last, TRAIN, PLAIN)
    raw = evaluate(last, VALIDATION)["loss"]
    assert abs(raw - measured["loss"]) > 1e-3, "or the two could not be told apart"


def test_the_average_is_of_batch_norms_buffers_too() -> None:
    trail: list[Tensor] = []

    def spy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        trail.append(running(model))
        return supervised(model, batch)

    model, plain = new_model(), new_model()
    fit(model, TRAIN, RECIPE, step=spy)
    fit(plain, TRAIN, PLAIN)
    after = [*trail[1:], running(plain)]  # each of the eighteen steps
    expected = after[0]
    for done, means in enumerate(after[1:], start=1):
        decay = min(0.95, (1 + done) / (10 + done))
        expected = decay * expected + (1 - decay) * means
    torch.testing.assert_close(running(model), expected)


def test_the_best_average_is_what_patience_goes_back_to() -> None:
    model = new_model()
    recipe = Recipe(epochs=6, batch_size=32, learning_rate=3e-2, ema_decay=0.75, patience=5)
    history = fit(model, TRAIN, recipe, validation=VALIDATION)
    scores = history.column("validation_accuracy")
    losses = history.column("validation_loss")
    best = losses[scores.index(max(scores))]
    assert evaluate(model, VALIDATION)["loss"] == pytest.approx(best, rel=1e-6)


def test_an_average_with_a_long_memory_serves_a_short_run() -> None:
    """Of the raw weights 0.999 would keep nine tenths of the random start after sixty steps."""
    train = render(200, seed=0)
    scores = []
    for ema_decay in (None, 0.999):
        torch.manual_seed(0)
        model = standardized(SmallCNN, train)
        recipe = Recipe(epochs=12, batch_size=40, learning_rate=2e-2, ema_decay=ema_decay)
        fit(model, train, recipe)
        scores.append(evaluate(model, train)["accuracy"])
    assert scores[0] > 0.9
    assert scores[1] > scores[0] - 0.1
