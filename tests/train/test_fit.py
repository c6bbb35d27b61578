import io
import math
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric.accelerators import MPSAccelerator
from resuming import Killed, killed_after
from torch import Tensor, nn

from cvcourse.data import ImageSet, render
from cvcourse.models import MLP, SmallCNN, standardized
from cvcourse.train import (
    Batch,
    CheckpointError,
    DivergedError,
    Recipe,
    Step,
    accuracy,
    fit,
    supervised,
)

TRAIN = render(200, seed=0)


def new_model(kind: type[nn.Module] = MLP, dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(nn.Sequential(nn.Dropout(dropout), kind()), TRAIN)


def test_it_learns() -> None:
    model = new_model()
    history = fit(model, TRAIN, Recipe(epochs=12, batch_size=20, learning_rate=1e-3))
    assert history.column("accuracy")[-1] > 0.95
    assert accuracy(model, render(200, seed=1)) > 0.8
    assert history.column("epoch") == list(range(1, 13))
    assert not model.training


def test_one_step_is_the_step_written_by_hand() -> None:
    model, twin = new_model(), new_model()
    fit(
        model,
        TRAIN[:16],
        Recipe(epochs=1, batch_size=16, optimizer="sgd", schedule="cosine", learning_rate=0.1),
    )
    optimizer = torch.optim.SGD(
        twin.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-2
    )
    nn.functional.cross_entropy(twin(TRAIN.images[:16]), TRAIN.labels[:16]).backward()
    optimizer.step()
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def weights_after(seed: int) -> tuple[list[Tensor], list[float]]:
    model = new_model(SmallCNN, dropout=0.2)
    history = fit(model, TRAIN, Recipe(epochs=2, batch_size=50), seed=seed, augment=flip_some)
    return [p.detach().clone() for p in model.parameters()], history.column("loss")


def flip_some(images: Tensor, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    weights, losses = weights_after(seed=3)
    torch.rand(5)  # whatever happened in between
    again, losses_again = weights_after(seed=3)
    other, other_losses = weights_after(seed=4)
    assert losses == losses_again
    assert all(torch.equal(a, b) for a, b in zip(weights, again, strict=True))
    assert losses != other_losses
    assert not all(torch.equal(a, b) for a, b in zip(weights, other, strict=True))


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(new_model_without_seeding(), TRAIN[:20], Recipe(epochs=1))
    assert torch.equal(torch.rand(3), expected)


def new_model_without_seeding() -> nn.Module:
    state = torch.get_rng_state()
    model = standardized(nn.Sequential(nn.Dropout(0.5), MLP()), TRAIN)
    torch.set_rng_state(state)
    return model


def test_an_apple_gpu_is_taken_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(MPSAccelerator, "is_available", lambda: True)
    train = render(16, size=16)
    model = standardized(SmallCNN(width=2), train)
    fit(model, train, Recipe(epochs=1))
    assert {weight.device.type for weight in model.parameters()} == {"cpu"}


def test_every_image_is_seen_once_an_epoch_in_a_new_order() -> None:
    seen: list[list[int]] = []

    def spy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(batch.indices.tolist())
        assert torch.equal(batch.images, TRAIN.images[batch.indices])
        assert torch.equal(batch.labels, TRAIN.labels[batch.indices])
        return supervised(model, batch)

    fit(new_model(), TRAIN, Recipe(epochs=2, batch_size=40), step=spy)
    epochs = [[i for batch in part for i in batch] for part in (seen[:5], seen[5:])]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(200))
    assert epochs[0] != epochs[1]


def test_a_step_knows_how_far_the_run_is(tmp_path: Path) -> None:
    seen: list[float] = []

    def spy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(batch.progress)
        return supervised(model, batch)

    recipe, path = Recipe(epochs=2, batch_size=100), tmp_path / "run.ckpt"
    with pytest.raises(Killed), killed_after(3):
        fit(new_model(), TRAIN, recipe, step=spy, checkpoint=path, checkpoint_every=1)
    assert seen == [0, 0.25, 0.5]
    seen.clear()
    fit(new_model(), TRAIN, recipe, step=spy, checkpoint=path)
    assert seen == [0.75]  # a run taken up again knows too


def test_the_history_is_the_mean_over_the_epoch() -> None:
    losses: list[float] = []

    def spy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, metrics = supervised(model, batch)
        losses.append(loss.item())
        return loss, metrics | {"answer": torch.tensor(42.0)}

    history = fit(new_model(), TRAIN, Recipe(epochs=1, batch_size=50), step=spy, validation=TRAIN)
    assert math.isclose(history[0]["loss"], sum(losses) / 4, rel_tol=1e-5)
    assert history[0]["answer"] == 42
    assert {"validation_loss", "validation_accuracy", "learning_rate"} <= set(history[0])


def test_label_smoothing_is_pytorchs() -> None:
    model = new_model().eval()
    batch = Batch(TRAIN.images[:8], TRAIN.labels[:8], torch.arange(8), torch.Generator())
    loss, _ = supervised(model, batch, label_smoothing=0.2)
    log_p = model(batch.images).log_softmax(dim=1)
    picked = log_p[torch.arange(8), batch.labels]
    expected = -(0.8 * picked + 0.2 * log_p.mean(dim=1)).mean()
    torch.testing.assert_close(loss, expected)


def test_the_average_of_the_weights_is_what_is_kept() -> None:
    recipe = Recipe(epochs=1, batch_size=100, ema_decay=0.75)
    trail: list[Tensor] = []

    def spy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        trail.append(next(p for p in model.parameters()).detach().clone())
        return supervised(model, batch)

    model = new_model()
    fit(model, TRAIN, recipe, step=spy)
    plain = new_model()
    fit(plain, TRAIN, Recipe(epochs=1, batch_size=100))
    after_first, after_second = trail[1], next(plain.parameters())
    decay = (1 + 1) / (10 + 1)  # of the second step: so early it is less than 0.75
    expected = decay * after_first + (1 - decay) * after_second
    torch.testing.assert_close(next(model.parameters()), expected)


def test_early_stopping_goes_back_to_the_best_weights() -> None:
    scores: list[float] = []
    model = new_model()
    wrong = ImageSet(TRAIN.images, (TRAIN.labels + 1) % 10, TRAIN.class_names)
    history = fit(
        model,
        wrong,
        Recipe(epochs=30, batch_size=20, patience=3, learning_rate=1e-3),
        validation=TRAIN,
    )
    scores = history.column("validation_accuracy")
    assert len(scores) < 30
    assert len(scores) - 1 - scores.index(max(scores)) == 3
    assert math.isclose(accuracy(model, TRAIN), max(scores), abs_tol=1e-6)


def test_a_diverging_run_says_where() -> None:
    def explode(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, metrics = supervised(model, batch)
        return loss * math.inf, metrics

    with pytest.raises(DivergedError, match=r"inf at step 1 of 8, at learning rate"):
        fit(new_model(), TRAIN, Recipe(epochs=2, batch_size=50), step=explode)


def pressing_ctrl_c(at: float | None, times: int = 1) -> Step:
    """A step during which somebody presses Ctrl-C, once so much of the run lies behind."""

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if batch.progress == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return supervised(model, batch)

    return step


def test_ctrl_c_is_raised_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    recipe, path = Recipe(epochs=5, batch_size=50), tmp_path / "run.ckpt"
    whole, half = new_model(), new_model()
    expected = fit(whole, TRAIN, recipe, step=pressing_ctrl_c(at=None))
    with pytest.raises(KeyboardInterrupt):
        fit(half, TRAIN, recipe, step=pressing_ctrl_c(at=0.3), checkpoint=path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    content = torch.load(io.BytesIO(path.read_bytes().split(b"\n", 2)[2]), weights_only=True)
    assert content["state"]["done"] == 7, "the step is done, and is in the checkpoint"
    # Another `at` is another step; the rest of the run is the same one.
    again = new_model()
    with pytest.raises(CheckpointError, match=r"from another run: step\.at was 0.3, is now absent"):
        fit(again, TRAIN, recipe, step=pressing_ctrl_c(at=None), checkpoint=path)
    history = fit(again, TRAIN, recipe, step=pressing_ctrl_c(at=0.3), checkpoint=path)
    assert history == expected
    for a, b in zip(again.parameters(), whole.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_second_ctrl_c_does_not_wait_for_the_step() -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), TRAIN, Recipe(epochs=1), step=pressing_ctrl_c(at=0, times=2))


def test_what_was_learned_is_kept_where_that_is_asked_for() -> None:
    model = new_model()
    before = next(model.parameters()).detach().clone()
    history = fit(
        model,
        TRAIN,
        Recipe(epochs=5, batch_size=50),
        step=pressing_ctrl_c(at=0.3),
        keep_interrupted=True,
    )
    assert history.interrupted
    assert len(history) == 1
    assert not torch.equal(next(model.parameters()), before)
    assert not model.training


@pytest.mark.parametrize(
    ("n_images", "steps", "epochs", "batch_size"),
    [(1000, 93, 6, 64), (1000, 100, 7, 64), (20, 93, 93, 20), (5000, 10, 1, 64)],
)
def test_a_recipe_for_so_many_steps_takes_about_as_many(
    n_images: int, steps: int, epochs: int, batch_size: int
) -> None:
    recipe = Recipe.for_steps(steps, n_images, batch_size=64, learning_rate=0.5)
    assert recipe == Recipe(epochs=epochs, batch_size=batch_size, learning_rate=0.5)


@pytest.mark.parametrize("wrong", ["steps", "n_images", "batch_size"])
def test_a_recipe_for_no_steps_or_images_is_refused(wrong: str) -> None:
    numbers = {"steps": 1, "n_images": 1, "batch_size": 1, wrong: 0}
    with pytest.raises(ValueError, match=f"{wrong} is 0; expected at least 1"):
        Recipe.for_steps(**numbers)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "Recipe.epochs is 0"),
        ({"learning_rate": 0.0}, "Recipe.learning_rate is 0.0"),
        ({"learning_rate": math.nan}, "Recipe.learning_rate is nan"),
        ({"weight_decay": -1.0}, "Recipe.weight_decay"),
        ({"clip_norm": 0}, "Recipe.clip_norm"),
        ({"ema_decay": 1.0}, "Recipe.ema_decay"),
        ({"patience": 0}, "Recipe.patience"),
    ],
)
def test_impossible_recipes_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**settings)


