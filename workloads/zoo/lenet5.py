"""LeNet-5: the form all pruning papers use, and that of 1998.

LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86(11), 1998.

- `lenet5`: the 20-50-500-10 of Caffe's MNIST example; 0.4311 M parameters, 0.0023 GMAC.
- `lenet5_1998`: 6-16-120-84-10 with every map of C3 connected (the paper connects 60 of its 96 pairs), plain average
  pools and a fully connected output; 61.7 k parameters, 0.000417 GMAC.
"""

from __future__ import annotations

from workloads.builder import NetworkBuilder
from workloads.network import Network

CITATION = "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998"


def lenet5() -> Network:
    b = NetworkBuilder("lenet5", (1, 1, 28, 28), CITATION)
    x = b.max_pool("pool1", b.conv("conv1", b.input, 20, 5), 2)
    x = b.max_pool("pool2", b.conv("conv2", x, 50, 5), 2)
    x = b.linear("ip1", b.flatten("flatten", x), 500, activation="relu")
    b.linear("ip2", x, 10)
    return b.build()


def lenet5_1998() -> Network:
    b = NetworkBuilder("lenet5_1998", (1, 1, 32, 32), CITATION)
    x = b.average_pool("s2", b.conv("c1", b.input, 6, 5, activation="tanh"), 2)
    x = b.average_pool("s4", b.conv("c3", x, 16, 5, activation="tanh"), 2)
    x = b.conv("c5", x, 120, 5, activation="tanh")
    x = b.linear("f6", b.flatten("flatten", x), 84, activation="tanh")
    b.linear("output", x, 10)
    return b.build()
