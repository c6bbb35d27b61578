"""Training and measuring."""

from cvcourse.models.outline import evaluating
from cvcourse.train.checkpoint import CheckpointError
from cvcourse.train.evaluate import accuracy, evaluate, predict
from cvcourse.train.fit import DivergedError, History, fit
from cvcourse.train.fitted import fitted
from cvcourse.train.recipe import Recipe
from cvcourse.train.step import Augment, Batch, Step, supervised
from cvcourse.train.weights import load_weights, save_weights

__all__ = [
    "Augment",
    "Batch",
    "CheckpointError",
    "DivergedError",
    "History",
    "Recipe",
    "Step",
    "accuracy",
    "evaluate",
    "evaluating",
    "fit",
    "fitted",
    "load_weights",
    "predict",
    "save_weights",
    "supervised",
]
