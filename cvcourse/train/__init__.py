"""Training and measuring."""

from cvcourse.train.evaluate import accuracy, evaluate, evaluating, predict
from cvcourse.train.loop import Batch, DivergedError, History, fit, supervised
from cvcourse.train.optim import Recipe

__all__ = [
    "Batch",
    "DivergedError",
    "History",
    "Recipe",
    "accuracy",
    "evaluate",
    "evaluating",
    "fit",
    "predict",
    "supervised",
]
