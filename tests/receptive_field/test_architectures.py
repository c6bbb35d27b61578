"""Real architectures, against the gradient and against published numbers."""

import pytest
import torch
import torchvision
from support import average_for_max, positive, support
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from cvcourse.data import render
from cvcourse.models import MLP, SingleLayer, SmallCNN, standardized
from cvcourse.receptive_field import receptive_field


def architecture(name: str) -> nn.Module:
    """Shapes without data, and without the large fully connected head."""
    without = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        model = torchvision.models.get_model(name, **without).eval()
    for head in ("fc", "classifier"):
        if hasattr(model, head) and name != "squeezenet1_0":
            setattr(model, head, nn.Identity())
    return model


# side of the image; nodes from shallow to deep; the last has no units with a place, the others do
CASES = {
    "alexnet": (224, ["features.2", "features.6", "features.12", "flatten"]),
    "vgg16": (64, ["features.9", "features.16", "features.30", "flatten"]),
    "resnet18": (96, ["maxpool", "layer1.1.add", "layer2.1.add", "layer4.1.add", "flatten"]),
    "resnet50": (96, ["layer1.2.add", "layer2.3.add", "layer4.2.add", "flatten"]),
    "googlenet": (96, ["inception3a.cat", "inception4a.cat", "inception5b.cat", "flatten"]),
    "inception_v3": (107, ["Mixed_5b.cat", "Mixed_6b.cat", "Mixed_7c.cat_2", "flatten"]),
    "mobilenet_v2": (96, ["features.3.conv.3", "features.6.add", "features.17.conv.3", "flatten"]),
    "densenet121": (64, ["features.denseblock1.cat", "relu", "flatten"]),
    "squeezenet1_0": (160, ["features.5.cat", "classifier.2", "flatten"]),
    "shufflenet_v2_x1_0": (96, ["maxpool", "stage2.1.view_1", "conv5.2", "mean"]),
}


@pytest.mark.parametrize("name", CASES)
def test_regions_are_the_gradients_support(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    side, nodes = CASES[name]
    model = architecture(name)
    fields = receptive_field(model, (3, side, side))
    average_for_max(monkeypatch)
    faint = torch.full((1, 3, side, side), 1e-6, dtype=torch.float64)  # far below ReLU6's ceiling
    image = faint.requires_grad_()
    extractor = create_feature_extractor(positive(model), nodes, suppress_diff_warning=True)
    maps = extractor(image)
    inside = 0
    for node in nodes:
        field = fields[node]
        h, w = (n or 1 for n in field.map_size)
        for y, x in {(0, 0), (h // 2, w // 2), (h - 1, w // 3)}:
            region = field.region(y, x)
            assert region == support(maps[node], image, y, x), (node, y, x)
            whole = field.region(y, x, clipped=False)
            if whole.top >= 0 and whole.left >= 0 and max(whole.bottom, whole.right) <= side:
                inside += field.size is not None
                assert region == whole, "no border in sight, nothing to clip"
    assert inside, "at least one unit lies clear of the borders, so that the size is checked too"
    assert fields[nodes[-1]].is_global, "after flattening or a mean, units have no place"
    assert not fields[nodes[-2]].is_global


def test_squeeze_and_excitation_makes_the_field_global() -> None:
    with torch.device("meta"):
        fields = receptive_field(torchvision.models.efficientnet_b0(), (3, 64, 64))
    local = [name for name, field in fields.items() if not field.is_global]
    assert local[-1] == "features.1.0.block.0.2", "the activation before the first of them"
    gate = fields["features.1.0.block.1.mul"]
    assert gate.size is None
    assert gate.map_size == (32, 32)
    assert gate.region(5, 5) == (0, 0, 64, 64)


# (size, jump, padding) of Araujo, Norris & Sim (2019), computed on the TF-Slim models
PUBLISHED = {
    ("alexnet", 224, "features.12"): (195, 32, 64),
    ("vgg16", 224, "features.30"): (212, 32, 90),
    ("inception_v3", 299, "Mixed_7c.cat_2"): (1311, 32, 618),
}
# torchvision's AlexNet pads its first convolution by 2, TF-Slim's alexnet_v2 does not
OTHER_PADDING = {"alexnet": 2}


@pytest.mark.parametrize(("name", "side", "node"), PUBLISHED)
def test_published_numbers(name: str, side: int, node: str) -> None:
    size, jump, padding = PUBLISHED[name, side, node]
    field = receptive_field(architecture(name), (3, side, side))[node]
    assert field.size == (size, size)
    assert field.jump == (jump, jump)
    assert field.padding == (padding + OTHER_PADDING.get(name, 0),) * 2
    assert field.start == ((size - 1) / 2 - field.padding[0],) * 2


def test_alexnet_layer_by_layer_as_published() -> None:
    model = architecture("alexnet")
    model.features[0].padding = (0, 0)  # as in TF-Slim
    fields = receptive_field(model, (3, 224, 224))
    published = {0: 11, 2: 19, 3: 51, 6: 99, 8: 131, 10: 163, 12: 195}
    paddings = {0: 0, 2: 0, 3: 16, 6: 32, 8: 48, 10: 64, 12: 64}
    for layer, size in published.items():
        assert fields[f"features.{layer}"].size == (size, size)
        assert fields[f"features.{layer}"].padding == (paddings[layer],) * 2


def test_the_courses_own_models() -> None:
    cnn = receptive_field(standardized(SmallCNN(), render(20)), (3, 32, 32))
    last = cnn["1.features.2.3"]
    assert (last.size, last.jump, last.start) == ((22, 22), (8.0, 8.0), (3.5, 3.5))
    assert cnn["1.classifier"].is_global
    for model in (SingleLayer(), MLP()):
        *_, logits = receptive_field(model, (3, 32, 32)).values()
        assert logits.region(0, 0) == (0, 0, 32, 32)
