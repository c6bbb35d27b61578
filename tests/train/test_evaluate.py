import pytest
import torch
from torch import nn

from cvcourse.data import ImageSet, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import accuracy, evaluate, evaluating, predict

IMAGES = render(30)


def test_predicting_in_batches_changes_nothing() -> None:
    model = standardized(SmallCNN(), IMAGES).eval()
    torch.testing.assert_close(
        predict(model, IMAGES.images, batch_size=7), model(IMAGES.images).detach()
    )


def test_every_module_gets_its_own_mode_back() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout()).train()
    model[0].eval()  # frozen on purpose
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == [True, False, True]


def test_accuracy_and_loss_by_hand() -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])[: len(images)]

    images = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    three = ImageSet(images, torch.tensor([0, 1, 1]), ("a", "b"))
    measured = evaluate(Fixed(), three)
    assert measured["accuracy"] == pytest.approx(2 / 3)
    expected = sum(torch.log1p(torch.tensor(x).exp()) for x in (-2.0, -1.0, 3.0)) / 3
    assert measured["loss"] == pytest.approx(float(expected), rel=1e-5)
    assert accuracy(Fixed(), three) == measured["accuracy"]


def test_bad_input_is_named() -> None:
    model = standardized(SmallCNN(), IMAGES)
    with pytest.raises(ValueError, match="no images"):
        predict(model, IMAGES.images[:0])
    unlabeled = ImageSet(IMAGES.images, torch.full((30,), -1), IMAGES.class_names)
    with pytest.raises(ValueError, match="30 of 30 images of `image_set` have no label"):
        evaluate(model, unlabeled)


def test_images_are_shown_128_at_a_time() -> None:
    shown: list[int] = []
    model = nn.Flatten()
    model.weight = nn.Parameter(torch.zeros(1))
    model.register_forward_pre_hook(lambda _, inputs: shown.append(len(inputs[0])))
    assert predict(model, torch.zeros(130, 1, 1, 3)).shape == (130, 3)
    assert shown == [128, 2]


def test_only_what_is_below_zero_is_no_label() -> None:
    some = ImageSet(IMAGES.images[:4], torch.tensor([0, -1, 1, -1]), IMAGES.class_names)
    with pytest.raises(ValueError, match="2 of 4 images of `image_set` have no label"):
        evaluate(standardized(SmallCNN(), IMAGES), some)
