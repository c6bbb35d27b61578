"""Architectures, one a file."""

from cvcourse.models.alexnet import AlexNet, PathwiseLRN, TwoPathAlexNet
from cvcourse.models.lenet import LeNet5
from cvcourse.models.locally_connected import LocallyConnected2d, LocallyConnectedNet
from cvcourse.models.mlp import MLP
from cvcourse.models.official import load_official_weights
from cvcourse.models.single_layer import SingleLayer
from cvcourse.models.small_cnn import FlattenCNN, SmallCNN
from cvcourse.models.small_resnet import SmallResNet
from cvcourse.models.standardize import Standardize, standardized
from cvcourse.models.table import Layer, format_table, layer_table, multiply_adds
from cvcourse.models.vgg import VGG

__all__ = [
    "MLP",
    "VGG",
    "AlexNet",
    "FlattenCNN",
    "Layer",
    "LeNet5",
    "LocallyConnected2d",
    "LocallyConnectedNet",
    "PathwiseLRN",
    "SingleLayer",
    "SmallCNN",
    "SmallResNet",
    "Standardize",
    "TwoPathAlexNet",
    "format_table",
    "layer_table",
    "load_official_weights",
    "multiply_adds",
    "standardized",
]
