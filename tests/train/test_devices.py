"""Images, teachers and tables on different devices, without a GPU: fake tensors keep the rules."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from cvcourse.losses import contrastive_loss
from cvcourse.train.distill import ask
from cvcourse.train.evaluate import _logits
from cvcourse.train.step import loss_and_metrics, rows


@pytest.fixture
def gpu() -> Iterator[torch.device]:
    """A device that is not there; two devices in one operation are an error, as ever."""
    with FakeTensorMode():
        yield torch.device("cuda", 0)


def test_rows_of_a_table_come_to_where_the_indices_are(gpu: torch.device) -> None:
    for table, indices in ((gpu, "cpu"), ("cpu", gpu)):
        found = rows(torch.zeros(5, 3, device=table), torch.arange(2, device=indices))
        assert found.device == torch.device(indices)
        assert found.shape == (2, 3)


def test_metrics_come_to_where_the_loss_is(gpu: torch.device) -> None:
    loss = torch.zeros((), device=gpu, requires_grad=True)
    _, numbers = loss_and_metrics((loss, {"count": 3, "share": 0.5}))
    assert {number.device for number in numbers.values()} == {gpu}


def test_the_contrastive_loss_stays_where_the_views_are(gpu: torch.device) -> None:
    views = torch.zeros(3, 5, device=gpu)
    assert [found.device for found in contrastive_loss(views, views, temperature=1.0)] == [gpu, gpu]


def test_images_go_to_the_model_and_its_answers_come_back(gpu: torch.device) -> None:
    for model, images in ((gpu, "cpu"), ("cpu", gpu)):
        answers = _logits(nn.Linear(3, 2, device=model), torch.zeros(4, 3, device=images), 128)
        assert answers.device == torch.device(images)
        assert answers.dtype == torch.float32


def test_images_go_to_a_model_that_has_only_buffers(gpu: torch.device) -> None:
    model = nn.BatchNorm1d(3, affine=False, device=gpu)
    assert _logits(model, torch.zeros(4, 3), 128).device == torch.device("cpu")


class Movable(nn.Module):
    """Remembers where it was moved to."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, device=device))
        self.moves: list[torch.device] = []

    def to(self, device: torch.device) -> "Movable":  # type: ignore[override]
        self.moves.append(device)
        return self

    def forward(self, images: Tensor) -> Tensor:
        return images


@pytest.mark.parametrize(("device", "moves"), [("meta", 1), ("cpu", 0)])
def test_a_teacher_is_moved_only_if_it_is_elsewhere(device: str, moves: int) -> None:
    teacher = Movable(device).eval()
    ask(teacher, torch.zeros(2, 3))
    assert teacher.moves == [torch.device("cpu")] * moves
