"""Images with labels: rendered, bundled, downloaded, or your own."""

from cvcourse.data.image_set import UNLABELED, ImageSet
from cvcourse.data.photographs import photographs
from cvcourse.data.shapes import CLASS_NAMES, Scene, render

__all__ = ["CLASS_NAMES", "UNLABELED", "ImageSet", "Scene", "photographs", "render"]
