"""MobileNetV2, width 1.0, resolution 224, batch norm folded.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018.
3.505 M parameters, 0.3008 GMAC.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018"
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Table 2 of the paper: (expansion, channels, repeats, stride of the first)."""


def mobilenet_v2() -> Network:
    b = NetworkBuilder("mobilenet_v2", (1, 3, 224, 224), CITATION)
    x = b.conv("conv1", b.input, 32, 3, stride=2, padding=1, activation="relu6", batch_norm=True)
    block = 1
    for expansion, channels, repeats, stride in STAGES:
        for repeat in range(repeats):
            x = _inverted_residual(b, f"block{block}", x, expansion, channels, stride if repeat == 0 else 1)
            block += 1
    x = b.conv("conv_last", x, 1280, 1, activation="relu6", batch_norm=True)
    b.linear("fc", b.flatten("flatten", b.global_average_pool("avgpool", x)), 1000)
    return b.build()


def _inverted_residual(b: NetworkBuilder, name: str, x: str, expansion: int, channels: int, stride: int) -> str:
    y = x
    narrow = b.shape(x)[1]
    if expansion > 1:
        y = b.conv(f"{name}.expand", y, narrow * expansion, 1, activation="relu6", batch_norm=True)
    y = b.depthwise(f"{name}.dw", y, 3, stride=stride, padding=1, activation="relu6", batch_norm=True)
    y = b.conv(f"{name}.project", y, channels, 1, batch_norm=True)
    return b.add(f"{name}.add", x, y) if stride == 1 and narrow == channels else y
