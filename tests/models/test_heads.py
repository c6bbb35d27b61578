import pytest
import torch
from torchvision.ops import box_iou

from cvcourse.data import Scene, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.models.heads import (
    ClassificationHead,
    DetectionHead,
    MultiHead,
    SegmentationHead,
    classification_loss,
    detection_loss,
    mask_iou,
    segmentation_loss,
)
from cvcourse.train import Recipe, evaluating, fit
from cvcourse.train.multi_head import multi_head_step

LOSSES = {
    "classification": classification_loss,
    "detection": detection_loss,
    "segmentation": segmentation_loss,
}


def three_heads(width: int = 8) -> MultiHead:
    channels = 4 * width
    heads = {
        "classification": ClassificationHead(channels, 10),
        "detection": DetectionHead(channels, 10, map_size=4, image_size=32),
        "segmentation": SegmentationHead(channels, stride=8),
    }
    return MultiHead(SmallCNN(width=width).features, heads)


def test_what_the_heads_say_has_the_shapes_of_the_truth() -> None:
    train = render(6)
    said = standardized(three_heads(), train)(train.images)
    logits, boxes = said["detection"]
    assert said["classification"].shape == logits.shape == (6, 10)
    assert boxes.shape == train.boxes.shape
    assert said["segmentation"].shape == train.masks.shape


def test_a_predicted_box_is_never_inside_out() -> None:
    head = DetectionHead(4, 10, map_size=2, image_size=32)
    _, boxes = head(torch.randn(200, 4, 2, 2) * 30)
    assert (boxes[:, 2:] >= boxes[:, :2]).all()
    centres = (boxes[:, 2:] + boxes[:, :2]) / 2
    assert (centres >= 0).all()
    assert (centres <= 32).all()


def test_the_class_does_not_depend_on_where_and_the_box_does() -> None:
    head = DetectionHead(4, 10, map_size=4, image_size=32)
    maps = torch.rand(3, 4, 4, 4)
    logits, boxes = head(maps)
    turned_logits, turned_boxes = head(maps.flip(3))
    torch.testing.assert_close(turned_logits, logits)
    assert not torch.allclose(turned_boxes, boxes, atol=1e-3)


def test_the_mask_moves_with_the_maps() -> None:
    head = SegmentationHead(4, stride=8)
    maps = torch.zeros(1, 4, 8, 8)
    maps[:, :, 2:4, 2:4] = torch.rand(4, 2, 2)
    masks, moved = head(maps), head(maps.roll((1, 2), dims=(2, 3)))
    torch.testing.assert_close(moved, masks.roll((8, 16), dims=(1, 2)))


def test_the_backbone_runs_once_for_all_heads() -> None:
    model, calls = three_heads(), []
    model.backbone.register_forward_hook(lambda *_: calls.append(1))
    assert list(model(torch.zeros(2, 3, 32, 32))) == list(LOSSES)
    assert len(calls) == 1


def test_mask_iou_by_hand() -> None:
    masks = torch.zeros(4, 4, 4, dtype=torch.bool)
    masks[0, :2], masks[1, 1:3], masks[2, 3] = True, True, True  # rows 0–1, 1–2, 3, none
    iou = mask_iou(masks[[0, 0, 0, 3]], masks[[0, 1, 2, 3]])
    torch.testing.assert_close(iou, torch.tensor([1.0, 1 / 3, 0.0, 1.0]))
    with pytest.raises(ValueError, match="upsample"):
        mask_iou(masks, masks[:, :2])


def test_masks_of_numbers_are_refused() -> None:
    masks = torch.ones(2, 4, 4, dtype=torch.bool)
    with pytest.raises(TypeError, match=r"predicted masks are torch.int64, true ones torch.bool"):
        mask_iou(2 * masks.long(), masks)
    with pytest.raises(TypeError, match=r"true ones torch.uint8"):
        mask_iou(masks, masks.byte())


