import pytest
import torch
import torch.nn.functional as F
import torchvision
from peers import logits_of, random_state
from torch import Tensor, nn

from cvcourse.models import AlexNet, TwoPathAlexNet, layer_table
from cvcourse.models.alexnet import PathwiseLRN

IMAGE = (3, 224, 224)


def test_torchvisions_weights_give_identical_logits() -> None:
    with torch.device("meta"):
        ours, theirs = AlexNet(n_classes=10), torchvision.models.alexnet(num_classes=10)
    state = random_state(theirs)
    for size in (64, 224):
        images = torch.randn(2, 3, size, size)
        expected = logits_of(theirs, state, images)
        assert expected.std() > 0.01
        assert torch.equal(logits_of(ours, state, images), expected)


def test_dropout_draws_as_torchvisions_does() -> None:
    with torch.device("meta"):
        ours, theirs = AlexNet(n_classes=10), torchvision.models.alexnet(num_classes=10)
    state = random_state(theirs)
    outputs = []
    for model in (ours, theirs):
        model.load_state_dict(state, assign=True)
        torch.manual_seed(0)
        with torch.no_grad():
            outputs.append(model.train()(torch.ones(2, 3, 64, 64)))
    assert torch.equal(*outputs)


@pytest.mark.parametrize(
    ("make", "parameters"), [(AlexNet, 61_100_840), (TwoPathAlexNet, 60_965_224)]
)
def test_parameter_counts(make: type[nn.Module], parameters: int) -> None:
    with torch.device("meta"):
        rows = layer_table(make(), IMAGE)
    assert sum(row.parameters for row in rows) == parameters


def test_two_paths_have_the_papers_layers() -> None:
    with torch.device("meta"):
        rows = layer_table(TwoPathAlexNet(), IMAGE)
    learned = [row for row in rows if row.parameters]
    assert [row.neurons for row in learned] == [
        55 * 55 * 96,  # the paper's caption says 253,440 = 55 × 48 × 96
        186_624,
        64_896,
        64_896,
        43_264,
        4_096,
        4_096,
        1_000,
    ]
    assert [row.shape[0] for row in learned[:5]] == [96, 256, 384, 384, 256]


def test_images_of_227_without_padding_give_the_same_shapes() -> None:
    with torch.device("meta"):
        model = TwoPathAlexNet()
    unpadded = model.features[0]
    assert isinstance(unpadded, nn.Conv2d)
    shapes = [row.shape for row in layer_table(model, IMAGE)]
    unpadded.padding = (0, 0)
    assert [row.shape for row in layer_table(model, (3, 227, 227))] == shapes
    assert layer_table(model, IMAGE)[0].shape == (96, 54, 54)


def test_two_paths_meet_only_where_the_paper_says() -> None:
    """Change path 2's filters of the first layer, and see how far path 1 notices."""
    torch.manual_seed(0)
    model = TwoPathAlexNet(n_classes=10).features.eval()
    before = activations(model, images := torch.randn(1, 3, 224, 224))
    first = model[0]
    assert isinstance(first, nn.Conv2d)
    with torch.no_grad():
        first.weight[48:] += 0.1
    after = activations(model, images)
    noticed = [
        not torch.equal(*(maps[:, : maps.shape[1] // 2] for maps in pair))
        for pair in zip(before, after, strict=True)
    ]
    assert noticed.index(True) == 8, "the third convolution is the first to see both paths"


@torch.no_grad()
def activations(features: nn.Module, maps: Tensor) -> list[Tensor]:
    outputs = []
    for layer in features.children():
        maps = layer(maps)
        outputs.append(maps.clone())
    return outputs


def test_lrn_is_the_papers_formula() -> None:
    maps = 30 * torch.randn(2, 8, 3, 3, dtype=torch.float64)
    expected = torch.empty_like(maps)
    for path in (range(4), range(4, 8)):
        for i in path:
            near = [j for j in range(i - 2, i + 3) if j in path]
            expected[:, i] = maps[:, i] / (2 + 1e-4 * (maps[:, near] ** 2).sum(1)) ** 0.75
    torch.testing.assert_close(PathwiseLRN(paths=2)(maps), expected)
    torch.testing.assert_close(
        PathwiseLRN()(maps), F.local_response_norm(maps, 5, alpha=5 * 1e-4, k=2.0)
    )