def test_impossible_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="training set is empty"):
        fit(new_model(), TRAIN[:0])
    with pytest.raises(ValueError, match="patience needs a validation set"):
        fit(new_model(), TRAIN, Recipe(patience=2))


def test_out_of_memory_names_the_batch_and_the_remedy() -> None:
    def greedy(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError, match="batch_size=50; try half of it"):
        fit(new_model(), TRAIN, Recipe(batch_size=50), step=greedy)


def losses_with(recipe: Recipe) -> list[float]:
    return fit(new_model(SmallCNN), TRAIN, recipe).column("loss")


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"precision": "bf16-mixed"}, 0.03),
        ({"clip_norm": 1e9}, 1e-6),  # longer than any gradient: changes nothing
    ],
)
def test_options_that_change_how_and_not_what(settings: dict, tolerance: float) -> None:
    plain = Recipe(epochs=2, batch_size=50, learning_rate=1e-3)
    changed = replace(plain, **settings)
    torch.testing.assert_close(losses_with(changed), losses_with(plain), atol=tolerance, rtol=0)


def test_clipping_shortens_the_gradient() -> None:
    before = [p.detach().clone() for p in new_model().parameters()]
    model = new_model()
    recipe = Recipe(
        epochs=1, batch_size=200, optimizer="sgd", learning_rate=1.0, schedule="cosine",
        weight_decay=0.0, clip_norm=0.01,
    )  # fmt: skip
    fit(model, TRAIN, recipe)
    moved = sum(
        float(((p.detach() - q) ** 2).sum())
        for p, q in zip(model.parameters(), before, strict=True)
    )
    assert math.isclose(moved**0.5, 0.01 * 1.9, rel_tol=1e-3)  # Nesterov's first step is 1.9 g


