"""Images with labels: rendered, bundled, downloaded, or your own."""

from cvcourse.data.datasets import load
from cvcourse.data.download import DownloadError, data_folder, fetch
from cvcourse.data.folder import read_folder
from cvcourse.data.image_set import UNLABELED, ImageSet
from cvcourse.data.perturb import perturb
from cvcourse.data.photographs import photographs
from cvcourse.data.shapes import CLASS_NAMES, Scene, render
from cvcourse.data.split import LabelSplit, hold_back, split_labels

__all__ = [
    "CLASS_NAMES",
    "UNLABELED",
    "DownloadError",
    "ImageSet",
    "LabelSplit",
    "Scene",
    "data_folder",
    "fetch",
    "hold_back",
    "load",
    "perturb",
    "photographs",
    "read_folder",
    "render",
    "split_labels",
]
