"""Heads: small networks that turn a backbone's feature maps into a class, a box or a mask.

Each takes maps (B, C, h, w), whatever made them. The losses are terms for one step of
`cvcourse.train.fit`, so one backbone can be trained with one head or with all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import generalized_box_iou_loss

from cvcourse.checks import Count, checked
from cvcourse.data import ImageSet
from cvcourse.losses import labeled_cross_entropy


class ClassificationHead(nn.Module):
    """What is it? The average of each map over all positions, then one layer.

    >>> import torch
    >>> from cvcourse.models.heads import ClassificationHead
    >>> ClassificationHead(64, n_classes=10)(torch.zeros(2, 64, 4, 4)).shape
    torch.Size([2, 10])

    Args:
        channels: of the feature maps, C.
        n_classes: number of logits.
    """

    @checked
    def __init__(self, channels: Count, n_classes: Count) -> None:
        super().__init__()
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) → logits (B, n_classes)."""
        return self.classifier(maps.mean(dim=(2, 3)))


class DetectionHead(nn.Module):
    """What and where, for one object an image: a class, and a box by regression.

    The class comes from averaged maps, as in `ClassificationHead`; the box from all positions side
    by side, since an average would not know where (Simonyan & Zisserman 2015, appendix A, regress
    the one box of an image in this way, from the last fully connected layer).

    >>> import torch
    >>> from cvcourse.models.heads import DetectionHead
    >>> head = DetectionHead(64, n_classes=10, map_size=4, image_size=32)
    >>> logits, boxes = head(torch.zeros(2, 64, 4, 4))
    >>> logits.shape, boxes.shape
    (torch.Size([2, 10]), torch.Size([2, 4]))

    Args:
        channels: of the feature maps, C.
        n_classes: number of logits.
        map_size: height and width of the maps, h = w.
        image_size: height and width of the images in pixels.
    """

    @checked
    def __init__(
        self, channels: Count, n_classes: Count, *, map_size: Count, image_size: Count
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.classification = ClassificationHead(channels, n_classes)
        self.regression = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * map_size**2, 64), nn.ReLU(), nn.Linear(64, 4)
        )

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, h, w) → logits (B, n_classes), boxes (B, 4): x0, y0, x1, y1 in pixels, x0 < x1."""
        centre, side = self.regression(maps).sigmoid().split(2, dim=1)  # each (B, 2) in (0, 1)
        boxes = torch.cat([centre - side / 2, centre + side / 2], dim=1) * self.image_size
        return self.classification(maps), boxes


class SegmentationHead(nn.Module):
    """Which pixels are the object's? One logit for each: a convolution, then learned upsampling.

    Fully convolutional (Long, Shelhamer & Darrell 2015, section 3), so it takes maps of any size.

    >>> import torch
    >>> from cvcourse.models.heads import SegmentationHead
    >>> SegmentationHead(64, stride=8)(torch.zeros(2, 64, 4, 4)).shape
    torch.Size([2, 32, 32])

    Args:
        channels: of the feature maps, C.
        stride: image pixels from one position of the maps to the next.
    """

    @checked
    def __init__(self, channels: Count, *, stride: Count) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, stride, stride=stride),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) → logits (B, stride h, stride w); above zero: the object."""
        return self.layers(maps).squeeze(1)