def test_compile_is_asked_for_when_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def stand_in(model: nn.Module) -> nn.Module:
        compiled.append(model)
        return model

    monkeypatch.setattr(torch, "compile", stand_in)
    model = new_model()
    fit(model, TRAIN, Recipe(epochs=1, compile=True))
    assert compiled == [model]


def test_parameter_groups_keep_their_own_rates() -> None:
    model = new_model()
    first, second = model[1][1].features[1], model[1][1].classifier
    before = first.weight.detach().clone(), second.weight.detach().clone()
    groups = [
        {"params": list(first.parameters()), "lr": 0.0},
        {"params": list(second.parameters()), "lr": 1e-2},
    ]
    fit(model, TRAIN, Recipe(epochs=1, schedule="cosine"), parameters=groups)
    assert torch.equal(first.weight, before[0])
    assert not torch.equal(second.weight, before[1])


def test_convolutions_are_laid_out_for_speed_and_no_other_model() -> None:
    convolutional, dense = new_model(SmallCNN), new_model()
    for model in (convolutional, dense):
        fit(model, TRAIN, Recipe(epochs=1))
    kernels = [p for p in convolutional.parameters() if p.dim() == 4]
    assert kernels
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)
    assert all(p.is_contiguous() for p in dense.parameters())


def test_the_callers_groups_stay_as_they_were() -> None:
    model = new_model()
    groups = [{"params": list(model.parameters()), "lr": 0.1}]
    rates = []
    for _ in range(2):
        recipe = Recipe(epochs=1, batch_size=50, optimizer="sgd", schedule="cosine")
        history = fit(model, TRAIN, recipe, parameters=groups)
        rates.append(history.column("learning_rate"))
    assert list(groups[0]) == ["params", "lr"]
    assert groups[0]["lr"] == 0.1
    assert rates[0] == rates[1]
