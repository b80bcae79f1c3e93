"""GoogLeNet: nine inception modules, without the two auxiliary classifiers of the training.

Szegedy et al.: Going Deeper with Convolutions, CVPR 2015.
6.999 M parameters, 1.5827 GMAC at 224: 57 convolutions and a classifier. The paper prints 6.8 M and 1.5 G.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "Szegedy et al.: Going Deeper with Convolutions, CVPR 2015"
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1: filters of 1x1, before 3x3, 3x3, before 5x5, 5x5, and after the pool."""


def googlenet() -> Network:
    """Table 1 of the paper, with its normalisation (over five channels, as AlexNet's)."""
    b = NetworkBuilder("googlenet", (1, 3, 224, 224), CITATION)
    x = b.conv("conv1", b.input, 64, 7, stride=2, padding=3, activation="relu")
    x = _normalise(b, "norm1", b.max_pool("pool1", x, 3, stride=2, ceil_mode=True))
    x = b.conv("conv2.reduce", x, 64, 1, activation="relu")
    x = _normalise(b, "norm2", b.conv("conv2", x, 192, 3, padding=1, activation="relu"))
    x = b.max_pool("pool2", x, 3, stride=2, ceil_mode=True)
    for module in MODULES:
        x = _inception(b, module, x)
        if module in ("3b", "4e"):
            x = b.max_pool(f"pool{module[0]}", x, 3, stride=2, ceil_mode=True)
    b.linear("classifier", b.flatten("flatten", b.global_average_pool("pool5", x)), 1000)
    return b.build()


def _inception(b: NetworkBuilder, module: str, x: str) -> str:
    name = f"inception_{module}"
    single, before3, wide3, before5, wide5, after = MODULES[module]
    parts = [b.conv(f"{name}.1x1", x, single, 1, activation="relu")]
    reduced = b.conv(f"{name}.3x3_reduce", x, before3, 1, activation="relu")
    parts.append(b.conv(f"{name}.3x3", reduced, wide3, 3, padding=1, activation="relu"))
    reduced = b.conv(f"{name}.5x5_reduce", x, before5, 1, activation="relu")
    parts.append(b.conv(f"{name}.5x5", reduced, wide5, 5, padding=2, activation="relu"))
    pooled = b.max_pool(f"{name}.pool", x, 3, stride=1, padding=1)
    parts.append(b.conv(f"{name}.pool_proj", pooled, after, 1, activation="relu"))
    return b.concat(f"{name}.concat", *parts)


def _normalise(b: NetworkBuilder, name: str, x: str) -> str:
    # As AlexNet's: alpha of 1e-4 of the sum of squares, here of their mean over the five.
    return b.lrn(name, x, size=5, alpha=5 * 1e-4, beta=0.75, bias=2.0)