class MultiHead(nn.Module):
    """One backbone whose maps go to every head.

    >>> import torch
    >>> from cvcourse.models import SmallCNN
    >>> from cvcourse.models.heads import ClassificationHead, MultiHead, SegmentationHead
    >>> heads = {"class": ClassificationHead(64, 10), "mask": SegmentationHead(64, stride=8)}
    >>> model = MultiHead(SmallCNN().features, heads)
    >>> said = model(torch.zeros(2, 3, 32, 32))
    >>> said["class"].shape, said["mask"].shape
    (torch.Size([2, 10]), torch.Size([2, 32, 32]))

    Args:
        backbone: images → feature maps.
        heads: name → head.
    """

    @checked
    def __init__(self, backbone: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        if not heads:
            raise ValueError("heads is empty; give at least one, by its name")
        self.backbone, self.heads = backbone, nn.ModuleDict(heads)

    def forward(self, images: Tensor) -> dict[str, Any]:
        """(B, C, H, W) → what each head says, by its name; the backbone runs once."""
        maps = self.backbone(images)
        return {name: head(maps) for name, head in self.heads.items()}


@checked
def classification_loss(logits: Tensor, truth: ImageSet) -> Tensor:
    """Cross-entropy in nats of logits (B, n_classes).

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.models.heads import classification_loss
    >>> f"{classification_loss(torch.zeros(10, 10), render(10)):.2f}"  # log 10
    '2.30'

    Args:
        logits: (B, n_classes) float.
        truth: B images; those without a label (−1) do not count.

    Returns:
        A scalar, the mean over the images that have a label; 0 if none has one.

    Raises:
        ValueError: the batch is empty, or the labels do not fit the logits.
    """
    return labeled_cross_entropy(logits, truth.labels)


@checked
def detection_loss(prediction: tuple[Tensor, Tensor], truth: ImageSet) -> Tensor:
    """Cross-entropy of the class plus 1 − generalised IoU of the box (Rezatofighi et al. 2019).

    An image in which nothing shows (box 0, 0, 0, 0) has no box to learn from and counts for its
    class alone.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.models.heads import detection_loss
    >>> truth = render(10)
    >>> f"{detection_loss((torch.zeros(10, 10), truth.boxes), truth):.2f}"  # log 10
    '2.30'

    Args:
        prediction: logits (B, n_classes) and boxes (B, 4) in pixels.
        truth: with boxes.

    Returns:
        A scalar: the mean over the images that have a label, and over those that have a box.

    Raises:
        ValueError: the images have no boxes, or the prediction does not fit them.
    """
    if truth.boxes is None:
        raise ValueError("these images have no boxes to learn from; give an ImageSet with boxes=…")
    logits, boxes = prediction
    _check_shape("boxes", boxes, truth.boxes)
    shows = (truth.boxes[:, 2:] > truth.boxes[:, :2]).all(dim=1)  # (B,) bool
    distance = generalized_box_iou_loss(boxes.float(), truth.boxes) * shows  # (B,), 0 to 2
    return labeled_cross_entropy(logits, truth.labels) + distance.sum() / shows.sum().clamp(min=1)


@checked
def segmentation_loss(logits: Tensor, truth: ImageSet) -> Tensor:
    """Binary cross-entropy in nats of a logit for each pixel, (B, H, W).

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.models.heads import segmentation_loss
    >>> f"{segmentation_loss(torch.zeros(10, 32, 32), render(10)):.2f}"  # log 2
    '0.69'

    Args:
        logits: (B, H, W) float; above zero: the object.
        truth: B images with masks.

    Returns:
        A scalar, the mean over all pixels.

    Raises:
        ValueError: the images have no masks, or the logits do not fit them.
    """
    if truth.masks is None:
        raise ValueError("these images have no masks to learn from; give an ImageSet with masks=…")
    _check_shape("logits", logits, truth.masks)
    return F.binary_cross_entropy_with_logits(logits, truth.masks.to(logits.dtype))


@checked
def mask_iou(predicted: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of each pair of masks.

    >>> import torch
    >>> from cvcourse.models.heads import mask_iou
    >>> predicted = torch.tensor([[[True, True], [False, False]]])
    >>> truth = torch.tensor([[[True, False], [False, False]]])
    >>> mask_iou(predicted, truth).tolist()
    [0.5]

    Args:
        predicted: (N, H, W) bool.
        truth: (N, H, W) bool.

    Returns:
        (N,) float32 in [0, 1]; 1 where both are empty.

    Raises:
        TypeError: the masks are not bool.
        ValueError: the shapes differ.
    """
    if not predicted.dtype == truth.dtype == torch.bool:
        raise TypeError(
            f"predicted masks are {predicted.dtype}, true ones {truth.dtype}; expected "
            "torch.bool — compare logits with 0 first"
        )
    if predicted.shape != truth.shape or truth.ndim != 3:
        raise ValueError(
            f"predicted masks are {tuple(predicted.shape)}, true ones {tuple(truth.shape)}; "
            "expected the same (N, H, W) — upsample the prediction to the image's size"
        )
    both = (predicted & truth).sum(dim=(1, 2))
    either = (predicted | truth).sum(dim=(1, 2))
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def _check_shape(name: str, predicted: Tensor, truth: Tensor) -> None:
    if predicted.shape != truth.shape or not predicted.is_floating_point() or not len(truth):
        raise ValueError(
            f"{name} are {tuple(predicted.shape)} {predicted.dtype}; expected floats of shape "
            f"{tuple(truth.shape)}, as the images have, and at least one image"
        )
