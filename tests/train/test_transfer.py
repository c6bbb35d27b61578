import copy
import io
import math
from pathlib import Path

import pytest
import torch
from resuming import Killed, killed_after, same, state
from torch import Tensor, nn

from cvcourse.data import ImageSet, render
from cvcourse.models import MLP, AlexNet, SmallCNN, standardized
from cvcourse.train import Batch, Recipe, accuracy, evaluating, fit, supervised
from cvcourse.train.transfer import freeze, replace_head, two_learning_rates, unfreeze

TRAIN = render(100, seed=0, size=16)
RECIPE = Recipe(epochs=1, batch_size=50)


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(nn.Sequential(SmallCNN(width=4), nn.Dropout(0.5)), TRAIN)


def features(model: nn.Module) -> nn.Module:
    return model.get_submodule("1.0.features")


def test_a_frozen_backbone_does_not_move_while_the_rest_learns() -> None:
    model = new_model()
    freeze(features(model))
    before, head = state(features(model)), model[1][0].classifier.weight.detach().clone()
    fit(model, TRAIN, RECIPE)
    assert same(before, state(features(model)))  # batch-norm statistics are part of it
    assert not torch.equal(head, model[1][0].classifier.weight)


def test_the_trap_without_freeze_the_statistics_move() -> None:
    model = new_model()
    features(model).requires_grad_(False).eval()
    before = state(features(model))
    fit(model, TRAIN, RECIPE)
    after = state(features(model))
    moved = {
        name.rpartition(".")[2] for name in before if not torch.equal(before[name], after[name])
    }
    assert moved == {"running_mean", "running_var", "num_batches_tracked"}


def test_it_stays_in_evaluation_mode_and_the_rest_does_not() -> None:
    model = new_model()
    freeze(features(model))
    model.train()
    features(model).train()
    features(model).get_submodule("0.1").train()
    assert not any(module.training for module in features(model).modules())
    assert model.training
    assert model[1][1].training
    with evaluating(model):
        assert not model[1][1].training
    assert model[1][1].training
    assert not any(module.training for module in features(model).modules())


