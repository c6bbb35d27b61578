"""Training and measuring."""

from cvcourse.train.checkpoint import CheckpointError, load_weights, save_weights
from cvcourse.train.evaluate import accuracy, evaluate, evaluating, predict
from cvcourse.train.loop import fit, supervised
from cvcourse.train.optim import Recipe
from cvcourse.train.run import Augment, Batch, DivergedError, History, Step

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
    "load_weights",
    "predict",
    "save_weights",
    "supervised",
]
