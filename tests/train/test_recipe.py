"""The optimiser and the course of the learning rate that a recipe stands for."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from cvcourse.data import render
from cvcourse.models import MLP, standardized
from cvcourse.train import Recipe, fit
from cvcourse.train.recipe import learning_rates

TRAIN = render(64, seed=0)
STEPS = 20


def groups_of(*rates: float | None) -> list[dict]:
    """Parameter groups; None: without a rate of their own."""
    return [
        {"params": [nn.Parameter(torch.zeros(2))]} | ({} if rate is None else {"lr": rate})
        for rate in rates
    ]


def courses(recipe: Recipe, *rates: float | None) -> list[list[float]]:
    """For each group, the learning rate at every step and after the last."""
    optimizer = recipe.build_optimizer(groups_of(*rates))
    scheduler = recipe.build_scheduler(optimizer, STEPS)
    seen = [learning_rates(optimizer)]
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
        seen.append(learning_rates(optimizer))
    return [list(course) for course in zip(*seen, strict=True)]


def test_one_cycle_turns_at_each_groups_own_rate() -> None:
    found = courses(Recipe(learning_rate=0.1), 0.3, 0.02, None)
    for rate, course in zip((0.3, 0.02, 0.1), found, strict=True):
        assert max(course) == pytest.approx(rate)
        assert course.index(max(course)) == pytest.approx(0.3 * STEPS, abs=1)
        assert course[0] == pytest.approx(rate / 25)
        assert course[-2] < rate / 1e4


def test_cosine_falls_from_each_groups_own_rate_to_zero() -> None:
    recipe = Recipe(learning_rate=0.1, schedule="cosine")
    for rate, course in zip((0.3, 0.1), courses(recipe, 0.3, None), strict=True):
        expected = [rate * (1 + math.cos(math.pi * t / STEPS)) / 2 for t in range(STEPS + 1)]
        assert course == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("steps", "rises"), [(3, False), (4, True)])
def test_one_cycle_needs_four_steps_to_rise_and_fall(steps: int, rises: bool) -> None:
    recipe = Recipe(learning_rate=0.1)
    optimizer = recipe.build_optimizer(groups_of(None))
    recipe.build_scheduler(optimizer, steps)
    assert learning_rates(optimizer) == pytest.approx([0.1 / 25 if rises else 0.1])


def test_parameters_may_come_with_their_names() -> None:
    named = list(nn.Linear(2, 1).named_parameters())
    (group,) = Recipe().build_optimizer([{"params": named}]).param_groups
    assert group["param_names"] == ["weight", "bias"]


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_a_run_follows_its_schedule(schedule: str) -> None:
    recipe = Recipe(epochs=5, batch_size=16, learning_rate=0.1, schedule=schedule)
    history = fit(standardized(MLP(), TRAIN), TRAIN, recipe)
    course = courses(recipe, None)[0]  # an epoch has 4 of the 20 steps
    assert history.column("learning_rate") == pytest.approx(course[4::4])


def settings(optimizer: Optimizer) -> tuple:
    group = optimizer.param_groups[0]
    return tuple(group.get(name) for name in ("lr", "weight_decay", "momentum", "nesterov"))


def test_the_optimizers_are_those_that_are_named() -> None:
    recipe = Recipe(learning_rate=0.2, weight_decay=0.3)
    adamw = recipe.build_optimizer(groups_of(None))
    assert isinstance(adamw, AdamW)
    assert settings(adamw)[:2] == (0.2, 0.3)
    sgd = Recipe(optimizer="sgd", learning_rate=0.2, weight_decay=0.3).build_optimizer(
        groups_of(None)
    )
    assert isinstance(sgd, SGD)
    assert settings(sgd) == (0.2, 0.3, 0.9, True)
    assert adamw.param_groups[0]["fused"] is sgd.param_groups[0]["fused"] is True


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_one_cycle_leaves_the_momentum_alone(optimizer: str) -> None:
    recipe = Recipe(optimizer=optimizer)
    running = recipe.build_optimizer(groups_of(None))
    name = "betas" if optimizer == "adamw" else "momentum"
    before = running.param_groups[0][name]
    scheduler = recipe.build_scheduler(running, STEPS)
    for _ in range(STEPS // 2):
        running.step()
        scheduler.step()
    assert running.param_groups[0][name] == before


@pytest.mark.parametrize("name", ["learning_rate", "clip_norm", "weight_decay", "ema_decay"])
@pytest.mark.parametrize("wrong", [math.inf, -0.1])
def test_numbers_of_a_recipe_are_finite(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=f"Recipe.{name} is {wrong}"):
        Recipe(**{name: wrong})


def test_an_average_needs_a_memory() -> None:
    with pytest.raises(ValueError, match=r"Recipe.ema_decay is 0.0; expected above 0 to 1"):
        Recipe(ema_decay=0.0)
    assert Recipe(weight_decay=0.0).weight_decay == 0


def test_a_recipe_for_steps_takes_128_images_a_step() -> None:
    assert Recipe.for_steps(70, 1280) == Recipe(epochs=7, batch_size=128)


@pytest.mark.parametrize("n_images", [50, 100, 150])
def test_a_run_of_one_two_or_three_steps_takes_real_steps(n_images: int) -> None:
    train = render(n_images, seed=0)
    torch.manual_seed(0)
    model = standardized(MLP(), train)
    before = model[1].features[1].weight.detach().clone()
    fit(model, train, Recipe(epochs=1, batch_size=50, learning_rate=3e-2))
    moved = (model[1].features[1].weight - before).abs().mean()
    assert moved > 1e-2, "Adam's first step is as long as the learning rate"


def test_a_step_of_float16_is_not_recorded() -> None:
    with pytest.raises(ValueError, match=r'capture with precision "16-mixed".*take "bf16-mixed"'):
        Recipe(capture=True, precision="16-mixed")
    for precision in ("32-true", "bf16-mixed"):
        assert Recipe(capture=True, precision=precision).capture


@pytest.mark.parametrize("name", ["optimizer", "schedule", "precision"])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(name: str) -> None:
    for word in ("AdamW", "Cosine", "bf16", "", None, 3):
        with pytest.raises(ValueError, match=rf"Recipe\.{name} is .*; expected one of '"):
            Recipe(**{name: word})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": "3e-3"}, r"Recipe\.learning_rate is '3e-3' \(str\); expected a number"),
        ({"batch_size": 1.5}, r"Recipe\.batch_size is 1\.5 \(float\); expected an integer"),
        ({"epochs": None}, r"Recipe\.epochs is None"),
        ({"epochs": True}, r"Recipe\.epochs is True"),
        ({"compile": 1}, r"Recipe\.compile is 1 \(int\); expected bool"),
    ],
)
def test_what_is_no_number_is_named(settings: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Recipe(**settings)


def test_numbers_of_numpy_are_numbers() -> None:
    recipe = Recipe(epochs=np.int64(3), learning_rate=np.float32(0.5), patience=np.uint8(2))
    assert recipe == Recipe(epochs=3, learning_rate=0.5, patience=2)
    assert (type(recipe.epochs), type(recipe.learning_rate)) == (int, float)


def test_nothing_is_compiled_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: nn.Module) -> nn.Module:
        raise AssertionError("nobody asked for that")

    monkeypatch.setattr(torch, "compile", refuse)
    fit(standardized(MLP(), TRAIN), TRAIN, Recipe(epochs=1))
