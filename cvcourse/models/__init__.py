"""Architectures, one a file."""

from cvcourse.models.locally_connected import LocallyConnected2d, LocallyConnectedNet
from cvcourse.models.mlp import MLP
from cvcourse.models.single_layer import SingleLayer
from cvcourse.models.small_cnn import SmallCNN
from cvcourse.models.standardize import Standardize, standardized

__all__ = [
    "MLP",
    "LocallyConnected2d",
    "LocallyConnectedNet",
    "SingleLayer",
    "SmallCNN",
    "Standardize",
    "standardized",
]