def pickled(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("through", [copy.deepcopy, pickled])
def test_copies_and_pickles_are_frozen_on_their_own(through: object) -> None:
    model = new_model()
    freeze(features(model))
    twin = through(model)  # type: ignore[operator]
    twin.train()
    assert not any(module.training for module in features(twin).modules())
    unfreeze(features(twin))
    assert features(twin).training
    assert all(p.requires_grad for p in twin.parameters())
    assert not features(model).training  # the first is left alone
    assert not any(p.requires_grad for p in features(model).parameters())


def test_a_frozen_model_takes_a_free_ones_weights_and_the_other_way_round() -> None:
    free, frozen = new_model(), new_model()
    freeze(features(frozen))
    free.load_state_dict(frozen.state_dict())
    frozen.load_state_dict(free.state_dict())


def test_a_frozen_run_resumes_bit_for_bit(tmp_path: Path) -> None:
    def run(path: Path | None, stop: int | None = None) -> dict[str, Tensor]:
        model = new_model()
        freeze(features(model))
        recipe = Recipe(epochs=3, batch_size=50, ema_decay=0.9)
        with killed_after(stop):
            fit(model, TRAIN, recipe, checkpoint=path)
        return state(model)

    with pytest.raises(Killed):
        run(tmp_path / "run.ckpt", stop=4)
    assert same(run(tmp_path / "run.ckpt"), run(None))


def test_unfreeze_lets_it_learn_again() -> None:
    model = new_model()
    freeze(model)
    freeze(model)  # twice is once
    unfreeze(model)
    assert model.train().training
    before = state(features(model))
    fit(model, TRAIN, RECIPE)
    after = state(features(model))
    assert not any(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("kind", [MLP, SmallCNN, AlexNet])
def test_the_new_head_is_the_last_layer(kind: type[nn.Module]) -> None:
    model = standardized(kind(), TRAIN)
    kept = {name: id(p) for name, p in model.named_parameters()}
    head = replace_head(model, 3)
    size = 224 if kind is AlexNet else 32
    assert model.eval()(torch.zeros(2, 3, size, size)).shape == (2, 3)
    changed = [name for name, p in model.named_parameters() if kept[name] != id(p)]
    assert len(changed) == 2
    assert next(iter(head.parameters())) is dict(model.named_parameters())[changed[0]]


def test_a_head_without_bias_stays_so_and_keeps_its_dtype() -> None:
    model = nn.Sequential(nn.Linear(4, 10, bias=False)).double()
    head = replace_head(model, 2)
    assert head.bias is None
    assert head.weight.dtype == torch.float64


def test_what_has_no_head_cannot_get_another() -> None:
    with pytest.raises(ValueError, match="Conv2d has no linear layer"):
        replace_head(nn.Conv2d(3, 3, 1), 2)
    with pytest.raises(ValueError, match="n_classes is 0"):
        replace_head(new_model(), 0)


def test_each_group_takes_steps_of_its_own_rate() -> None:
    """One step of plain SGD without momentum's past: the weights move by rate × gradient."""
    model = new_model()
    head = replace_head(model, 10)
    twin = copy.deepcopy(model).train()
    groups = two_learning_rates(model, head, backbone_rate=1e-3, head_rate=1e-1)
    recipe = Recipe(epochs=1, batch_size=100, optimizer="sgd", schedule="cosine", weight_decay=0.0)
    captured: list[Tensor] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        captured.append(batch.indices)
        return supervised(model, batch)

    fit(model, TRAIN, recipe, parameters=groups, step=step)
    order = captured[0]
    torch.manual_seed(0)  # as fit does, for dropout
    nn.functional.cross_entropy(twin(TRAIN.images[order]), TRAIN.labels[order]).backward()
    of_head = {id(p) for p in head.parameters()}
    for mine, start in zip(model.parameters(), twin.parameters(), strict=True):
        rate = 1e-1 if id(mine) in of_head else 1e-3
        assert start.grad is not None
        expected = start - rate * 1.9 * start.grad  # Nesterov's first step is 1 + 0.9 as long
        torch.testing.assert_close(mine.detach(), expected.detach(), rtol=1e-4, atol=1e-6)


def test_every_parameter_is_in_one_group_and_the_frozen_in_none() -> None:
    model = new_model()
    head = replace_head(model, 10)
    freeze(features(model).get_submodule("0"))
    backbone, top = two_learning_rates(model, head, backbone_rate=1e-3, head_rate=1e-2)
    ids = [id(p) for p in backbone["params"] + top["params"]]
    assert sorted(ids) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    assert [id(p) for p in top["params"]] == [id(p) for p in head.parameters()]


def test_bad_groups_are_named() -> None:
    model = new_model()
    head = model[1][0].classifier
    for rate in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="backbone_rate"):
            two_learning_rates(model, head, backbone_rate=rate, head_rate=1.0)
    replaced = replace_head(model, 4)
    with pytest.raises(ValueError, match="not a part of the model"):
        two_learning_rates(model, head, backbone_rate=1.0, head_rate=1.0)
    freeze(features(model))
    with pytest.raises(ValueError, match="the backbone has no parameter"):
        two_learning_rates(model, replaced, backbone_rate=1.0, head_rate=1.0)


@pytest.mark.parametrize("rate", [0.0, math.inf, math.nan])
@pytest.mark.parametrize("name", ["backbone_rate", "head_rate"])
def test_the_rate_that_is_wrong_is_named(name: str, rate: float) -> None:
    model = new_model()
    rates = {"backbone_rate": 1.0, "head_rate": 1.0, name: rate}
    with pytest.raises(ValueError, match=rf"^{name} is {rate}"):
        two_learning_rates(model, model[1][0].classifier, **rates)


def test_a_group_must_have_something_to_learn() -> None:
    model = new_model()
    with pytest.raises(ValueError, match="the backbone has no parameter"):
        two_learning_rates(model, model, backbone_rate=1.0, head_rate=1.0)  # all is head
    freeze(model[1][0].classifier)
    with pytest.raises(ValueError, match="the head has no parameter"):
        two_learning_rates(model, model[1][0].classifier, backbone_rate=1.0, head_rate=1.0)


def test_train_gives_the_module_back_frozen_or_not() -> None:
    model = new_model()
    unfreeze(model)  # was never frozen
    assert model.train() is model
    freeze(model)
    assert all(module.train() is module for module in model.modules())


def test_a_head_of_one_class_is_made_where_the_old_one_was() -> None:
    model = nn.Sequential(nn.Linear(4, 10, device="meta"))
    head = replace_head(model, 1)
    assert head.weight.shape == (1, 4)
    assert head.weight.is_meta


def shapes_of(classes: range, n: int, seed: int) -> ImageSet:
    """Some of the ten classes, numbered from 0."""
    whole = render(n, seed=seed)
    chosen = whole[(whole.labels >= classes.start) & (whole.labels < classes.stop)]
    names = chosen.class_names[classes.start : classes.stop]
    return ImageSet(chosen.images, chosen.labels - classes.start, names)


def test_features_of_some_classes_serve_others_better_than_none() -> None:
    source, target = shapes_of(range(5), 2000, seed=0), shapes_of(range(5, 10), 60, seed=1)
    test = shapes_of(range(5, 10), 600, seed=2)
    torch.manual_seed(0)
    scratch = standardized(SmallCNN(n_classes=5), source)
    trained = copy.deepcopy(scratch)
    fit(trained, source, Recipe(epochs=8, batch_size=64, learning_rate=1e-2))
    scores = {}
    for name, model in (("none", scratch), ("trained", trained)):
        freeze(model.get_submodule("1.features"))
        replace_head(model, 5)
        fit(model, target, Recipe(epochs=60, batch_size=30, learning_rate=3e-2))
        scores[name] = accuracy(model, test)
    assert scores["trained"] > scores["none"] + 0.1
