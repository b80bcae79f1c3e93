"""Networks of the papers, by name. Inference form: batch norm folded, dropout gone, the result is the logits.

Every file cites its paper and states parameters and multiply-accumulates (of convolutions and fully connected layers
alone, one input); the tests check both. A further network is a file here with a function without arguments, and a line
in ZOO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workloads.network import Network
from workloads.zoo.alexnet import alexnet
from workloads.zoo.googlenet import googlenet
from workloads.zoo.lenet5 import lenet5, lenet5_1998
from workloads.zoo.mobilenet_v1 import mobilenet_v1
from workloads.zoo.mobilenet_v2 import mobilenet_v2
from workloads.zoo.resnet import resnet18, resnet50, resnet50_v1
from workloads.zoo.squeezenet import squeezenet, squeezenet1_1
from workloads.zoo.vgg16 import vgg16

ZOO: Mapping[str, Callable[[], Network]] = MappingProxyType(
    {
        "alexnet": alexnet,
        "vgg16": vgg16,
        "googlenet": googlenet,
        "resnet18": resnet18,
        "resnet50": resnet50,
        "resnet50_v1": resnet50_v1,
        "mobilenet_v1": mobilenet_v1,
        "mobilenet_v2": mobilenet_v2,
        "lenet5": lenet5,
        "lenet5_1998": lenet5_1998,
        "squeezenet": squeezenet,
        "squeezenet1_1": squeezenet1_1,
    }
)

ALIASES: Mapping[str, str] = MappingProxyType({"resnet50_v1_5": "resnet50", "squeezenet1_0": "squeezenet"})
"""Second names, for those who want the version said."""
