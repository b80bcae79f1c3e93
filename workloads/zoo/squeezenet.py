"""SqueezeNet 1.0 and 1.1 at 224, with the ceiling-mode pools and unpadded last convolution of torchvision.

Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size,
arXiv 1602.07360, 2016.

- `squeezenet`: version 1.0, the paper's; 1.248 M parameters, 0.8189 GMAC (0.8327 at 227).
- `squeezenet1_1`: the authors' later version; 1.235 M parameters, 0.3492 GMAC (0.3877 at 227).
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = (
    "Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, "
    "arXiv 1602.07360, 2016"
)
WIDTHS = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
"""Squeezed channels of each fire module; both of its expansions have four times as many."""


def squeezenet(side: int = 224) -> Network:
    """Version 1.0 on an input of `side` x `side`: pools after conv1, fire4 and fire8."""
    return _squeezenet("squeezenet", side, stem=(96, 7), pools=(1, 4, 8))


def squeezenet1_1(side: int = 224) -> Network:
    """Version 1.1 on an input of `side` x `side`: a smaller stem and earlier pools, after conv1, fire3 and fire5."""
    return _squeezenet("squeezenet1_1", side, stem=(64, 3), pools=(1, 3, 5))


def _squeezenet(name: str, side: int, stem: tuple[int, int], pools: tuple[int, ...]) -> Network:
    b = NetworkBuilder(name, (1, 3, side, side), CITATION)
    x = b.conv("conv1", b.input, stem[0], stem[1], stride=2, activation="relu")
    x = b.max_pool("pool1", x, 3, stride=2, ceil_mode=True)
    for module, squeezed in WIDTHS.items():
        x = _fire(b, f"fire{module}", x, squeezed)
        if module in pools:
            x = b.max_pool(f"pool{module}", x, 3, stride=2, ceil_mode=True)
    x = b.conv("conv10", x, 1000, 1, activation="relu")
    b.flatten("flatten", b.global_average_pool("pool10", x))
    return b.build()


def _fire(b: NetworkBuilder, name: str, x: str, squeezed: int) -> str:
    x = b.conv(f"{name}.squeeze", x, squeezed, 1, activation="relu")
    narrow = b.conv(f"{name}.expand1x1", x, 4 * squeezed, 1, activation="relu")
    wide = b.conv(f"{name}.expand3x3", x, 4 * squeezed, 3, padding=1, activation="relu")
    return b.concat(f"{name}.concat", narrow, wide)
