"""Architectures, one a file."""

from cvcourse.models.mlp import MLP
from cvcourse.models.single_layer import SingleLayer
from cvcourse.models.small_cnn import SmallCNN
from cvcourse.models.standardize import Standardize, standardized

__all__ = ["MLP", "SingleLayer", "SmallCNN", "Standardize", "standardized"]
