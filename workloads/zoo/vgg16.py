"""VGG-16, configuration D.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015.
138.358 M parameters, 15.4703 GMAC.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015"
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the 3 x 3 convolutions before each of the five pools."""


def vgg16() -> Network:
    b = NetworkBuilder("vgg16", (1, 3, 224, 224), CITATION)
    x = b.input
    for block, widths in enumerate(BLOCKS, start=1):
        for index, channels in enumerate(widths, start=1):
            x = b.conv(f"conv{block}_{index}", x, channels, 3, padding=1, activation="relu")
        x = b.max_pool(f"pool{block}", x, 2)
    x = b.linear("fc6", b.flatten("flatten", x), 4096, activation="relu")
    x = b.linear("fc7", x, 4096, activation="relu")
    b.linear("fc8", x, 1000)
    return b.build()
