"""AlexNet as published: two groups in conv2, conv4 and conv5, a 227 x 227 input.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012.
60.965 M parameters, 0.7244 GMAC. The paper says 224 x 224; its 55 x 55 first map needs 227.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012"


def alexnet() -> Network:
    """AlexNet with the paper's normalisation (over five channels, before the overlapping pools)."""
    b = NetworkBuilder("alexnet", (1, 3, 227, 227), CITATION)
    x = b.conv("conv1", b.input, 96, 11, stride=4, activation="relu")
    x = b.max_pool("pool1", _normalise(b, "norm1", x), 3, stride=2)
    x = b.conv("conv2", x, 256, 5, padding=2, groups=2, activation="relu")
    x = b.max_pool("pool2", _normalise(b, "norm2", x), 3, stride=2)
    x = b.conv("conv3", x, 384, 3, padding=1, activation="relu")
    x = b.conv("conv4", x, 384, 3, padding=1, groups=2, activation="relu")
    x = b.conv("conv5", x, 256, 3, padding=1, groups=2, activation="relu")
    x = b.max_pool("pool5", x, 3, stride=2)
    x = b.linear("fc6", b.flatten("flatten", x), 4096, activation="relu")
    x = b.linear("fc7", x, 4096, activation="relu")
    b.linear("fc8", x, 1000)
    return b.build()


def _normalise(b: NetworkBuilder, name: str, x: str) -> str:
    # The paper's alpha of 1e-4 multiplies the sum of squares itself; ours multiplies their mean over the five.
    return b.lrn(name, x, size=5, alpha=5 * 1e-4, beta=0.75, bias=2.0)
