"""Residual networks for ImageNet, batch norm folded, projection shortcuts where the shape changes.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016.

- `resnet18`: 11.690 M parameters, 1.8141 GMAC.
- `resnet50`: the v1.5 of torchvision, which strides in the 3 x 3; 25.557 M parameters, 4.0892 GMAC.
- `resnet50_v1`: as the paper has it, striding in the first 1 x 1; 25.557 M parameters, 3.8580 GMAC.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016"
WIDTHS = (64, 128, 256, 512)
"""Channels of the four stages, before a bottleneck's last convolution widens them fourfold."""


def resnet18() -> Network:
    b = NetworkBuilder("resnet18", (1, 3, 224, 224), CITATION)
    x = _stem(b)
    for stage, channels in enumerate(WIDTHS, start=1):
        for block in range(2):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _basic(b, f"layer{stage}.{block}", x, channels, stride)
    return _head(b, x)


def resnet50() -> Network:
    """Version 1.5: the 3 x 3 convolutions stride."""
    return _resnet50("resnet50", stride_first=False)


def resnet50_v1() -> Network:
    """The paper's: the first 1 x 1 convolutions stride."""
    return _resnet50("resnet50_v1", stride_first=True)


def _resnet50(name: str, *, stride_first: bool) -> Network:
    b = NetworkBuilder(name, (1, 3, 224, 224), CITATION)
    x = _stem(b)
    for stage, (channels, blocks) in enumerate(zip(WIDTHS, (3, 4, 6, 3), strict=True), start=1):
        for block in range(blocks):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _bottleneck(b, f"layer{stage}.{block}", x, channels, stride, stride_first)
    return _head(b, x)


def _stem(b: NetworkBuilder) -> str:
    x = b.conv("conv1", b.input, 64, 7, stride=2, padding=3, activation="relu", batch_norm=True)
    return b.max_pool("maxpool", x, 3, stride=2, padding=1)


def _head(b: NetworkBuilder, x: str) -> Network:
    b.linear("fc", b.flatten("flatten", b.global_average_pool("avgpool", x)), 1000)
    return b.build()


def _basic(b: NetworkBuilder, name: str, x: str, channels: int, stride: int) -> str:
    y = b.conv(f"{name}.conv1", x, channels, 3, stride=stride, padding=1, activation="relu", batch_norm=True)
    y = b.conv(f"{name}.conv2", y, channels, 3, padding=1, batch_norm=True)
    return b.add(f"{name}.add", y, _shortcut(b, name, x, channels, stride), activation="relu")


def _bottleneck(b: NetworkBuilder, name: str, x: str, channels: int, stride: int, stride_first: bool) -> str:
    first, second = (stride, 1) if stride_first else (1, stride)
    y = b.conv(f"{name}.conv1", x, channels, 1, stride=first, activation="relu", batch_norm=True)
    y = b.conv(f"{name}.conv2", y, channels, 3, stride=second, padding=1, activation="relu", batch_norm=True)
    y = b.conv(f"{name}.conv3", y, 4 * channels, 1, batch_norm=True)
    return b.add(f"{name}.add", y, _shortcut(b, name, x, 4 * channels, stride), activation="relu")


def _shortcut(b: NetworkBuilder, name: str, x: str, channels: int, stride: int) -> str:
    if stride == 1 and b.shape(x)[1] == channels:
        return x
    return b.conv(f"{name}.downsample", x, channels, 1, stride=stride, batch_norm=True)
