"""MobileNet, batch norm folded.

Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications,
arXiv 1704.04861, 2017.
4.232 M parameters, 0.5687 GMAC at width 1.0 and resolution 224. Padding is one on every side, as in the Caffe and
PyTorch versions.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = (
    "Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, "
    "arXiv 1704.04861, 2017"
)
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""(channels, stride) of each pair of a depthwise and a pointwise convolution; the depthwise one strides."""


def mobilenet_v1(width: float = 1.0, side: int = 224) -> Network:
    """The paper's width multiplier thins all channels; the input has `side` x `side` pixels."""
    b = NetworkBuilder("mobilenet_v1", (1, 3, side, side), CITATION)
    x = b.conv("conv1", b.input, round(32 * width), 3, stride=2, padding=1, activation="relu", batch_norm=True)
    for index, (channels, stride) in enumerate(BLOCKS, start=2):
        x = b.depthwise(f"conv{index}.dw", x, 3, stride=stride, padding=1, activation="relu", batch_norm=True)
        x = b.conv(f"conv{index}.pw", x, round(channels * width), 1, activation="relu", batch_norm=True)
    b.linear("fc", b.flatten("flatten", b.global_average_pool("avgpool", x)), 1000)
    return b.build()