def test_masks_that_are_rectangles_have_the_iou_of_their_boxes() -> None:
    corners = torch.tensor([[1, 2, 5, 6], [3, 2, 7, 5], [0, 0, 8, 8], [6, 6, 7, 7]])
    row, column = torch.arange(8).view(8, 1), torch.arange(8).view(1, 8)
    x0, y0, x1, y1 = corners.T.reshape(4, -1, 1, 1)
    masks = (x0 <= column) & (column < x1) & (y0 <= row) & (row < y1)  # (4, 8, 8)
    pairs = torch.cartesian_prod(torch.arange(4), torch.arange(4)).T
    expected = box_iou(corners.float(), corners.float()).flatten()
    torch.testing.assert_close(mask_iou(masks[pairs[0]], masks[pairs[1]]), expected)


def test_losses_vanish_at_the_truth() -> None:
    truth = render(5)
    logits = torch.nn.functional.one_hot(truth.labels, 10) * 50.0
    assert classification_loss(logits, truth).item() < 1e-6
    assert detection_loss((logits, truth.boxes), truth).item() < 1e-6
    assert segmentation_loss(truth.masks * 100.0 - 50, truth).item() < 1e-6
    off = truth.boxes + torch.tensor([4.0, 0, 4, 0])
    assert detection_loss((logits, off), truth).item() > 0.1


def test_an_image_that_shows_nothing_teaches_no_box() -> None:
    truth = render(5)
    truth.boxes[0] = 0
    boxes = truth.boxes.clone()
    boxes[0] = torch.tensor([3.0, 4, 9, 9])
    boxes.requires_grad_()
    logits = torch.nn.functional.one_hot(truth.labels, 10) * 50.0
    loss = detection_loss((logits, boxes), truth)
    loss.backward()
    assert loss.item() < 1e-6
    assert not boxes.grad[0].any()


def test_boxes_and_masks_must_be_there() -> None:
    bare = type(truth := render(2))(truth.images, truth.labels, truth.class_names)
    with pytest.raises(ValueError, match="boxes=…"):
        detection_loss((torch.zeros(2, 10), torch.zeros(2, 4)), bare)
    with pytest.raises(ValueError, match="masks=…"):
        segmentation_loss(torch.zeros(2, 32, 32), bare)


def test_one_backbone_learns_all_three_tasks() -> None:
    scene = Scene(shift=(0, 0.2))
    train, test = render(600, scene, seed=0), render(200, scene, seed=1)
    torch.manual_seed(0)
    model = standardized(three_heads(), train)
    recipe = Recipe(epochs=10, batch_size=64, learning_rate=2e-2)
    history = fit(model, train, recipe, step=multi_head_step(train, LOSSES))
    assert set(history[0]) >= {f"{name}_loss" for name in LOSSES}
    with torch.no_grad(), evaluating(model):
        said = model(test.images)
    right = (said["classification"].argmax(dim=1) == test.labels).float().mean()
    assert right > 0.7
    average = train.boxes.mean(dim=0).expand_as(test.boxes)
    blind, seeing = (
        box_iou(b, test.boxes).diagonal().mean() for b in (average, said["detection"][1])
    )
    assert seeing > blind + 0.15
    assert mask_iou(said["segmentation"] > 0, test.masks).mean() > 0.4


def test_targets_are_looked_up_by_index() -> None:
    """Boxes must belong to the images of the batch: shuffled truth teaches where nothing is."""
    train = render(40, Scene(shift=(0, 0.3)))
    seen = []

    def remember(prediction: torch.Tensor, truth) -> torch.Tensor:
        seen.append(truth)
        return prediction.mean()

    model = standardized(three_heads(), train)
    fit(
        model,
        train,
        Recipe(epochs=1, batch_size=8),
        step=multi_head_step(train, {"segmentation": remember}),
    )
    assert len(seen) == 5
    for truth in seen:
        for image, box in zip(truth.images, truth.boxes, strict=True):
            where = (train.images == image).flatten(1).all(dim=1).nonzero()[0, 0]
            assert torch.equal(box, train.boxes[where])
