"""Augmentation of one image (NumPy, OpenCV) and of whole batches, on the device where they are.

One image: `ops` (colour, filters, noise, cutout) and `geometry`. A batch: `batch_colour` and
`batch_geometry`, the same operations by the same names. `matrices` holds the geometry itself, which
boxes, masks and keypoints follow too. `corrupt` changes one thing about a whole set, to test with.
"""

from cvcourse.augment.batch import Compose, Cutout, crop_and_flip
from cvcourse.augment.corruptions import corrupt
from cvcourse.augment.mix import CutMix, Mixed, MixUp
from cvcourse.augment.randaugment import RandAugment

__all__ = [
    "Compose",
    "CutMix",
    "Cutout",
    "MixUp",
    "Mixed",
    "RandAugment",
    "corrupt",
    "crop_and_flip",
]
