"""A labelled set of images: one uint8 tensor, small enough to live in memory and on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvcourse.checks import Checked, Count, check, check_integer, checked

UNLABELED = -1
"""The label of an image whose class is not known.

>>> from cvcourse.data import UNLABELED
>>> UNLABELED
-1
"""


@dataclass(frozen=True, eq=False)
class ImageSet(Checked):
    """Images with their labels and, where they are known, boxes and masks.

    >>> import torch
    >>> from cvcourse.data import ImageSet
    >>> images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    >>> pictures = ImageSet(images, torch.tensor([0, 1, 1]), ("dog", "cat"))
    >>> len(pictures[pictures.labels == 1]), pictures.n_classes
    (2, 2)

    Attributes:
        images: (N, C, H, W) uint8, C = 1 (grey) or 3 (RGB).
        labels: (N,) int64 in [0, len(class_names)), or -1 for an image without a label.
        class_names: one name a class, in label order.
        boxes: (N, 4) float32 or None: x0, y0, x1, y1 in pixels; (0, 0, 0, 0) where nothing shows.
        masks: (N, H, W) bool or None: the visible pixels of the object.

    Raises:
        TypeError: a tensor has another dtype.
        ValueError: a shape or a label does not fit the others.
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    boxes: Tensor | None = None
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("images", self.images, torch.uint8, (None, None, None, None))
        n, channels, height, width = self.images.shape
        if channels not in (1, 3):
            raise ValueError(
                f"images have {channels} channels (shape {tuple(self.images.shape)}); expected "
                "(N, C, H, W) with C = 1 or 3 — permute channels-last arrays first"
            )
        _check("labels", self.labels, torch.int64, (n,))
        if self.boxes is not None:
            _check("boxes", self.boxes, torch.float32, (n, 4))
            if not bool(self.boxes.isfinite().all()):
                raise ValueError("boxes hold NaN or infinity; expected x0, y0, x1, y1 in pixels")
        if self.masks is not None:
            _check("masks", self.masks, torch.bool, (n, height, width))
        if n and not UNLABELED <= int(self.labels.min()) <= int(self.labels.max()) < self.n_classes:
            raise ValueError(
                f"labels run from {int(self.labels.min())} to {int(self.labels.max())}; expected 0 "
                f"to {self.n_classes - 1} for the {self.n_classes} class_names (-1: unlabelled)"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | Tensor | Sequence[int]) -> ImageSet:
        """The images at `index` (a slice, indices or a mask) and all that belongs to them."""
        chosen = _as_index(index)
        try:
            return self._map(lambda tensor: tensor[chosen])
        except IndexError as error:
            raise IndexError(f"this ImageSet has {len(self)} images; {error}") from error

    def of_classes(self, classes: Sequence[int] | Tensor) -> ImageSet:
        """The images of some classes, numbered anew in the order given: the first becomes 0.

        Raises:
            ValueError: a class that does not exist, or one twice.
        """
        given = classes.tolist() if isinstance(classes, Tensor | np.ndarray) else classes
        chosen = [check_integer("a class", c) for c in check("classes", given, Sequence)]
        if len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(self.n_classes)):
            raise ValueError(f"classes are {chosen}; expected some of 0 to {self.n_classes - 1}")
        new = torch.full((self.n_classes + 1,), UNLABELED, device=self.device)  # last: unlabelled
        new[chosen] = torch.arange(len(chosen), device=self.device)
        labels = new[self.labels]  # (N,), −1 elsewhere
        kept = labels != UNLABELED
        names = tuple(self.class_names[c] for c in chosen)
        return replace(self[kept], labels=labels[kept], class_names=names)

    @checked
    def repeated(self, n: Count) -> ImageSet:
        """`n` images: these, again and again in order.

        So a training on few images can have as many in a step as one on many.

        Raises:
            ValueError: the set is empty, or n is below 1.
        """
        if not len(self):
            raise ValueError("an empty ImageSet cannot be repeated; give it at least one image")
        return self[torch.arange(n, device=self.device) % len(self)]

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.images.device

    @checked
    def to(self, device: torch.device | str) -> ImageSet:
        """The same set on another device."""
        return self._map(lambda tensor: tensor.to(device))

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel, on the scale [0, 1].

        Computed from exact counts of the 256 levels, so the answer depends neither on the order of
        the images nor on how many threads add them up.

        Returns:
            mean: (C,) float32.
            std: (C,) float32; a channel that never changes gets 1, so that dividing by it is safe.

        Raises:
            ValueError: the set is empty.
        """
        if not len(self):
            raise ValueError("an empty ImageSet has no mean; give it at least one image")
        channels = self.images.shape[1]
        counts = torch.zeros(channels, 256, dtype=torch.float64, device=self.device)
        for some in self.images.split(1024):  # bincount copies its input to int64
            for channel in range(channels):
                counts[channel] += torch.bincount(some[:, channel].flatten(), minlength=256)
        shares = counts / counts.sum(dim=1, keepdim=True)  # (C, 256)
        levels = torch.arange(256, dtype=torch.float64, device=self.device) / 255
        mean = shares @ levels  # (C,)
        std = (shares * (levels - mean.unsqueeze(1)) ** 2).sum(dim=1).sqrt()  # (C,)
        return mean.float(), torch.where(std > 0, std, 1).float()

    def _map(self, function: Callable[[Tensor], Tensor]) -> ImageSet:
        return replace(
            self,
            images=function(self.images),
            labels=function(self.labels),
            boxes=None if self.boxes is None else function(self.boxes),
            masks=None if self.masks is None else function(self.masks),
        )


def _as_index(index: Any) -> slice | Tensor:
    """A slice as it is; whole numbers or a mask as a tensor (n,)."""
    if isinstance(index, slice):
        return index
    if isinstance(index, int):
        raise TypeError(f"ImageSet[{index}] would be a single image; use [{index}:{index + 1}]")
    if not isinstance(index, Tensor | np.ndarray):
        index = np.array(check("an index of an ImageSet", index, Sequence) or np.arange(0))
    kind = str(index.dtype).removeprefix("torch.")
    if index.ndim != 1 or kind not in ("bool", "int32", "int64"):
        raise TypeError(
            f"an index of an ImageSet is {kind} of shape {tuple(index.shape)}; expected a slice, "
            "or (n,) whole numbers, or a mask"
        )
    return index if isinstance(index, Tensor) else torch.from_numpy(np.ascontiguousarray(index))


def _check(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int | None, ...]) -> None:
    if tensor.dtype != dtype:
        raise TypeError(f"{name} are {tensor.dtype}; expected {dtype}")
    fits = tensor.ndim == len(shape) and all(
        want in (None, size) for want, size in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} have shape {tuple(tensor.shape)}; expected ({wanted})")
