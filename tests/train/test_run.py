"""The loop in detail: what it shows, when it looks, what it writes down, what it was given."""

import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cvcourse.data import ImageSet, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Batch, CheckpointError, DivergedError, Recipe, fit, supervised
from cvcourse.train.fit import CHECK_EVERY, Run

TRAIN, VALIDATION = render(60, seed=0, size=8), render(20, seed=1, size=8)
RECIPE = Recipe(epochs=2, batch_size=20)  # three steps an epoch


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(SmallCNN(width=4), TRAIN)


class Bar:
    """Stands for a progress bar, and remembers."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.moves: list[int] = []
        self.shown: list[dict[str, str]] = []

    def __call__(self, **settings: Any) -> "Bar":
        self.settings = settings
        return self

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, steps: int = 1) -> None:
        self.moves.append(steps)

    def set_postfix(self, shown: dict[str, str], refresh: bool = True) -> None:
        assert not refresh
        self.shown.append(shown)


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Bar:
    made = Bar()
    monkeypatch.setitem(inspect.unwrap(fit).__globals__, "progress", made)
    return made


def test_the_bar_goes_from_where_the_run_stands_to_its_end(bar: Bar, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    history = fit(new_model(), TRAIN, RECIPE, validation=VALIDATION, checkpoint=path)
    assert bar.settings == {"total": 6, "quiet": False}
    assert bar.moves == [0, *[1] * 6]
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    assert bar.shown == [{name: f"{row[name]:.3g}" for name in names} for row in history]
    bar.moves.clear()
    fit(new_model(), TRAIN, RECIPE, validation=VALIDATION, checkpoint=path)
    assert bar.moves == [6]


@pytest.mark.parametrize(
    ("at", "epochs", "looked"), [(0, 1, 20), (7, 1, 20), (50, 3, 60), (45, 3, 50)]
)
def test_a_loss_that_is_no_number_is_found_out_by_the_next_look(
    at: int, epochs: int, looked: int
) -> None:
    rates: list[float] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, metrics = supervised(model, batch)
        rates.append(math.cos(math.pi * batch.progress / 2) ** 2 / 10)
        return loss * (math.nan if len(rates) == at + 1 else 1.0), metrics

    # Twenty steps an epoch.
    recipe = Recipe(epochs=epochs, batch_size=3, schedule="cosine", learning_rate=0.1)
    with pytest.raises(DivergedError, match=rf"nan at step {at + 1} of {20 * epochs}, at") as told:
        fit(new_model(), TRAIN, recipe, step=step)
    assert len(rates) == looked
    assert f"at learning rate {rates[at]:.3g};" in str(told.value), "that of the step itself"


def test_within_a_long_epoch_it_looks_every_so_many_steps() -> None:
    taken: list[int] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        taken.append(len(batch.indices))
        loss, metrics = supervised(model, batch)
        return loss * math.inf, metrics

    with pytest.raises(DivergedError, match="inf at step 1 of 60"):
        fit(new_model(), render(120, size=8), Recipe(epochs=1, batch_size=2), step=step)
    assert taken == [2] * CHECK_EVERY


def test_the_rate_that_is_told_is_the_first_groups() -> None:
    def groups_of(model: nn.Module) -> list[dict[str, Any]]:
        *first, last = model.parameters()
        return [{"params": first, "lr": 0.25}, {"params": [last], "lr": 0.5}]

    model = new_model()
    recipe = Recipe(epochs=2, batch_size=60, schedule="cosine", optimizer="sgd")
    history = fit(model, TRAIN, recipe, parameters=groups_of(model))
    assert history.column("learning_rate") == pytest.approx([0.125, 0.0])

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, metrics = supervised(model, batch)
        return loss * math.inf, metrics

    model = new_model()
    with pytest.raises(DivergedError, match=r"at step 1 of 2, at learning rate 0.25;"):
        fit(model, TRAIN, recipe, parameters=groups_of(model), step=step)


def test_images_left_over_wait_for_another_epoch() -> None:
    seen: list[list[int]] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(batch.indices.tolist())
        return supervised(model, batch)

    fit(new_model(), TRAIN[:50], Recipe(epochs=3, batch_size=20), step=step)
    assert [len(batch) for batch in seen] == [20] * 6
    assert len({index for batch in seen for index in batch}) > 40


def test_mixed_precision_is_on_in_every_step() -> None:
    kinds: set[torch.dtype] = set()

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        layer = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
        hook = layer.register_forward_hook(lambda module, given, made: kinds.add(made.dtype))
        found = supervised(model, batch)
        hook.remove()
        return found

    fit(new_model(), TRAIN, Recipe(epochs=1, precision="bf16-mixed"), step=step)
    assert kinds == {torch.bfloat16}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed was 0, is now 1"),
        ({"train": TRAIN[:40]}, r"train.images was \(60, 3, 8, 8\)"),
        ({"validation": VALIDATION[:5]}, r"validation.images was \(20, 3, 8, 8\)"),
        ({"validation": None}, "validation was ImageSet, is now absent"),
        ({"step": lambda m, b: supervised(m, b)}, r"step was supervised, is now"),
        ({"augment": lambda x, g: x}, r"augment was absent, is now"),
        ({"parameters": [{"params": [], "lr": 1.0}]}, r"parameters was absent, is now list"),
        ({"recipe": Recipe(epochs=3, batch_size=20)}, "recipe.epochs was 2, is now 3"),
    ],
)
def test_another_run_is_told_by_what_it_was_given(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.ckpt"
    given = {"train": TRAIN, "recipe": RECIPE, "validation": VALIDATION, "checkpoint": path}
    fit(new_model(), **given)
    settings = given | change
    model = new_model()
    if "parameters" in change:
        settings["parameters"] = [{"params": list(model.parameters()), "lr": 1.0}]
    with pytest.raises(CheckpointError, match=message):
        fit(model, **settings)


def test_the_identity_holds_device_and_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[dict[str, Any]] = []
    advance = Run.advance

    def spy(run: Run, bar: Any) -> None:
        kept.append(run.identity)
        advance(run, bar)

    monkeypatch.setattr(Run, "advance", spy)
    fit(new_model(), TRAIN, RECIPE, checkpoint=tmp_path / "run.ckpt")
    assert (kept[0]["device"], kept[0]["processes"]) == ("cpu", 1)
    assert set(kept[0]) == {
        *("recipe", "seed", "train", "validation", "step", "augment", "model", "parameters"),
        *("device", "processes"),
    }


@pytest.mark.parametrize(
    ("every", "written"), [(None, [3, 6]), (1, [1, 2, 3, 4, 5, 6]), (2, [2, 3, 4, 6])]
)
def test_checkpoints_are_written_when_they_are_asked_for(
    every: int | None, written: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    checkpoints = inspect.unwrap(fit).__globals__["checkpoints"]
    monkeypatch.setattr(checkpoints, "save", lambda run: saved.append(run.done))
    path = tmp_path / "run.ckpt"
    fit(new_model(), TRAIN, RECIPE, checkpoint=path, checkpoint_every=every)
    assert saved == written


def test_more_impossible_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="validation set is empty"):
        fit(new_model(), TRAIN, validation=VALIDATION[:0])
    with pytest.raises(ValueError, match="checkpoint_every is 0"):
        fit(new_model(), TRAIN, checkpoint=tmp_path / "run.ckpt", checkpoint_every=0)


def test_left_to_itself_it_is_the_plain_recipe_with_seed_0() -> None:
    histories = [
        fit(new_model(), TRAIN[:20]),
        fit(new_model(), TRAIN[:20], Recipe(), seed=0, keep_interrupted=False),
    ]
    assert histories[0] == histories[1]
    assert not histories[0].interrupted


def test_weights_that_take_no_gradient_are_not_given_to_the_optimizer() -> None:
    model = new_model()
    frozen = next(model.parameters()).requires_grad_(False)
    before = frozen.detach().clone()
    seen: list[int] = []
    build = Recipe.build_optimizer

    class Spying(Recipe):
        def build_optimizer(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
            seen.append(len(groups[0]["params"]))
            return build(self, groups)

    fit(model, TRAIN, Spying(epochs=1))
    assert seen == [sum(p.requires_grad for p in model.parameters())]
    assert torch.equal(before, frozen)


def test_the_metrics_of_an_epoch_do_not_leak_into_the_next() -> None:
    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, _ = supervised(model, batch)
        return loss, {"progress": torch.tensor(batch.progress)}

    history = fit(new_model(), TRAIN, RECIPE, step=step)
    assert history.column("progress") == pytest.approx([1 / 6, 4 / 6])


def test_patience_counts_from_the_first_of_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.1])
    trail: list[Tensor] = []

    def measured(model: nn.Module, image_set: ImageSet) -> dict[str, float]:
        trail.append(next(model.parameters()).detach().clone())
        return {"accuracy": next(scores), "loss": 0.0}

    monkeypatch.setitem(inspect.unwrap(fit).__globals__, "evaluate", measured)
    model = new_model()
    recipe = Recipe(epochs=9, batch_size=60, patience=2)
    history = fit(model, TRAIN, recipe, validation=VALIDATION)
    assert history.column("validation_accuracy") == [0.5, 0.7, 0.6, 0.7]
    assert torch.equal(next(model.parameters()), trail[1]), "the first of equals"


def test_images_are_augmented_and_labels_and_order_are_not() -> None:
    given: list[torch.Generator] = []

    def black(images: Tensor, generator: torch.Generator) -> Tensor:
        given.append(generator)
        return torch.zeros_like(images)

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert not batch.images.any()
        assert batch.generator is given[-1]
        assert torch.equal(batch.labels, TRAIN.labels[batch.indices])
        return supervised(model, batch)

    fit(new_model(), TRAIN, RECIPE, augment=black, step=step)
    assert len(given) == 1 + 6, "one look before the start"
    assert len({id(generator) for generator in given[1:]}) == 1
