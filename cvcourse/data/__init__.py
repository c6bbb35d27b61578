"""Images with labels: rendered, bundled, downloaded, or your own."""

from cvcourse.data.datasets import load
from cvcourse.data.download import DownloadError, data_folder, fetch
from cvcourse.data.folder import read_folder
from cvcourse.data.image_set import UNLABELED, ImageSet
from cvcourse.data.photographs import photographs
from cvcourse.data.shapes import CLASS_NAMES, VARIED, Scene, render
from cvcourse.data.split import LabelSplit, split_labels, train_val_split

__all__ = [
    "CLASS_NAMES",
    "UNLABELED",
    "VARIED",
    "DownloadError",
    "ImageSet",
    "LabelSplit",
    "Scene",
    "data_folder",
    "fetch",
    "load",
    "photographs",
    "read_folder",
    "render",
    "split_labels",
    "train_val_split",
]
