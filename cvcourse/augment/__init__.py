"""Augmentation of whole batches, on the device where the batch is."""

from cvcourse.augment.batch import crop_and_flip

__all__ = ["crop_and_flip"]
