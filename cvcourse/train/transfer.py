"""Transfer: a backbone that was trained for one task, kept or gently moved for another."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from cvcourse.checks import Count, Positive, checked


@checked
def freeze(backbone: nn.Module) -> None:
    """Stop a module from learning, and from moving in any other way.

    Its parameters take no gradient, so the optimiser of `cvcourse.train.fit` never sees them. And
    it stays in evaluation mode, whatever `train()` is called on it or on what holds it: otherwise
    batch norm would go on replacing its running statistics by the new task's, and the "frozen"
    features would drift. Names of weights do not change, so checkpoints fit; copies and pickles
    stay frozen.

    >>> from torch import nn
    >>> from cvcourse.train.transfer import freeze
    >>> model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3))
    >>> freeze(model[0])
    >>> [module.training for module in model.train()], model[0].weight.requires_grad
    ([False, True], False)

    Args:
        backbone: any module; changed in place.
    """
    backbone.eval()
    backbone.requires_grad_(False)
    for module in backbone.modules():
        # On the module itself, so it is found before the method of its class. A partial is copied
        # and pickled along with the module that it is bound to.
        module.train = partial(_stay, module)  # type: ignore[method-assign]


@checked
def unfreeze(backbone: nn.Module) -> None:
    """Undo `freeze`: every parameter takes a gradient again, and the module is in training mode.

    >>> from torch import nn
    >>> from cvcourse.train.transfer import freeze, unfreeze
    >>> layer = nn.Linear(4, 2)
    >>> freeze(layer)
    >>> unfreeze(layer)
    >>> layer.weight.requires_grad, layer.training
    (True, True)

    Args:
        backbone: what was frozen; changed in place.
    """
    for module in backbone.modules():
        vars(module).pop("train", None)
    backbone.requires_grad_()
    backbone.train()


def _stay(module: nn.Module, mode: bool = True) -> nn.Module:
    """What `train(mode)` does on a frozen module: nothing."""
    return module


@checked
def replace_head(model: nn.Module, n_classes: Count) -> nn.Linear:
    """Put a new, untrained linear layer in the place of the model's last one.

    The last in the order in which the modules were made: the classifier of every model here and of
    torchvision's that end in a linear layer.

    >>> from cvcourse.models import SmallCNN
    >>> from cvcourse.train.transfer import replace_head
    >>> model = SmallCNN(n_classes=10)
    >>> head = replace_head(model, n_classes=3)
    >>> model.classifier is head, head.out_features
    (True, 3)

    Args:
        model: changed in place.
        n_classes: number of logits of the new layer, at least 1.

    Returns:
        The new head, on the old one's device.

    Raises:
        ValueError: n_classes is below 1, or the model has no linear layer inside.
    """
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not layers or not layers[-1]:
        raise ValueError(
            f"{type(model).__name__} has no linear layer inside to replace; set its head by hand"
        )
    old = model.get_submodule(layers[-1])
    assert isinstance(old, nn.Linear)
    weight = old.weight
    head = nn.Linear(
        old.in_features,
        n_classes,
        bias=old.bias is not None,
        device=weight.device,
        dtype=weight.dtype,
    )
    model.set_submodule(layers[-1], head)
    return head


@checked
def two_learning_rates(
    model: nn.Module, head: nn.Module, *, backbone_rate: Positive, head_rate: Positive
) -> list[dict[str, Any]]:
    """Parameter groups for `fit(…, parameters=…)`: the head's rate, and all the rest's.

    A new head starts from nothing and has far to go; the backbone is nearly there, and a high rate
    would wash out what it knows. Each group follows the recipe's schedule around its own rate.

    >>> from cvcourse.models import SmallCNN
    >>> from cvcourse.train.transfer import two_learning_rates
    >>> model = SmallCNN()
    >>> head = model.classifier
    >>> groups = two_learning_rates(model, head, backbone_rate=1e-4, head_rate=1e-3)
    >>> [group["lr"] for group in groups], [len(group["params"]) for group in groups]
    ([0.0001, 0.001], [9, 2])

    Args:
        model: the whole.
        head: a module inside it.
        backbone_rate: highest learning rate of every parameter that is not the head's, above 0; to
            hold them, `freeze` the backbone instead.
        head_rate: highest learning rate of the head's.

    Returns:
        Two groups, the backbone's first; parameters that take no gradient are in neither.

    Raises:
        ValueError: a rate is not above 0; the head is not a part of the model; or one of the two
            groups would be empty.
    """
    of_head = {id(p) for p in head.parameters()}
    learning = [p for p in model.parameters() if p.requires_grad]
    if not of_head <= {id(p) for p in model.parameters()}:
        raise ValueError("the head is not a part of the model; give the module that replaced it")
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learning if id(p) not in of_head], "lr": backbone_rate},
        {"params": [p for p in learning if id(p) in of_head], "lr": head_rate},
    ]
    for name, group in zip(("backbone", "head"), groups, strict=True):
        if not group["params"]:
            raise ValueError(
                f"the {name} has no parameter that takes a gradient; if it is frozen, leave "
                "parameters=… out: fit trains what is not"
            )
    return groups
