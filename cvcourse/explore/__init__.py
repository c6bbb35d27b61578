"""Interactive figures, the same with a kernel and in a page without one."""

from cvcourse.explore.convolution import ConvolutionSteps
from cvcourse.explore.crop import CropLab
from cvcourse.explore.cutmix import CutMixBox
from cvcourse.explore.distillation import DistillationLoss
from cvcourse.explore.distilled import DistilledPicture
from cvcourse.explore.export import export_for_page
from cvcourse.explore.moons import TwoMoons
from cvcourse.explore.neighbours import NeighbourVote
from cvcourse.explore.noisy import NoisyStudentRounds
from cvcourse.explore.own_picture import OwnPicture
from cvcourse.explore.randaugment import RandAugmentSteps
from cvcourse.explore.receptive import ReceptiveFieldStack
from cvcourse.explore.softmax import SoftmaxTemperature
from cvcourse.explore.teach import TeachItYourself
from cvcourse.explore.threshold import PseudoLabelThreshold
from cvcourse.explore.unit import UnitLens
from cvcourse.explore.warp import CornerMap

__all__ = [
    "ConvolutionSteps",
    "CornerMap",
    "CropLab",
    "CutMixBox",
    "DistillationLoss",
    "DistilledPicture",
    "NeighbourVote",
    "NoisyStudentRounds",
    "OwnPicture",
    "PseudoLabelThreshold",
    "RandAugmentSteps",
    "ReceptiveFieldStack",
    "SoftmaxTemperature",
    "TeachItYourself",
    "TwoMoons",
    "UnitLens",
    "export_for_page",
]
